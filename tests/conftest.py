"""What all tests share: patience, since a busy machine is slow and nothing wrong with it.

And what JAX compiled: trainings of many tests, each in a process of its own, run the same programs.
"""

import os
import tempfile

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Give all workers, and the processes that they start, one folder of compiled programs."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # the workers inherit it
        folder = tempfile.TemporaryDirectory(prefix="compiled-", ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        os.environ |= {
            "JAX_COMPILATION_CACHE_DIR": folder.name,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
