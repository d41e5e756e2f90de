"""Training, end to end, on toys."""

import csv
import io
import json

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays

from python_stages.errors import ConfigError, StageError
from python_stages.training import (
    FolderStorage,
    MemoryStorage,
    TrainResult,
    TrainSettings,
    load,
)
from python_stages.training.results import METRIC_COLUMNS
from tests.python_stages.training.toy import Watcher, finished, line, lines, run

PLAIN = TrainSettings(preset="pico", n_epochs=2, batch_size=16, seed=5)
PRIVATE = TrainSettings(preset="pico", n_epochs=2, batch_size=40, epsilon=4.0)
ROWS = lines(48)
PRIVATE_ROWS = lines(120)


@pytest.fixture(scope="module")
def plain() -> tuple[TrainResult, MemoryStorage, Watcher]:
    watcher = Watcher()
    result, storage = run(PLAIN, ROWS, validation=lines(12, first=900), watcher=watcher)
    return finished(result), storage, watcher


@pytest.fixture(scope="module")
def private() -> tuple[TrainResult, MemoryStorage, Watcher]:
    watcher = Watcher()
    result, storage = run(
        PRIVATE, [*PRIVATE_ROWS, *PRIVATE_ROWS[:30]], validation=lines(12, 900), watcher=watcher
    )
    return finished(result), storage, watcher


def weights(result: TrainResult, storage: MemoryStorage) -> dict[str, np.ndarray]:
    return load_arrays(storage.read(result.final_checkpoint))


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one | other)


def copied(storage: MemoryStorage) -> MemoryStorage:
    copy = MemoryStorage()
    for name in storage.names():
        copy.write(name, storage.read(name))
    return copy


