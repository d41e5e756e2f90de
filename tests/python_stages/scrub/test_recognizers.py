"""What each recogniser finds, what it leaves alone, and that neither takes long on any text.

The examples stand in recognizer_examples.py.
"""

import csv
import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
import regex  # type: ignore[import-untyped]  # it ships no types
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python_stages.generate import generate_transactions
from python_stages.render import RenderSpec, render
from python_stages.scrub import presidio, recognizers
from python_stages.scrub.recognizers import (
    ENTITIES,
    GATES,
    GROUPS,
    IDENTIFIERS,
    NER_ENTITIES,
    dates,
    places,
)
from python_stages.scrub.recognizers.shapes import choice
from tests.python_stages.scrub.recognizer_examples import HITS
from tests.python_stages.scrub.recognizer_near_misses import HOSTILE, NEAR_MISSES

MIN_SCORE = 0.4
SLOW = settings(max_examples=40, suppress_health_check=list(HealthCheck))

N_HOSTILE = 8_000
SECONDS_ALLOWED = 0.5  # linear takes 0.05; quadratic takes a second and more, in every try
N_TRIES = 4


@pytest.fixture(scope="module")
def analyzer() -> Any:
    return presidio.analyzer(sorted(ENTITIES), presidio.word_splitter())


@pytest.fixture(scope="module")
def built(analyzer: Any) -> list[Any]:
    searchers: list[Any] = analyzer.registry.recognizers
    return searchers


def found(analyzer: Any, text: str) -> set[tuple[str, str]]:
    """Return what stands on its own: entities and what they were found for."""
    results = analyzer.analyze(text, "en")
    return {
        (result.entity_type, text[result.start : result.end])
        for result in results
        if result.score >= MIN_SCORE
    }


@pytest.mark.parametrize(
    ("entity", "example"),
    [(entity, example) for entity, examples in HITS.items() for example in examples],
)
def test_it_is_found_as_people_write_it(analyzer: Any, entity: str, example: str) -> None:
    match = re.search("«(.*)»", example, re.DOTALL)
    value = match[1] if match else example
    text = example.replace("«", "").replace("»", "")
    assert (entity, value) in found(analyzer, text)


def test_a_date_after_a_word_for_a_telephone_is_a_date(analyzer: Any) -> None:
    assert found(analyzer, "mobile 2024-10-09 12:30") == {("DATE_TIME", "2024-10-09 12:30")}


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_ordinary_text_is_left_alone(analyzer: Any, text: str) -> None:
    assert found(analyzer, text.replace("\\n", "\n")) == set()


def test_every_entity_has_a_recogniser_and_every_recogniser_one_entity(built: list[Any]) -> None:
    assert {len(searcher.supported_entities) for searcher in built} == {1}
    assert {searcher.supported_entities[0] for searcher in built} == ENTITIES


def test_a_recogniser_is_built_for_what_is_asked_alone() -> None:
    assert {r.supported_entities[0] for r in recognizers.build(["TITLE", "AGE"])} == {
        "AGE",
        "TITLE",
    }


def test_groups_name_known_entities_in_order_and_once() -> None:
    for entities in GROUPS.values():
        assert set(entities) <= ENTITIES
        assert list(entities) == sorted(set(entities)) or entities == GROUPS["names"]


def test_all_is_everything() -> None:
    assert set(GROUPS["all"]) == ENTITIES
    assert set(NER_ENTITIES) <= ENTITIES


def test_no_gate_stands_before_what_the_language_model_finds() -> None:
    assert not set(GATES) & set(NER_ENTITIES)


def test_nothing_that_is_no_personal_data_by_itself_is_an_identifier() -> None:
    kept = {"URL", "DOMAIN_NAME", "DATE_TIME", "ZIP_CODE", "UK_POSTCODE", *NER_ENTITIES}
    assert not kept & set(IDENTIFIERS)


pieces = st.one_of(
    st.sampled_from([e.replace("«", "").replace("»", "") for es in HITS.values() for e in es]),
    st.sampled_from(NEAR_MISSES),
    st.text("0123456789 -./:+@abcdefxABCDMX]#'\"\n", max_size=20),
    st.text(max_size=12),
)


