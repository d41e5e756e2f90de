"""What the stage makes of a row's other columns: values that are denied or allowed in its text."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from python_stages.errors import ConfigError
from python_stages.scrub import Engine, scrub
from tests.python_stages.scrub.pool_work import Recording
from tests.python_stages.scrub.stage_batches import (
    batch_of,
    policy_of,
    strings,
    texts_of,
)


def test_what_the_row_allows_goes_along_with_its_text(engine: Engine) -> None:
    recording = Recording()
    batch = batch_of(
        "at Ann Lee", "at Ann Lee", None, shop=["Ann Lee", None, "Bo"], floor=[1, 2, 3]
    )
    columns = {"shop": {"operator": "keep"}}
    policy = policy_of(columns, allow_from=["shop", "floor"])
    list(scrub([batch], policy, engine=engine, executor=recording))
    rows = [row.allow for chunk in recording.chunks for row in chunk.rows]
    assert rows == [("Ann Lee", "1"), ("2",)]


def test_numbers_of_another_column_are_denied_too(engine: Engine) -> None:
    batch = batch_of("account 4471 of 4471", account=[4471])
    policy = policy_of(deny_from={"account": "PASSPORT"})
    (text,) = texts_of(scrub([batch], policy, engine=engine))
    assert text == "account [PASSPORT] of [PASSPORT]"


@pytest.mark.parametrize(
    "values",
    [
        pa.array([5551234567.0]),
        pa.array([Decimal("5551234567.00")]),
        pa.array([["5550001111", "5551234567", None]]),
        pa.array([[[5551234567]]]),
        pa.array([[5551234567.0]], type=pa.list_(pa.float64(), 1)),
        pa.array(["5551234567"]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)
def test_a_value_of_any_plain_type_is_denied_as_people_write_it(
    engine: Engine, values: "pa.Array[Any]"
) -> None:
    batch = pa.RecordBatch.from_pydict({"text": strings(["ring 5551234567"]), "phone": values})
    policy = policy_of({"phone": {"operator": "drop"}}, deny_from={"phone": "PHONE_NUMBER"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["ring [PHONE_NUMBER]"]


def test_midnight_is_denied_as_a_date(engine: Engine) -> None:
    born = pa.array([datetime(1980, 5, 4)])  # noqa: DTZ001  # as in a table
    batch = pa.RecordBatch.from_pydict({"text": strings(["born 1980-05-04"]), "born": born})
    policy = policy_of(deny_from={"born": "PASSPORT"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["born [PASSPORT]"]


def test_null_and_nan_deny_nothing(engine: Engine) -> None:
    numbers = pa.array([float("nan"), None])
    batch = pa.RecordBatch.from_pydict({"text": strings(["nan", "none"]), "number": numbers})
    policy = policy_of(deny_from={"number": "PASSPORT"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["nan", "none"]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([{"first": "Ann"}]),
        pa.array([b"Ann"]),
        pa.array([[{"first": "Ann"}]]),
        pa.array([[("first", "Ann")]], type=pa.map_(pa.string(), pa.string())),
    ],
    ids=lambda values: str(values.type),
)
@pytest.mark.parametrize("setting", [{"deny_from": {"who": "PERSON"}}, {"allow_from": ["who"]}])
def test_a_value_that_is_written_in_no_one_way_is_a_config_error_naming_the_column(
    engine: Engine, values: "pa.Array[Any]", setting: dict[str, Any]
) -> None:
    batch = pa.RecordBatch.from_pydict({"text": strings(["by Ann"]), "who": values})
    policy = policy_of({"who": {"operator": "drop"}}, **setting)
    with pytest.raises(ConfigError, match="column who") as raised:
        list(scrub([batch], policy, engine=engine))
    assert "Ann" not in str(raised.value)
