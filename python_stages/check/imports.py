"""Import Great Expectations in little more than half its time.

It imports altair and scipy.stats for one expectation (the Kullback-Leibler divergence) that no
suite here uses: a third of its seconds. Stand-ins take their place while it loads, and become the
real modules if anything ever asks them for a name; so nothing is lost, only postponed. The garbage
collector pauses meanwhile: it would walk the half-million objects that stay, again and again.
"""

import gc
import importlib
import sys
import threading
import warnings
from types import ModuleType
from typing import Any

_POSTPONED = ("altair", "scipy.stats")
_LOCK = threading.Lock()


class _Postponed(ModuleType):
    """A module that is imported when the first name in it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def import_great_expectations() -> Any:
    """Import Great Expectations and register our own expectations; return its top module."""
    with _LOCK:
        if "great_expectations" not in sys.modules:
            stand_ins = [_Postponed(name) for name in _POSTPONED if name not in sys.modules]
            sys.modules.update({module.__name__: module for module in stand_ins})
            is_collecting = gc.isenabled()
            gc.disable()
            try:
                with warnings.catch_warnings():
                    # It imports sre_constants, which Python has deprecated since 3.11.
                    warnings.filterwarnings("ignore", "module 'sre_", DeprecationWarning)
                    importlib.import_module("great_expectations")
            finally:
                if is_collecting:
                    gc.enable()
                for module in stand_ins:
                    if sys.modules.get(module.__name__) is module:
                        del sys.modules[module.__name__]
        importlib.import_module("python_stages.check.expectations")
        return sys.modules["great_expectations"]
