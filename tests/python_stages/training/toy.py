"""Small things to train on: colours of numbered boxes."""

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from python_stages.training import (
    MemoryStorage,
    TrainEvent,
    TrainResult,
    TrainSettings,
    train,
)
from python_stages.training.chat_format import encode_conversations

ENCODE = partial(encode_conversations, context=256)
COLOURS = ("red", "green", "blue")


def message(role: str, content: str, **others: object) -> dict[str, Any]:
    return {"role": role, "content": content, **others}


def line(user: str, assistant: str, **others: object) -> bytes:
    messages = [message("user", user), message("assistant", assistant)]
    return json.dumps({"messages": messages, **others}).encode()


def lines(n: int, first: int = 0) -> list[bytes]:
    """Return boxes whose colour follows from their number."""
    return [line(f"box {i}?", COLOURS[i % 3]) for i in range(first, first + n)]


class Watcher:
    """Collects events, and wishes for something after a step."""

    def __init__(self, wish: Any = None, after: Iterable[int] = ()) -> None:
        self.events: list[TrainEvent] = []
        self._wish = wish
        self._after = set(after)

    def on_event(self, event: TrainEvent) -> None:
        """Keep an event."""
        self.events.append(event)

    def should_stop(self) -> Any:
        """Return the wish, after its steps."""
        return self._wish if self.events[-1].step in self._after else None


def run(
    settings: TrainSettings,
    rows: Sequence[bytes],
    *,
    validation: Sequence[bytes] | None = None,
    storage: MemoryStorage | None = None,
    watcher: Watcher | None = None,
    resume: bool = True,
) -> tuple[TrainResult | None, MemoryStorage]:
    storage = MemoryStorage() if storage is None else storage
    watcher = watcher or Watcher()
    result = train(
        settings,
        rows,
        validation,
        storage=storage,
        on_event=watcher.on_event,
        should_stop=watcher.should_stop,
        resume=resume,
    )
    return result, storage


def finished(result: TrainResult | None) -> TrainResult:
    assert result is not None
    return result
