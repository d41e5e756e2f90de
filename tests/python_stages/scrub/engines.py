"""Engines that tests share: one takes as long to build as a test takes to run."""

from functools import cache

from python_stages.scrub.engine import Engine

_REAL = Engine  # a test may put another in its place


@cache
def built(*entities: str, ner: str | None = None) -> Engine:
    """Return the engine for entities or groups, built once for all tests of a process."""
    return _REAL(entities, ner=ner)
