"""Processes that a test starts to kill them, or to have dbt without the seconds that it imports.

A process of the tests may have threads (JAX's, once a test of the trainer ran in it) and must not
be forked. A server that has none forks instead; Python keeps one for all, so that what it loads
beforehand stands here, once.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

CONTEXT = multiprocessing.get_context("forkserver")
_LOADED = ("hypothesis", "pytest", "python_stages.keys", "python_stages.seal")
CONTEXT.set_forkserver_preload([*_LOADED, "tests.e2e.preload", "tests.e2e.warm"])


def start(target: Callable[..., None], *args: object) -> BaseProcess:
    """Start a process and return it when the target is about to run."""
    ready = CONTEXT.Event()
    process = CONTEXT.Process(target=_run, args=(ready, target, args))
    process.start()
    if not ready.wait(60):
        process.kill()
        raise TimeoutError("the process did not come to its target within 60 s")
    return process


def _run(ready: Event, target: Callable[..., None], args: tuple[object, ...]) -> None:
    ready.set()
    target(*args)
