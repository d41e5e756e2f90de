"""What tests of the stage share: an engine."""

import pytest

from python_stages.scrub import Engine
from tests.python_stages.scrub.engines import built


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Return an engine for identifiers; a file that needs another has its own."""
    return built("identifiers")
