"""What tests of the stage share: an engine, and patience where the machine is busy."""

import pytest
from hypothesis import settings

from python_stages.scrub import Engine
from tests.python_stages.scrub.engines import built

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Return an engine for identifiers; a file that needs another has its own."""
    return built("identifiers")
