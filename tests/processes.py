"""Processes that a test starts to kill them."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

# A server that imported nothing else forks them: the process of the tests may have threads
# (JAX's, once a test of the trainer ran in it) and must not be forked.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["hypothesis", "pytest", "python_stages.keys", "python_stages.seal"]
)


def start(target: Callable[..., None], *args: object) -> BaseProcess:
    """Start a process and return it when the target is about to run."""
    ready = _CONTEXT.Event()
    process = _CONTEXT.Process(target=_run, args=(ready, target, args))
    process.start()
    if not ready.wait(60):
        process.kill()
        raise TimeoutError("the process did not come to its target within 60 s")
    return process


def _run(ready: Event, target: Callable[..., None], args: tuple[object, ...]) -> None:
    ready.set()
    target(*args)
