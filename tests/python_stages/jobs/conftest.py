"""A world for the tests of jobs."""

from collections.abc import Iterator

import pytest

from python_stages.backends.compatible import CompatibleBackend
from tests.python_stages.backends.loopback_api import API_KEY, LoopbackApi, serve
from tests.python_stages.jobs.world import World, new_world


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LoopbackApi, CompatibleBackend]]:
    """One server and one client for all tests: making a client costs more than a submission."""
    with serve() as api:
        backend = CompatibleBackend(api.base_url, api_key=API_KEY, timeout_seconds=0.5)
        yield api, backend
        backend.close()


@pytest.fixture
def world(served: tuple[LoopbackApi, CompatibleBackend]) -> Iterator[World]:
    with new_world(served) as world:
        yield world
