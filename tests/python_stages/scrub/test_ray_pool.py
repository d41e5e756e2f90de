"""The pool on a Ray cluster of two nodes: nothing lost, nothing doubled, no plain text on disk."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pyarrow as pa
import pytest
from cryptography.exceptions import InvalidTag

from python_stages.errors import ConfigError
from python_stages.scrub import Policy, scrub
from python_stages.scrub.pool import executor
from python_stages.scrub.ray_pool import RayPool, Tunnel
from tests.python_stages.scrub.pool_work import CANARY, Chatter, Double

KEY = bytes(32)


# ── the tunnel ──


def test_both_ends_of_a_tunnel_understand_each_other() -> None:
    here, there = Tunnel(KEY, is_here=True), Tunnel(KEY, is_here=False)
    for number in range(3):
        message = f"{CANARY} {number}".encode()
        sealed = here.seal(message)
        assert CANARY.encode() not in sealed
        assert there.open(sealed) == message
        assert here.open(there.seal(message[::-1])) == message[::-1]


def test_a_message_opens_once_and_in_its_place_only() -> None:
    here, there = Tunnel(KEY, is_here=True), Tunnel(KEY, is_here=False)
    first, second = here.seal(b"first"), here.seal(b"second")
    assert there.open(first) == b"first"
    with pytest.raises(InvalidTag):
        there.open(first)
    with pytest.raises(InvalidTag):
        Tunnel(KEY, is_here=False).open(second)


def test_a_message_that_is_sent_back_does_not_open() -> None:
    here = Tunnel(KEY, is_here=True)
    with pytest.raises(InvalidTag):
        here.open(here.seal(b"message"))


# ── without Ray ──


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'sealtune\[ray\]'"):
        next(executor("ray").map([1], Double()))


# ── a cluster ──


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return Ray's folder: sockets lie in it, whose paths may have 107 bytes only."""
    with TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Any]:
    """Return a cluster of two nodes with one core each, on two loopback addresses."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else a warning
        # nodes write their files, and a full object store its objects, into this folder
        patch.setenv("RAY_TMPDIR", str(folder))
        started = patiently(two_nodes)
        try:
            yield started
        finally:
            started.shutdown()


def two_nodes() -> Any:
    """Start a cluster, with no trace left where a node does not come up."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415  # an optional extra, and slow

    node: dict[str, Any] = {
        "num_cpus": 1,
        "object_store_memory": 80 << 20,
        "include_dashboard": False,
        "include_log_monitor": False,
    }
    started = Cluster()
    try:
        started.add_node(**node, node_ip_address="127.0.0.2", no_monitor=True)
        started.add_node(**node, node_ip_address="127.0.0.3")
    except Exception:
        started.shutdown()  # type: ignore[no-untyped-call]  # it has no types
        raise
    return started


def patiently(start: Callable[[], Any]) -> Any:
    """Start anew where Ray gives up: it waits for 30 seconds, which a busy machine may exceed."""
    for _ in range(2):
        with suppress(Exception):
            return start()
    return start()


def actors() -> set[psutil.Process]:
    """Return the processes of our workers, on all nodes."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it may have ended since
            if process.name() == "ray::RayDesk":
                found.add(process)
    return found


def both_actors() -> list[psutil.Process]:
    """Wait until there are two."""
    end = time.monotonic() + 40
    while len(found := actors()) < 2:
        assert time.monotonic() < end, "no second worker has come"
        time.sleep(0.1)
    return sorted(found, key=lambda process: process.pid)


@pytest.fixture
def pool(cluster: Any) -> RayPool:
    return RayPool(cluster.address)


@pytest.mark.slow
def test_a_scrub_on_two_nodes_loses_nothing_when_a_worker_is_killed(pool: RayPool) -> None:
    policy = Policy.from_config({"text": {"entities": ["EMAIL_ADDRESS"]}})
    numbers = [range(start, start + 100) for start in range(0, 2_000, 100)]
    batches = [
        pa.RecordBatch.from_pydict({"text": [f"{n}: to c{n}@example.com" for n in some]})
        for some in numbers
    ]
    scrubbed: list[str | None] = []
    for batch in scrub(batches, policy, executor=pool):
        scrubbed += batch["text"].to_pylist()
        if len(scrubbed) == 300:
            one, other = both_actors()
            assert one.ppid() != other.ppid()  # one on each node
            one.kill()
    assert scrubbed == [f"{n}: to [EMAIL_ADDRESS]" for n in range(2_000)]
    assert not one.is_running()
    assert psutil.wait_procs({other, *actors()}, timeout=10)[1] == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc")
def test_neither_texts_nor_what_is_printed_lie_in_a_file_or_the_object_store(
    pool: RayPool, folder: Path
) -> None:
    texts = [f"{CANARY} {number} " * 100_000 for number in range(8)]
    for text, (twice, _) in zip(texts, pool.map(texts, Chatter()), strict=True):
        assert twice == 2 * text
    files = [path for path in folder.rglob("*") if path.is_file()]
    stores = list(object_stores())
    assert len(stores) == 2
    # what was freed is still there: megabytes of it, and none in plain
    assert all(store.stat().st_blocks * 512 > 2_000_000 for store in stores)
    for path in [*files, *stores]:
        assert CANARY.encode() not in path.read_bytes(), path


def object_stores() -> Iterator[Path]:
    """Yield the memory of the nodes' object stores, which are files without a name."""
    for process in psutil.Process().children(recursive=True):
        if process.name() == "raylet":
            opened = Path(f"/proc/{process.pid}/fd").iterdir()
            yield from (path for path in opened if "/plasma" in str(path.readlink()))


def test_a_cluster_that_is_not_there_is_an_error_with_a_hint() -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    with pytest.raises(ConfigError, match="no Ray cluster answers at"):
        next(RayPool("ray://127.0.0.2:9").map([1], Double()))
