"""How long to look at a provider for what may have happened."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

SETTLE_SECONDS: Final = 60.0

_N_LOOKS: Final = 12

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Settling:
    """How long to look for what may have happened.

    Args:
        seconds: the settle window, longer than the provider takes to list what it accepted.
        clock: monotonic time in seconds.
        sleep: waits so many seconds.
    """

    seconds: float = SETTLE_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def look(self, find: Callable[[], tuple[_Found, ...]]) -> tuple[_Found, ...]:
        """Look until something is found or the window is over; at least once."""
        found: tuple[_Found, ...] = ()

        def is_found() -> bool:
            nonlocal found
            found = find()
            return bool(found)

        self.wait_for(is_found)
        return found

    def wait_for(self, is_so: Callable[[], bool]) -> bool:
        """Ask until it is so or the window is over; at least once; return the last answer."""
        end = self.clock() + self.seconds
        while not is_so():
            if self.clock() >= end:
                return False
            self.sleep(self.seconds / _N_LOOKS)
        return True
