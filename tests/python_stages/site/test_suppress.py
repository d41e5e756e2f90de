"""Small counts do not show, and subtraction does not give them back."""

from hypothesis import given
from hypothesis import strategies as st

from python_stages.site.suppress import SMALL, alone, suppress

families = st.lists(st.integers(min_value=0, max_value=40), max_size=12)


@given(families)
def test_no_small_count_is_shown(counts: list[int]) -> None:
    assert all(n is None or n == 0 or n >= SMALL for n in suppress(counts))


@given(families)
def test_what_is_shown_is_true(counts: list[int]) -> None:
    shown = suppress(counts)
    assert len(shown) == len(counts)
    assert all(n is None or n == true for n, true in zip(shown, counts, strict=True))


@given(families)
def test_the_total_less_what_is_shown_is_no_small_count(counts: list[int]) -> None:
    rest = sum(counts) - sum(n or 0 for n in suppress(counts))
    assert rest == 0 or rest >= SMALL or sum(counts) < SMALL


def test_a_family_without_small_counts_is_shown_whole() -> None:
    assert suppress([0, 5, 90]) == (0, 5, 90)


def test_the_next_smallest_goes_with_a_single_small_count() -> None:
    assert suppress([3, 90, 7]) == (None, 90, None)


def test_a_count_without_a_shown_total_stands_for_itself() -> None:
    assert [alone(n) for n in (0, 1, SMALL - 1, SMALL)] == [0, None, None, SMALL]
