"""The render stage: rows and templates become chat text."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.errors import ConfigError, StageError
from python_stages.render import RENDERED_SCHEMA, RenderSpec, render
from python_stages.render.wording import Template, clean

KEY = bytes(range(32))
MOMENT = dt.datetime(2024, 10, 9, 23, 6, 8, tzinfo=dt.UTC)
ROW = {
    "row_id": "row-1",
    "category": "Retail",
    "merchant": "Macy's",
    "amount": 1234567.891,
    "currency": "USD",
    "country": "USA",
    "city": "Chicago",
    "sold_at": MOMENT,
}
CONFIG: dict[str, Any] = {
    "label_column": "category",
    "currency_column": "currency",
    "locale_column": "country",
    "locales": {"USA": "en_US", "France": "fr_FR", "Germany": "de_DE", "Japan": "ja_JP"},
    "default_locale": "en",
    "blank_values": {"city": ["Unknown City"]},
    "instructions": ["Which category?\n{description}", "{description}\nCategory:"],
    "templates": ["{merchant} took {amount:money}.", "Seen in {city}: {merchant}, {sold_at:date}."],
}


def spec_of(**changes: Any) -> RenderSpec:
    return RenderSpec.from_config(CONFIG | changes)


def batch_of(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([ROW | row for row in rows])


def user_texts(spec: RenderSpec, *batches: pa.RecordBatch, key: bytes = KEY) -> list[str]:
    rendered = render(batches, spec, key)
    return [str(text) for batch in rendered for text in batch["user_text"].to_pylist()]


def described(template: str, **row: Any) -> str:
    """Return the text of one row under one template, without an instruction around it."""
    spec = spec_of(templates=[template], instructions=["{description}"], blank_values={})
    return user_texts(spec, batch_of(row))[0]


def test_assistant_answers_with_the_label_exactly() -> None:
    rendered = next(render([batch_of({"category": " Gas  & {Oil} "})], spec_of(), KEY))
    assert rendered["assistant_text"].to_pylist() == [" Gas  & {Oil} "]
    assert rendered["label"].to_pylist() == [" Gas  & {Oil} "]


def test_output_has_the_schema_of_the_stage() -> None:
    rendered = next(render([batch_of({})], spec_of(), KEY))
    assert rendered.schema == RENDERED_SCHEMA


def test_system_text_is_null_unless_the_settings_give_one() -> None:
    without, given_one = spec_of(), spec_of(system="You sort payments.")
    assert next(render([batch_of({})], without, KEY))["system_text"].to_pylist() == [None]
    system_text = next(render([batch_of({})], given_one, KEY))["system_text"]
    assert system_text.to_pylist() == ["You sort payments."]


def test_rows_keep_their_order_and_number() -> None:
    row_ids = [f"row-{n}" for n in range(100)]
    batches = [batch_of({"row_id": row_id}) for row_id in row_ids]
    rendered = pa.Table.from_batches(render(batches, spec_of(), KEY))
    assert rendered["row_id"].to_pylist() == row_ids


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_batch_boundaries_change_nothing(sizes: list[int]) -> None:
    rows = [{"row_id": f"row-{n}"} for n in range(sum(sizes))]
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    pieces = [
        batch_of(*rows[start : start + size]) for start, size in zip(starts, sizes, strict=True)
    ]
    assert user_texts(spec_of(), *pieces) == user_texts(spec_of(), batch_of(*rows))


def test_another_key_gives_other_wordings() -> None:
    batch = batch_of(*({"row_id": f"row-{n}"} for n in range(50)))
    assert user_texts(spec_of(), batch) != user_texts(spec_of(), batch, key=KEY[::-1])


def test_wordings_are_chosen_uniformly() -> None:
    spec = spec_of(
        templates=[f"{n} {{merchant}}" for n in range(7)],
        instructions=[f"{n} {{description}}" for n in range(3)],
        blank_values={},
    )
    batch = batch_of(*({"row_id": f"row-{n}"} for n in range(21_000)))
    counts = Counter(text.split(" M")[0] for text in user_texts(spec, batch))
    chi_squared = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert len(counts) == 21
    assert chi_squared < 45.3  # the 0.999 quantile at 20 degrees of freedom


def test_first_choice_is_frozen() -> None:
    """A change of the hash or of its reading would rewrite every dataset already sealed."""
    spec = spec_of(templates=[f"{n} {{merchant}}" for n in range(100)], blank_values={})
    texts = user_texts(spec, batch_of({"row_id": "a"}, {"row_id": "b"}))
    assert texts == ["Which category?\n11 Macy's", "Which category?\n90 Macy's"]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_data_passes_through_as_clean_text(merchant: str) -> None:
    if clean(merchant):
        assert described("<{merchant}>", merchant=merchant) == f"<{clean(merchant)}>"


@pytest.mark.parametrize(
    "merchant", ["{city}", "{0.__class__}", "}{", "{{x}}", "%s {amount:money}"]
)
def test_braces_in_data_stay_braces(merchant: str) -> None:
    assert described("at {merchant}!", merchant=merchant) == f"at {merchant}!"


@given(st.text(st.characters(codec="utf-8")))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("a\tb\r\nc\x00d\x85e", "a b c d e"),
        ("  a \u202f b\u3000", "a b"),
        ("4111\u200b1111\u202e", "41111111"),
        ("Cafe\u0301", "Caf\u00e9"),
    ],
)
def test_cleaning_leaves_one_line_that_shows_all_it_holds(dirty: str, tidy: str) -> None:
    assert clean(dirty) == tidy


@pytest.mark.parametrize(
    ("country", "currency", "written"),
    [
        ("USA", "USD", "$1,234,567.89"),
        ("France", "EUR", "1 234 567,89 \u20ac"),
        ("Germany", "EUR", "1.234.567,89 \u20ac"),
        ("Japan", "JPY", "\uffe51,234,568"),
        ("Atlantis", "BHD", "BHD 1,234,567.891"),
    ],
)
def test_money_follows_currency_and_locale(country: str, currency: str, written: str) -> None:
    assert described("{amount:money}", country=country, currency=currency) == written


def test_number_is_money_without_the_symbol() -> None:
    row = {"country": "Germany", "currency": "EUR"}
    assert described("{amount:number} {currency}", **row) == "1.234.567,89 EUR"


def test_decimal_amounts_lose_no_digit() -> None:
    assert described("{amount:money}", amount=Decimal("98765432109.87")) == "$98,765,432,109.87"


def test_refunds_keep_their_sign() -> None:
    assert described("{amount:money}", amount=-5.5) == "-$5.50"


@pytest.mark.parametrize(
    ("country", "date", "longdate", "time"),
    [
        ("USA", "10/9/2024", "October 9, 2024", "11:06 PM"),
        ("France", "09/10/2024", "9 October 2024", "23:06"),
        ("Germany", "09.10.2024", "9 October 2024", "23:06"),
        ("Japan", "2024/10/09", "9 October 2024", "23:06"),
    ],
)
def test_dates_follow_the_locale(country: str, date: str, longdate: str, time: str) -> None:
    template = "{sold_at:date}; {sold_at:longdate}; {sold_at:time}"
    assert described(template, country=country) == f"{date}; {longdate}; {time}"


def test_times_are_utc_whatever_the_zone_of_the_batch() -> None:
    batch = batch_of({})
    zone = pa.timestamp("us", tz="America/New_York")
    moved = batch.set_column(
        batch.schema.names.index("sold_at"), "sold_at", batch["sold_at"].cast(zone)
    )
    spec = spec_of(templates=["{sold_at:time}"], blank_values={})
    assert user_texts(spec, moved) == user_texts(spec, batch)


@pytest.mark.parametrize("city", [None, "", " ", "Unknown City", "Unknown\u00a0City"])
def test_unknown_values_are_never_written(city: str | None) -> None:
    batch = batch_of(*({"row_id": f"row-{n}", "city": city} for n in range(40)))
    assert all("took $1,234,567.89." in text for text in user_texts(spec_of(), batch))


@pytest.mark.parametrize(
    "gap",
    [
        {"amount": None},
        {"amount": float("nan")},
        {"amount": float("inf")},
        {"amount": 1e300},
        {"currency": None},
        {"currency": "No such"},
        {"merchant": "\t"},
    ],
)
def test_a_row_without_an_eligible_template_stops_the_stage(gap: dict[str, Any]) -> None:
    spec = spec_of(templates=["{merchant} {amount:money}"], blank_values={})
    with pytest.raises(StageError, match="no usable"):
        user_texts(spec, batch_of(gap | {"city": "canary"}))


@pytest.mark.parametrize("gap", [{"row_id": None}, {"category": None}, {"category": "  "}])
def test_a_row_without_id_or_label_stops_the_stage(gap: dict[str, Any]) -> None:
    with pytest.raises(StageError, match="1 rows of a batch have no"):
        user_texts(spec_of(), batch_of({}, gap))


def test_bytes_that_are_not_utf8_stop_the_stage_unquoted() -> None:
    batch = batch_of({})
    broken = pa.array([b"canary\xff"]).view(pa.string())
    batch = batch.set_column(batch.schema.names.index("merchant"), "merchant", broken)
    with pytest.raises(StageError, match="column merchant holds bytes") as caught:
        user_texts(spec_of(), batch)
    assert "canary" not in str(caught.value)


def test_a_missing_column_is_answered_with_those_there_are() -> None:
    spec = spec_of(templates=["{shop}"], blank_values={})
    with pytest.raises(ConfigError, match=r"name shop: the available columns are amount, .*row_id"):
        user_texts(spec, batch_of({}))


def test_a_format_refuses_a_column_of_another_type() -> None:
    spec = spec_of(templates=["{merchant:money}"], blank_values={})
    with pytest.raises(ConfigError, match="column merchant: it must hold a number"):
        user_texts(spec, batch_of({}))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="too short"):
        user_texts(spec_of(), batch_of({}), key=b"guess")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": "red"}, "render: unknown setting colour; known are label_column"),
        ({"label_column": None}, "label_column is missing"),
        ({"min_templates": 12}, "templates holds 2 wordings.*at least 12"),
        ({"min_templates": 0}, "min_templates must be"),
        ({"templates": ["{merchant}"] * 2}, "1 of them different"),
        ({"templates": "{merchant}"}, "templates must be a list"),
        ({"templates": ["nothing"], "blank_values": {}}, "has no placeholder"),
        ({"templates": ["{category}"], "blank_values": {}}, "shows the label column"),
        ({"templates": ["{merchant.x}"]}, "not of the form"),
        ({"templates": ["{merchant[0]}"]}, "not of the form"),
        ({"templates": ["{merchant!r}"]}, "not of the form"),
        ({"templates": ["{}"]}, "not of the form"),
        ({"templates": ["{merchant:{city}}"]}, "unknown format .*money"),
        ({"templates": ["{merchant:>10}"]}, "unknown format .*money"),
        ({"templates": ["{merchant"]}, "unmatched braces"),
        ({"templates": ["{city}"]}, "every template shows a column of blank_values"),
        ({"blank_values": {"town": ["?"]}}, "blank_values names town"),
        ({"instructions": ["Which category?"]}, r"must hold \{description\}"),
        ({"instructions": []}, "instructions holds 0"),
        ({"currency_column": None}, "name the currency_column"),
        ({"locale_column": None}, "name the column that decides"),
        ({"locales": {"USA": "en_Nowhere"}}, "a locale of the templates is unknown"),
        ({"locales": {"Norway": False}}, "quote NO"),
        ({"system": ["x"]}, "system must be text"),
    ],
)
def test_wrong_settings_are_refused_with_a_hint(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        spec_of(**changes)


def test_doubled_braces_are_literal() -> None:
    assert Template.parse("{{a}} {b}").pieces[0] == "{"
    assert described("{{{merchant}}}") == "{Macy's}"
