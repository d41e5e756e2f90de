"""Which code it is: what has to be the same for the same input to give the same output again."""

import hashlib
import platform
import unicodedata
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def hash_code(
    folder: Path,
    *,
    besides: Iterable[Path] = (),
    ignored: Iterable[str] = (),
    libraries: Iterable[str] = (),
) -> str:
    """Return the hex SHA-256 of every file of a package, and of what is below.

    Any change counts, of a comment too: better to do the work once more than to keep what better
    code would have found.

    Args:
        folder: of the package.
        besides: files of other packages beside it.
        ignored: names of files and folders that do not matter.
        libraries: distributions whose version matters, as Python's does.
    """
    digest = hashlib.sha256()
    left_out = {"__pycache__", *ignored}
    for path in [*sorted(folder.rglob("*")), *besides]:
        name = path.relative_to(folder.parent)
        if path.is_file() and left_out.isdisjoint(name.parts):
            content = path.read_bytes()
            digest.update(f"{name.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    for library in libraries:
        digest.update(f"{library}\0{_version(library)}\0".encode())
    digest.update(f"{platform.python_version()}\0{unicodedata.unidata_version}".encode())
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
