"""What a provider's events become: numbers of known names, and no prose."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.backends.answers import job_event
from tests.python_stages.backends.specs import CANARY
from tests.python_stages.backends.stand_in import event


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ({}, ("message", None, None, None, None)),
        (
            {
                "type": "metrics",
                "data": {"step": 3, "total_steps": 9, "train_loss": 0.5, "valid_loss": 0.75},
            },
            ("metrics", 3, 9, 0.5, 0.75),
        ),
        (
            {"message": "Step 12/300: training loss=1.10, validation loss=1.25"},
            ("metrics", 12, 300, 1.1, 1.25),
        ),
        (
            {"message": "Step 12: training loss=1e-3, full validation loss=2.00"},
            ("metrics", 12, None, 0.001, None),
        ),
        ({"message": "Checkpoint created at step 4"}, ("checkpoint", None, None, None, None)),
        (
            {"data": {"step": True, "train_loss": "NaN", "valid_loss": [CANARY]}},
            ("message", None, None, None, None),
        ),
    ],
)
def test_an_event_keeps_numbers_and_no_prose(
    given: dict[str, Any], numbers: tuple[Any, ...]
) -> None:
    message = given.pop("message", f"Line 3 is bad: {CANARY}")
    read = job_event(SimpleNamespace(**event(1, message=message, **given)))
    assert (read.kind, read.step, read.n_steps, read.train_loss, read.valid_loss) == numbers
    assert read.at == datetime.fromtimestamp(1_700_000_001, UTC)
    assert CANARY not in repr(read)


@given(
    st.dictionaries(
        st.sampled_from(["step", "total_steps", "train_loss", "valid_loss"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    ),
    st.text(max_size=60),
)
def test_whatever_an_event_says_it_is_read_and_never_quoted(
    data: dict[str, Any], message: str
) -> None:
    read = job_event(SimpleNamespace(**event(1, data=data, message=f"{message}{CANARY}{message}")))
    assert CANARY not in repr(read)
    assert read.train_loss is None or isinstance(read.train_loss, float)
