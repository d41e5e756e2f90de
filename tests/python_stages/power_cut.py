"""What may be on a disk after a power cut, at every moment of a program that ran.

`record` runs a program under power_cut.c, which notes every change it makes below a folder.
`Recording.cuts` then plays the notes back up to every moment. What was synced by then is on the
disk; of what was not, anything may be: a file's bytes are synced by fsync of the file, a name by
fsync of its folder, and nothing else, which is all that POSIX promises and less than any file
system in use gives. Of the changes not synced, each cut keeps

    nothing          all         the names without the bytes        the bytes without the names
    some, drawn at random; of the last write of a file perhaps only some sectors
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

SOURCE: Final = Path(__file__).with_suffix(".c")
SECTOR_BYTES: Final = 512
N_RANDOM: Final = 3


@dataclass(eq=False, slots=True)
class Node:
    """A file or folder, whatever its names are."""

    is_folder: bool = False
    content: bytearray = field(default_factory=bytearray)
    names: dict[str, "Node"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a file's bytes or to a folder's names, which happens in full or not at all."""

    node: Node
    offset: int = 0
    data: bytes | None = None
    size: int | None = None
    names: tuple[tuple[str, Node | None], ...] = ()

    @property
    def is_of_names(self) -> bool:
        """Whether a folder changes."""
        return bool(self.names)


@dataclass(frozen=True, slots=True)
class Sync:
    """Everything that was done to a node so far is on the disk now."""

    node: Node


@dataclass(frozen=True, slots=True)
class Done:
    """The program said that something has been done."""

    what: str


