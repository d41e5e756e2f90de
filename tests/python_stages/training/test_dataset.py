"""Lines become rows."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError, StageError
from python_stages.training.batches import Epochs, PoissonSample, parts
from python_stages.training.chat_format import encode_conversations
from python_stages.training.dataset import Dataset, read
from python_stages.training.privacy import Mechanism
from tests.python_stages.training.toy import ENCODE, line, lines


def rows_of(data: Dataset) -> list[tuple[int, ...]]:
    bounds = zip(data.starts[:-1], data.starts[1:], strict=True)
    return [tuple(data.tokens[start:end].tolist()) for start, end in bounds]


def owned(text: str, person: str | None) -> bytes:
    return line(text, "ok", metadata={} if person is None else {"subject": person})


def test_equal_rows_count_once_and_keep_their_order() -> None:
    given_lines = [line("b", "1"), line("a", "2"), line("b", "1"), line("b", "2")]
    data, counts = read(given_lines, ENCODE, deduplicate=True)
    assert rows_of(data) == rows_of(
        read([given_lines[i] for i in (0, 1, 3)], ENCODE, deduplicate=False)[0]
    )
    assert (counts.n_lines, counts.n_rows, counts.n_duplicates) == (4, 3, 1)


def test_rows_that_become_equal_when_cut_count_once() -> None:
    long = ["1" * 100 + middle + "1" * 100 for middle in "23"]
    data, counts = read(
        [line(text, "ok") for text in long],
        partial(encode_conversations, context=64),
        deduplicate=True,
    )
    assert (data.n_rows, counts.n_duplicates, counts.n_cut) == (1, 1, 1)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("pqr")), max_size=25))
@settings(max_examples=40)
def test_what_one_person_gives_changes_at_most_that_persons_rows(
    pairs: list[tuple[str, str]],
) -> None:
    most = 2
    options = {"deduplicate": True, "max_rows_per_person": most}
    everybody = set(rows_of(read([owned(*pair) for pair in pairs], ENCODE, **options)[0]))  # type: ignore[arg-type]  # options
    without = [owned(*pair) for pair in pairs if pair[1] != "p"]
    others = set(rows_of(read(without, ENCODE, **options)[0]))  # type: ignore[arg-type]  # options
    assert others <= everybody
    assert len(everybody - others) <= most


def test_a_person_keeps_no_more_rows_than_the_cap() -> None:
    data, counts = read(
        [owned(str(i), "p") for i in range(9)], ENCODE, deduplicate=True, max_rows_per_person=4
    )
    assert (data.n_rows, counts.n_over_cap) == (4, 5)


def test_a_cap_needs_every_row_to_name_its_person() -> None:
    with pytest.raises(ConfigError, match="subject"):
        read([owned("a", "p"), owned("b", None)], ENCODE, deduplicate=True, max_rows_per_person=1)


def test_every_line_is_counted_once() -> None:
    given_lines = [line("a", "b"), line("a", "b"), line("a", "1" * 300), b"\n"]
    _, counts = read(given_lines, ENCODE, deduplicate=True)
    assert (
        counts.n_lines
        == counts.n_rows + counts.n_duplicates + counts.n_over_cap + counts.n_too_long
    )
    assert counts.n_lines == 3


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"\xff\n",
        b"[]",
        b'{"messages": []}',
        b'{"messages": "secret"}',
        b'{"messages": ["secret"]}',
        b'{"messages": [{"role": "user", "content": "\\ud800secret"}]}',
    ],
)
def test_a_line_of_another_form_is_named_by_number_and_not_by_value(bad: bytes) -> None:
    with pytest.raises(StageError, match=r"lines? .*2") as caught:
        read([line("a", "b"), bad], ENCODE, deduplicate=False)
    assert "secret" not in str(caught.value)


def test_a_batch_holds_its_rows_right_aligned_with_every_target_in_the_window() -> None:
    texts = [line("a" * 3 * n, "1" * (n + 1)) for n in range(20)]
    data, _ = read(texts, ENCODE, deduplicate=False)
    for part in parts(data, np.arange(data.n_rows)):
        batch = data.batch(part.rows, part.layout, part.size)
        assert batch.is_example.sum() == len(part.rows)
        assert not batch.is_target[len(part.rows) :].any()
        for i, row in enumerate(part.rows):
            tokens = data.tokens[data.starts[row] : data.starts[row + 1]]
            is_target = data.is_target[data.starts[row] : data.starts[row + 1]]
            assert batch.tokens[i][batch.is_real[i]].tolist() == tokens[:-1].tolist()
            assert batch.targets[i][batch.is_target[i]].tolist() == tokens[is_target].tolist()
            assert batch.is_real[i, -1]


def test_there_are_few_layouts_whatever_the_lengths() -> None:
    texts = [line("1" * n, "1" * (n % 90 + 1)) for n in range(1, 150)]
    data, _ = read(texts, ENCODE, deduplicate=False)
    assert len(data.layouts) <= 3


def test_an_epoch_holds_every_row_once_in_another_order_each_time() -> None:
    data, _ = read(lines(50), ENCODE, deduplicate=False)
    epochs = Epochs(data, n_epochs=2, batch_size=8, seed=3)
    seen = [
        np.concatenate([epochs.rows(e * epochs.epoch_steps + i) for i in range(epochs.epoch_steps)])
        for e in (0, 1)
    ]
    assert all(Counter(rows.tolist()) == Counter(range(50)) for rows in seen)
    assert seen[0].tolist() != seen[1].tolist()


def test_a_private_step_computes_each_of_its_rows_once_and_rare_layouts_in_small_parts() -> None:
    texts = [line("q" * (n % 40), "1") for n in range(400)]
    texts += [line("q", "1" * 100 + str(n)) for n in range(12)]
    data, _ = read(texts, ENCODE, deduplicate=False)
    mechanism = Mechanism(1.0, 0.1, 20, 1.0, 1e-5, data.n_rows, None)
    schedule = PoissonSample(data, mechanism, b"secret")
    n_of_layout = np.bincount(data.layout_of)
    assert schedule.part_sizes[int(np.argmin(n_of_layout))] <= 4
    for step in range(20):
        rows = schedule.rows(step)
        cut = parts(data, rows, schedule.part_sizes)
        assert sorted(np.concatenate([part.rows for part in cut])) == sorted(rows)
        assert all(part.size >= len(part.rows) for part in cut)
