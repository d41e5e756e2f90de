"""A training that begins with weights that another one published."""

import pytest

from python_stages.errors import ConfigError, StageError
from python_stages.training import MemoryStorage, Start, TrainResult, TrainSettings, train
from tests.python_stages.training.toy import Watcher, finished, lines

BEFORE = TrainSettings(preset="pico", n_epochs=16, batch_size=16, seed=5)
AFTER = TrainSettings(preset="pico", n_epochs=2, batch_size=16, seed=6)
ROWS, MORE = lines(48), lines(96)


@pytest.fixture(scope="module")
def start() -> Start:
    storage = MemoryStorage()
    result = finished(train(BEFORE, ROWS, storage=storage))
    return Start(storage, result.final_checkpoint)


def go_on(
    start: Start | None, storage: MemoryStorage, watcher: Watcher | None = None
) -> TrainResult | None:
    watcher = watcher or Watcher()
    return train(
        AFTER,
        MORE,
        storage=storage,
        on_event=watcher.on_event,
        should_stop=watcher.should_stop,
        start=start,
    )


def test_it_begins_with_what_was_learned(start: Start) -> None:
    fresh, later = Watcher(), Watcher()
    go_on(None, MemoryStorage(), fresh)
    go_on(start, MemoryStorage(), later)
    assert fresh.events[0].train_loss is not None
    assert later.events[0].train_loss is not None
    assert later.events[0].train_loss < fresh.events[0].train_loss / 3


def test_it_leaves_the_weights_that_it_began_with_as_they_were(start: Start) -> None:
    before = start.storage.read(start.name)
    go_on(start, MemoryStorage())
    assert start.storage.read(start.name) == before


def test_paused_and_resumed_it_is_the_uninterrupted_one(start: Start) -> None:
    whole, pieces = MemoryStorage(), MemoryStorage()
    result = finished(go_on(start, whole))
    assert go_on(start, pieces, Watcher("pause", after=[3])) is None
    again = finished(go_on(start, pieces))
    assert whole.read(result.final_checkpoint) == pieces.read(again.final_checkpoint)


def test_it_does_not_go_on_with_the_state_of_a_training_that_began_otherwise(start: Start) -> None:
    storage = MemoryStorage()
    assert go_on(None, storage, Watcher("pause", after=[3])) is None
    with pytest.raises(ConfigError, match="other settings, another seed or other rows"):
        go_on(start, storage)


def test_weights_of_other_sizes_and_none_at_all_are_refused(start: Start) -> None:
    other = TrainSettings(preset="nano", n_epochs=1)
    with pytest.raises(ConfigError, match="other sizes"):
        train(other, ROWS, storage=MemoryStorage(), start=start)
    with pytest.raises(StageError, match="there is no checkpoint"):
        go_on(Start(MemoryStorage(), "step-000001.safetensors"), MemoryStorage())


def test_with_epsilon_it_is_refused_before_a_row_is_read(start: Start) -> None:
    private = TrainSettings(preset="pico", n_epochs=1, epsilon=4.0)
    rows = iter(lines(120))
    with pytest.raises(ConfigError, match="loses as much privacy as both"):
        train(private, rows, storage=MemoryStorage(), start=start)
    assert next(rows, None) is not None