Step = Change | Sync | Done
Start = tuple[tuple[Node, bytes, dict[str, Node]], ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A folder as a power cut may have left it.

    Attributes:
        folder: where it lies.
        done: what the program had said to be done.
        name: which cut it is, for a failure.
    """

    folder: Path
    done: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Recording:
    """What a program did to a folder, step by step."""

    root: Node
    start: Start
    steps: Sequence[Step]

    def cuts(self, folder: Path) -> Iterator[Cut]:
        """Yield every cut, each in a folder of its own that is removed when the next is made."""
        done: tuple[str, ...] = ()
        chance = random.Random(20261122)
        seen: set[int] = set()
        for moment in range(len(self.steps) + 1):
            if moment and isinstance(said := self.steps[moment - 1], Done):
                done = (*done, said.what)
            for kind, changes in self._kept(moment, chance):
                self._replay(changes)
                state = hash((tuple(_walk(self.root)), done))
                if state in seen:
                    continue
                seen.add(state)
                target = folder / f"{moment}-{kind}"
                _write(self.root, target)
                yield Cut(target, done, target.name)
                shutil.rmtree(target)

    def full(self) -> dict[str, bytes | None]:
        """Return what is there in the end, by path; None for a folder."""
        self._replay([step for step in self.steps if isinstance(step, Change)])
        return dict(_walk(self.root))

    def _kept(self, moment: int, chance: random.Random) -> Iterator[tuple[str, list[Change]]]:
        steps = self.steps[:moment]
        last_sync = {step.node: n for n, step in enumerate(steps) if isinstance(step, Sync)}
        changes = [(n, step) for n, step in enumerate(steps) if isinstance(step, Change)]
        loose = {n for n, step in changes if n > last_sync.get(step.node, -1)}
        names = {n for n, step in changes if step.is_of_names}

        def keep(kept: set[int]) -> list[Change]:
            return [step for n, step in changes if n not in loose or n in kept]

        yield "nothing", keep(set())
        yield "all", keep(loose)
        yield "names", keep(loose & names)
        yield "bytes", keep(loose - names)
        for number in range(N_RANDOM if loose else 0):
            kept = {n for n in sorted(loose) if chance.random() < 0.5}
            yield (
                f"some{number}",
                [
                    _torn(step, chance) if n in loose else step
                    for n, step in changes
                    if n not in loose or n in kept
                ],
            )

    def _replay(self, changes: Sequence[Change]) -> None:
        for step in self.steps:
            if isinstance(step, Change):
                step.node.content, step.node.names = bytearray(), {}
                for _, node in step.names:
                    if node:
                        node.content, node.names = bytearray(), {}
        for node, content, names in self.start:
            node.content, node.names = bytearray(content), dict(names)
        for change in changes:
            _apply(change)


def record(script: str, root: Path, arguments: Sequence[str], scratch: Path) -> Recording:
    """Run a Python script on the folder `root` and return what it did there.

    The script calls `done(text)` when something has been done; it finds its arguments in sys.argv.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("recording file operations needs a C compiler, on Linux")
    library, log = scratch / "power_cut.so", scratch / "log"
    if not library.exists():
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
    log.write_bytes(b"")
    before, start, inodes = _snapshot(root)
    program = scratch / "program.py"
    program.write_text(_PREAMBLE + script)
    subprocess.run(
        [sys.executable, program, *arguments],
        env={
            **os.environ,
            "LD_PRELOAD": str(library),
            "POWER_CUT_ROOT": str(root),
            "POWER_CUT_LOG": str(log),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        check=True,
    )
    recording = Recording(before, start, _Parser(before, inodes).parse(log.read_bytes()))
    after, _, _ = _snapshot(root)
    # what the recorder did not see would make the cuts less than true
    assert recording.full() == dict(_walk(after))
    return recording


_PREAMBLE: Final = """
import os, sys
from pathlib import Path
_log = os.open(os.environ["POWER_CUT_LOG"], os.O_WRONLY | os.O_APPEND)
def done(text):
    os.write(_log, b"done 0 0 0 " + text.encode() + b"\\t\\n")
"""


class _Parser:
    """Turns the record into steps; keeps the names as the program saw them to tell files apart."""

    def __init__(self, root: Node, inodes: dict[int, Node]) -> None:
        self.steps: list[Step] = []
        self._root = root
        self._inodes = inodes
        self._view = {node: dict(node.names) for node in (root, *inodes.values())}

    def parse(self, log: bytes) -> list[Step]:
        """Return the steps of a whole record."""
        while log:
            head, _, log = log.partition(b"\n")
            operation, inode, offset, length, paths = head.decode().split(" ", 4)
            data, log = log[: int(length)], log[int(length) :]
            path, _, other = paths.partition("\t")
            self._take(operation, int(inode), int(offset), data, path, other)
        return self.steps

    def _take(  # noqa: PLR0917 - the fields of a record, in order
        self, operation: str, inode: int, offset: int, data: bytes, path: str, other: str
    ) -> None:
        match operation:
            case "done":
                self.steps.append(Done(path))
            case "open" | "open-truncate":
                self._open(path, inode, is_truncated=operation == "open-truncate")
            case "mkdir":
                node = self._inodes[inode] = Node(is_folder=True)
                self._view[node] = {}
                folder, name = self._place(path)
                self._rename(folder, (name, node))
            case "unlink":
                folder, name = self._place(path)
                self._rename(folder, (name, None))
            case "link" | "rename":
                (folder, source), (target, name) = self._place(path), self._place(other)
                assert folder is target, "no program here moves between folders"
                moved = self._view[folder][source]
                gone = ((source, None),) if operation == "rename" else ()
                self._rename(folder, *gone, (name, moved))
            case "sync":
                self.steps.append(Sync(self._inodes[inode]))
            case "write":
                self.steps.append(Change(self._inodes[inode], offset, data))
            case "truncate":
                self.steps.append(Change(self._inodes[inode], size=offset))
            case _:
                raise AssertionError(operation)

    def _open(self, path: str, inode: int, *, is_truncated: bool) -> None:
        folder, name = self._place(path)
        if name not in self._view[folder]:
            node = self._inodes[inode] = Node()
            self._rename(folder, (name, node))
        elif is_truncated:
            self.steps.append(Change(self._view[folder][name], size=0))

    def _place(self, path: str) -> tuple[Node, str]:
        *folders, name = path.split("/")
        folder = self._root
        for one in folders:
            folder = self._view[folder][one]
        return folder, name

    def _rename(self, folder: Node, *names: tuple[str, Node | None]) -> None:
        self.steps.append(Change(folder, names=names))
        for name, node in names:
            if node is None:
                self._view[folder].pop(name, None)
            else:
                self._view[folder][name] = node


def _apply(change: Change) -> None:
    node = change.node
    for name, target in change.names:
        if target is None:
            node.names.pop(name, None)
        else:
            node.names[name] = target
    if change.size is not None:
        del node.content[change.size :]
        node.content.extend(bytes(change.size - len(node.content)))
    if change.data is not None:
        node.content.extend(bytes(max(0, change.offset - len(node.content))))
        node.content[change.offset : change.offset + len(change.data)] = change.data


def _torn(change: Change, chance: random.Random) -> Change:
    """Return a change of which only some leading sectors reached the disk, now and then."""
    if change.data is None or chance.random() < 0.7:
        return change
    n_bytes = chance.randrange(len(change.data)) // SECTOR_BYTES * SECTOR_BYTES
    return Change(change.node, change.offset, change.data[:n_bytes])


def _snapshot(root: Path) -> tuple[Node, Start, dict[int, Node]]:
    """Return the tree of a folder, its nodes as they are, and its nodes by inode."""
    inodes: dict[int, Node] = {}
    start = []

    def take(path: Path) -> Node:
        inode = path.stat().st_ino
        if inode not in inodes:
            is_folder = path.is_dir()
            node = inodes[inode] = Node(
                is_folder, bytearray(b"" if is_folder else path.read_bytes())
            )
            if is_folder:
                node.names = {one.name: take(one) for one in sorted(path.iterdir())}
            start.append((node, bytes(node.content), dict(node.names)))
        return inodes[inode]

    return take(root), tuple(start), inodes


def _walk(folder: Node, at: str = "") -> Iterator[tuple[str, bytes | None]]:
    for name, node in sorted(folder.names.items()):
        path = f"{at}{name}"
        yield path, None if node.is_folder else bytes(node.content)
        if node.is_folder:
            yield from _walk(node, f"{path}/")


def _write(root: Node, target: Path) -> None:
    target.mkdir(mode=0o700)
    for path, content in _walk(root):
        if content is None:
            (target / path).mkdir(mode=0o700)
        else:
            (target / path).write_bytes(content)
            (target / path).chmod(0o600)
