"""How long to look at a provider for what may have happened."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self, TypeVar

SETTLE_SECONDS: Final = 60.0

_N_LOOKS: Final = 12

_Found = TypeVar("_Found")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settling:
    """How long to look for what may have happened.

    Args:
        seconds: the settle window, longer than the provider takes to list what it accepted.
        clock: monotonic time in seconds.
        sleep: waits so many seconds.
        now: the time of day, UTC.
    """

    seconds: float = SETTLE_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _utc_now

    def end(self) -> str:
        """Return when a window that opens now is over, ISO 8601."""
        return (self.now() + timedelta(seconds=self.seconds)).isoformat(timespec="milliseconds")

    def until(self, end: str | None) -> Self:
        """Return what is left of a window that is over at `end`; all of it where that is None.

        Never more than the window, so that a clock that was set back costs no more than that.
        """
        if end is None:
            return self
        left = (datetime.fromisoformat(end) - self.now()).total_seconds()
        return replace(self, seconds=min(self.seconds, max(0.0, left)))

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
