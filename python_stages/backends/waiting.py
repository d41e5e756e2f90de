"""Waiting for something at a provider: ask, sleep, ask again, give up in the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait, and how often to ask.

    Args:
        seconds: longest wait.
        every_seconds: pause between two questions.
        clock: monotonic time in seconds.
        sleep: waits so many seconds.
    """

    seconds: float
    every_seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, is_so: Callable[[], bool]) -> bool:
        """Ask until it is so or the time is over; at least once; return the last answer."""
        end = self.clock() + self.seconds
        while not is_so():
            if self.clock() >= end:
                return False
            self.sleep(self.every_seconds)
        return True