def test_the_same_rows_and_seed_give_the_same_weights(
    plain: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, storage, _ = plain
    again, other = run(PLAIN, ROWS, validation=lines(12, first=900))
    assert same(weights(result, storage), weights(finished(again), other))


def test_a_training_paused_after_every_step_is_the_uninterrupted_one(
    plain: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, storage, _ = plain
    other = MemoryStorage()
    found = None
    while found is None:
        watcher = Watcher("pause", after=range(100))
        found, _ = run(PLAIN, ROWS, validation=lines(12, first=900), storage=other, watcher=watcher)
        assert len(watcher.events) == 1
    assert same(weights(result, storage), weights(found, other))
    assert found == result


def test_a_private_training_goes_on_with_the_same_rows_and_noise() -> None:
    storage = MemoryStorage()
    run(PRIVATE, PRIVATE_ROWS, storage=storage, watcher=Watcher("pause", after=[2]))
    other = copied(storage)
    straight, _ = run(PRIVATE, PRIVATE_ROWS, storage=storage)
    found = None
    while found is None:
        found, _ = run(
            PRIVATE, PRIVATE_ROWS, storage=other, watcher=Watcher("pause", after=range(100))
        )
    assert same(weights(finished(straight), storage), weights(found, other))


def test_a_finished_training_is_not_made_again(
    plain: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, storage, _ = plain
    watcher = Watcher()
    again, _ = run(
        PLAIN, ROWS, validation=lines(12, first=900), storage=copied(storage), watcher=watcher
    )
    assert (again, watcher.events) == (result, [])


@pytest.mark.parametrize("other", [{"seed": 6}, {"n_epochs": 3}, {"learning_rate_multiplier": 2.0}])
def test_another_training_does_not_go_on_from_a_state(
    plain: tuple[TrainResult, MemoryStorage, Watcher], other: dict[str, int]
) -> None:
    changed = TrainSettings.from_json(PLAIN.to_json() | other)
    with pytest.raises(ConfigError, match="seed"):
        run(changed, ROWS, validation=lines(12, first=900), storage=copied(plain[1]))


def test_other_rows_do_not_go_on_from_a_state(
    private: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    with pytest.raises(ConfigError, match="rows"):
        run(PRIVATE, lines(121), storage=copied(private[1]))


def test_a_stopped_training_leaves_no_state() -> None:
    result, storage = run(PLAIN, ROWS, watcher=Watcher("stop", after=[1]))
    assert (result, storage.names()) == (None, ())


def test_every_step_is_told_with_its_loss_and_the_time_left(
    plain: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, _, watcher = plain
    assert [event.step for event in watcher.events] == list(range(1, result.n_steps + 1))
    losses = [event.train_loss for event in watcher.events]
    assert all(loss is not None for loss in losses)
    assert losses[-1] < losses[0]  # type: ignore[operator]  # none is null
    assert watcher.events[-1].eta_seconds == 0
    assert watcher.events[-1].valid_loss is not None


def test_the_result_file_has_the_columns_of_the_api(
    plain: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, _, watcher = plain
    rows = list(csv.DictReader(io.StringIO(result.metrics_csv.decode())))
    assert tuple(rows[0]) == METRIC_COLUMNS
    assert [int(row["step"]) for row in rows] == [event.step for event in watcher.events]
    assert rows[0]["valid_loss"] == ""
    assert float(rows[-1]["valid_loss"]) > 0
    assert all(0 <= float(row["train_accuracy"]) <= 1 for row in rows)


def test_checkpoints_are_in_the_storage_and_the_final_one_is_last(
    plain: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, storage, _ = plain
    assert result.checkpoints[-1].name == result.final_checkpoint
    assert [c.is_final for c in result.checkpoints] == [False, True]
    assert {c.name for c in result.checkpoints} < set(storage.names())
    assert result.n_trained_tokens is not None
    assert result.n_trained_tokens > 48 * 2 * 5


def test_early_stopping_keeps_the_best_weights() -> None:
    # what holds in training is false in validation: the loss there rises before long
    wrong = [line(f"box {i}?", "yellow") for i in range(12)]
    settings = TrainSettings(
        preset="pico", n_epochs=40, batch_size=16, learning_rate_multiplier=3.0
    )
    watcher = Watcher()
    result, storage = run(settings, ROWS, validation=wrong, watcher=watcher)
    result = finished(result)
    valid = {e.step: e.valid_loss for e in watcher.events if e.valid_loss is not None}
    assert result.n_steps < 120
    assert valid[result.checkpoints[-1].step] == min(valid.values())
    assert result.final_checkpoint in storage.names()


def test_a_private_training_publishes_weights_and_nothing_else(
    private: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, storage, watcher = private
    assert result.metrics_csv.decode() == ",".join(METRIC_COLUMNS) + "\n"
    assert result.counts is None
    assert result.n_trained_tokens is None
    assert all(
        (e.train_loss, e.valid_loss, e.valid_token_accuracy) == (None,) * 3 for e in watcher.events
    )
    assert [c.name for c in result.checkpoints] == [result.final_checkpoint]
    assert [name for name in storage.names() if name.startswith("step-")] == [
        result.final_checkpoint
    ]


def test_a_private_training_reports_its_guarantee_over_different_rows(
    private: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    report = private[0].privacy
    assert report is not None
    assert 3.9 < report.epsilon <= 4.0
    assert report.n_rows == 120
    assert report.n_steps == private[0].n_steps == 6


def test_the_secret_of_a_private_training_is_in_no_checkpoint_and_gone_at_the_end(
    private: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    storage = MemoryStorage()
    run(PRIVATE, PRIVATE_ROWS, storage=storage, watcher=Watcher("pause", after=[1]))
    (name,) = storage.names()
    header = storage.read(name)[8:]
    assert b'\\"secret\\": \\"' in header
    assert not any(b'\\"secret\\": \\"' in private[1].read(n) for n in private[1].names())


def test_two_private_trainings_draw_other_noise(
    private: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    result, storage, _ = private
    again, other = run(PRIVATE, PRIVATE_ROWS)
    assert not same(weights(result, storage), weights(finished(again), other))


def test_a_checkpoint_holds_arrays_and_sizes_and_no_text_of_a_row(
    plain: tuple[TrainResult, MemoryStorage, Watcher],
) -> None:
    data = plain[1].read(plain[0].final_checkpoint)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert set(header["__metadata__"]) == {
        "format",
        "n_layers",
        "d_model",
        "n_heads",
        "d_ff",
        "context",
        "n_tokens",
    }
    assert not any(b"box" in plain[1].read(name) for name in plain[1].names())


@pytest.fixture
def broken(plain: tuple[TrainResult, MemoryStorage, Watcher]) -> MemoryStorage:
    storage = copied(plain[1])
    data = storage.read(plain[0].final_checkpoint)
    storage.write("cut.safetensors", data[: len(data) // 2])
    storage.write("other.safetensors", b"\x80\x04cos\nsystem\n")
    return storage


@pytest.mark.parametrize("name", ["cut.safetensors", "other.safetensors", "none.safetensors"])
def test_what_is_no_checkpoint_is_refused(broken: MemoryStorage, name: str) -> None:
    with pytest.raises(StageError, match="checkpoint"):
        load(broken, name)


def test_a_folder_keeps_what_memory_keeps(tmp_path_factory: pytest.TempPathFactory) -> None:
    storage = FolderStorage(tmp_path_factory.mktemp("kept"))
    storage.write("a", b"1")
    storage.write("a", b"2")
    storage.write("b", b"3")
    storage.delete("b")
    storage.delete("c")
    assert (storage.names(), storage.read("a")) == (("a",), b"2")


def test_rows_too_long_are_told_of_and_their_answers_are_whole() -> None:
    long = [line("7" * 600, "red"), line("box?", "8" * 600)]
    watcher = Watcher()
    result, _ = run(PLAIN, [*ROWS, *long], watcher=watcher)
    (note,) = [event.note for event in watcher.events if event.note]
    assert "1 lost the middle" in note
    assert "1 were left out" in note
    counts = finished(result).counts
    assert counts is not None
    assert (counts.n_cut, counts.n_too_long) == (1, 1)


def test_a_private_training_counts_them_with_noise_that_epsilon_includes() -> None:
    many = [line(f"{i:03}" * 300, "red") for i in range(300)]
    settings = TrainSettings(preset="pico", n_epochs=1, batch_size=100, epsilon=50.0)
    watcher = Watcher()
    result, _ = run(settings, [*PRIVATE_ROWS, *many], watcher=watcher)
    report = finished(result).privacy
    assert report is not None
    assert report.n_cut is not None
    assert 200 < report.n_cut < 400
    assert report.counts_epsilon == pytest.approx(0.5)
    assert 0.9 * 50 < report.epsilon <= 50
    assert any("hold noise" in (event.note or "") for event in watcher.events)