@SLOW
@given(st.lists(pieces, min_size=1, max_size=4), st.sampled_from([" ", "", "\n", ", "]))
def test_a_recogniser_finds_nothing_behind_the_closed_gate_of_its_entity(
    built: list[Any],
    parts: list[str],
    separator: str,
) -> None:
    text = separator.join(parts)
    for searcher in built:
        (entity,) = searcher.supported_entities
        if entity in GATES and not GATES[entity].search(text):
            assert searcher.analyze(text, [entity], None) == []


@SLOW
@given(
    st.lists(pieces, min_size=1, max_size=4),
    st.sampled_from([" ", "", "\n", ", "]),
    st.sampled_from([str, str.upper, str.lower, str.swapcase]),
)
def test_a_shape_matches_nothing_behind_its_closed_gate(
    built: list[Any],
    parts: list[str],
    separator: str,
    cased: Any,
) -> None:
    text = cased(separator.join(parts))
    for searcher in built:
        gate = getattr(searcher, "gate", None)
        if gate is not None and not gate.search(text):
            for pattern in searcher.patterns:
                flags = searcher.global_regex_flags
                assert regex.search(pattern.regex, text, flags=flags) is None


def seconds_taken(searcher: Any, text: str) -> float:
    started = time.process_time()
    searcher.analyze(text, searcher.supported_entities, None)
    return time.process_time() - started


@pytest.mark.parametrize("unit", HOSTILE, ids=ascii)
def test_no_text_takes_long(built: list[Any], unit: str) -> None:
    text = (unit * N_HOSTILE)[:N_HOSTILE]
    slow = []
    for searcher in built:
        (entity,) = searcher.supported_entities
        searcher.analyze(unit, [entity], None)  # compiles its expressions
        if entity in GATES and not GATES[entity].search(text):
            continue
        # a busy machine makes one try slow, not every one
        if all(seconds_taken(searcher, text) > SECONDS_ALLOWED for _ in range(N_TRIES)):
            slow.append(f"{entity} {searcher.name}")
    assert slow == []


def transactions(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            sold_at = dt.datetime.fromisoformat(row["timestamp"])
            yield row | {
                "row_id": str(number),
                "amount": float(row["amount"]),
                "transacted_at": sold_at.replace(tzinfo=dt.UTC),
            }


def test_no_word_of_a_rendered_transaction_is_an_identifier(tmp_path: Path) -> None:
    models = yaml.safe_load(Path("models/transactions/_transactions__models.yml").read_bytes())
    meta = next(m for m in models["models"] if m["name"] == "transactions_rendered")["config"]
    spec = RenderSpec.from_config(meta["meta"]["render"])
    path = tmp_path / "transactions.csv"
    generate_transactions(path, n_rows=2_000, seed=5, n_workers=1)
    batch = pa.RecordBatch.from_pylist(list(transactions(path)))
    texts = [
        str(text)
        for rendered in render([batch], spec, bytes(32))
        for text in rendered["user_text"].to_pylist()
    ]
    analyzer = presidio.analyzer(IDENTIFIERS, presidio.word_splitter())
    suspects = {
        text
        for searcher in analyzer.registry.recognizers
        for entity in searcher.supported_entities
        for text in filter(GATES[entity].search, texts)
        if searcher.analyze(text, [entity], None)
    }
    assert len(texts) == 2_000  # all of them
    assert {text: hits for text in suspects if (hits := found(analyzer, text))} == {}


@given(st.lists(st.text("abcß. ", min_size=1, max_size=4), min_size=1, max_size=8))
def test_a_choice_of_words_matches_each_word_and_nothing_else(words: list[str]) -> None:
    expression = re.compile(choice(words))
    for word in words:
        assert expression.fullmatch(word)
        assert bool(expression.fullmatch(word + "a")) == (word + "a" in words)


@pytest.mark.parametrize("module", [dates, places])
def test_word_lists_say_which_entities_they_are_for(module: ModuleType) -> None:
    assert {shape.entity for shape in module.shapes()} == module.ENTITIES
