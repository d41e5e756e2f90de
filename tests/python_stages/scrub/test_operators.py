"""Replacing: every finding by what its operator says, and nothing else."""

import time
from multiprocessing.pool import ThreadPool

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError, StageError
from python_stages.scrub.engine import Finding
from python_stages.scrub.operators import UNREADABLE, Replacer
from python_stages.scrub.policy import OPERATORS, Rule
from python_stages.scrub.pseudonym import Pseudonyms

KEY = bytes(range(32))
TEXT = "Alice Smith (alice.smith@acme.com), born 3/7/1980"
SPANS = (
    Finding("PERSON", 0, 11, 0.9),
    Finding("EMAIL_ADDRESS", 13, 33, 1.0),
    Finding("DATE_OF_BIRTH", 41, 49, 0.6),
)
replacer = Replacer(KEY, "orders")
ours = Pseudonyms(KEY, "orders")


def rule_of(operator: str) -> Rule:
    return Rule({span.entity: operator for span in SPANS})


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("placeholder", "[PERSON] ([EMAIL_ADDRESS]), born [DATE_OF_BIRTH]"),
        ("mask", "*********** (********************), born ********"),
        ("drop", " (), born "),
        ("generalise", "[PERSON] ([EMAIL_ADDRESS]), born 3/1980"),
        ("generalise:year", "[PERSON] ([EMAIL_ADDRESS]), born 1980"),
        (
            "pseudonym",
            " ".join(
                (
                    ours.tag("PERSON", "alice smith"),
                    f"({ours.tag('EMAIL_ADDRESS', 'alice.smith@acme.com')}), born",
                    ours.tag("DATE_OF_BIRTH", "3/7/1980"),
                )
            ),
        ),
    ],
)
def test_a_finding_becomes_what_its_operator_says(operator: str, expected: str) -> None:
    assert replacer.replace(TEXT, SPANS, rule_of(operator)) == (expected, 3)


def test_a_surrogate_address_fits_the_surrogate_name() -> None:
    made, n_replaced = replacer.replace(TEXT, SPANS, rule_of("surrogate"))
    first, last, address, *_ = made.split()
    assert n_replaced == 3
    assert address.startswith(f"({first}.{last}@example.".lower())


def test_every_entity_has_its_own_operator() -> None:
    rule = Rule({"PERSON": "mask", "EMAIL_ADDRESS": "drop", "DATE_OF_BIRTH": "generalise"})
    assert replacer.replace(TEXT, SPANS, rule)[0] == "*********** (), born 3/1980"


def test_what_only_a_deny_list_names_gets_the_default() -> None:
    made, _ = replacer.replace("Alice", [Finding("PERSON", 0, 5, 1.0)], Rule({}, default="mask"))
    assert made == "*****"


def test_the_locale_of_the_rule_is_used() -> None:
    spans = [Finding("DATE_TIME", 0, 8, 1.0)]
    german = Rule({"DATE_TIME": "generalise"}, locale="de_DE")
    assert replacer.replace("3/7/1980", spans, german)[0] == "7/1980"


@pytest.mark.parametrize("between", ["", " ", "  "])
def test_neighbours_stay_two(between: str) -> None:
    spans = [Finding("PERSON", 0, 5, 0.9), Finding("PERSON", 5 + len(between), 8 + len(between), 1)]
    made, n_replaced = replacer.replace(f"Alice{between}Bob", spans, Rule({"PERSON": "pseudonym"}))
    assert made == f"{ours.tag('PERSON', 'Alice')}{between}{ours.tag('PERSON', 'Bob')}"
    assert n_replaced == 2


def test_the_order_of_the_findings_does_not_matter() -> None:
    rule = rule_of("pseudonym")
    assert replacer.replace(TEXT, SPANS[::-1], rule) == replacer.replace(TEXT, SPANS, rule)


def test_nothing_found_leaves_the_text() -> None:
    assert replacer.replace(TEXT, [], rule_of("mask")) == (TEXT, 0)


@pytest.mark.parametrize("operator", OPERATORS[1:])
def test_an_unreadable_text_is_replaced_whole(operator: str) -> None:
    text = "Alice \ud800"
    spans = [Finding(UNREADABLE, 0, len(text), 1.0)]
    assert replacer.replace(text, spans, rule_of(operator)) == ("[UNREADABLE]", 1)


@pytest.mark.parametrize(
    "spans",
    [
        [Finding("PERSON", 0, 5, 0.9), Finding("PERSON", 4, 8, 0.9)],
        [Finding("PERSON", 0, 99, 0.9)],
        [Finding("PERSON", -1, 3, 0.9)],
        [Finding("PERSON", 5, 3, 0.9)],
    ],
)
def test_findings_that_overlap_or_leave_the_text_stop_the_stage(spans: list[Finding]) -> None:
    with pytest.raises(StageError, match="overlap or leave") as caught:
        replacer.replace("Alice Smith", spans, rule_of("mask"))
    assert "Alice" not in str(caught.value)


@pytest.mark.parametrize("operator", ["pseudonym", "surrogate"])
def test_what_needs_a_key_is_refused_without_one(operator: str) -> None:
    with pytest.raises(ConfigError, match="need a key"):
        Replacer().replace(TEXT, SPANS, rule_of(operator))


def test_what_needs_no_key_works_without_one() -> None:
    assert Replacer().replace(TEXT, SPANS, rule_of("mask"))[1] == 3


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.text(max_size=5), st.text(min_size=1, max_size=8)), max_size=70),
    st.sampled_from(OPERATORS[1:]),
)
def test_what_stands_between_findings_stays(pieces: list[tuple[str, str]], operator: str) -> None:
    text, spans, expected = "", [], ""
    rule = Rule({"PERSON": operator})
    for kept, found in pieces:
        text += kept
        spans.append(Finding("PERSON", len(text), len(text) + len(found), 0.9))
        text += found
        alone = [Finding("PERSON", 0, len(found), 0.9)]
        expected += kept + replacer.replace(found, alone, rule)[0]
    assert replacer.replace(text, spans, rule) == (expected, len(pieces))


def test_threads_replace_alike() -> None:
    fresh = Replacer(KEY, "orders")
    rules = [rule_of(operator) for operator in OPERATORS[1:]] * 5
    with ThreadPool(8) as pool:
        made = pool.map(lambda rule: fresh.replace(TEXT, SPANS, rule), rules)
    assert made == [replacer.replace(TEXT, SPANS, rule) for rule in rules]


def test_pseudonyms_and_surrogates_are_told_when_asked_for() -> None:
    told: list[tuple[str, str, str]] = []
    recording = Replacer(KEY, "orders", record=lambda *one: told.append(one))
    rule = Rule({"PERSON": "pseudonym", "EMAIL_ADDRESS": "surrogate", "DATE_OF_BIRTH": "mask"})
    made, _ = recording.replace(TEXT, SPANS, rule)
    assert {value for _, _, value in told} == {"Alice Smith", "alice.smith@acme.com"}
    assert all(pseudonym in made for _, pseudonym, _ in told)


def test_time_grows_with_the_text_and_no_faster() -> None:
    def seconds(n_times: int) -> float:
        spans = [
            Finding(one.entity, one.start + i * len(TEXT), one.end + i * len(TEXT), one.score)
            for i in range(n_times)
            for one in SPANS
        ]
        started = time.process_time()
        replacer.replace(TEXT * n_times, spans, rule_of("mask"))
        return time.process_time() - started

    seconds(10)
    assert seconds(4000) < 40 * seconds(400) + 0.5
