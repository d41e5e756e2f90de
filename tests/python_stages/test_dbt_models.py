"""What the Python models call: values stay out of errors, and batches stream."""

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from python_stages import dbt_models, keys, seal
from python_stages.dbt_models import _stream
from python_stages.errors import ConfigError, SealtuneError, StageError, value_free
from python_stages.render import RENDERED_SCHEMA

pytestmark = pytest.mark.usefixtures("ring")

CANARY = "4111-canary-1111"
SCHEMA = pa.schema([("text", pa.string())])
RENDER = {
    "label_column": "label",
    "currency_column": "currency",
    "locale_column": "country",
    "default_locale": "en",
    "locales": {},
    "blank_values": {},
    "min_templates": 1,
    "system": None,
    "instructions": ["What is this? {description}"],
    "templates": ["{merchant} for {amount:money}"],
}


def shown(error: BaseException) -> str:
    """Return all that dbt prints of an error in a Python model."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "raised", [ValueError(CANARY), KeyError(CANARY), duckdb.ConversionException(CANARY)]
)
def test_a_library_s_error_loses_its_message_and_keeps_its_type(raised: Exception) -> None:
    with (
        pytest.raises(
            StageError, match=f"render stage failed with {type(raised).__name__}"
        ) as error,
        value_free("render"),
    ):
        raise raised
    assert CANARY not in shown(error.value)


def test_an_error_of_ours_passes_without_the_one_that_caused_it() -> None:
    def fail() -> None:
        try:
            int(CANARY)
        except ValueError as cause:
            raise ConfigError("no number given; give one") from cause

    with (
        pytest.raises(ConfigError, match="no number given; give one") as error,
        value_free("check"),
    ):
        fail()
    assert CANARY not in shown(error.value)


def test_an_interrupt_is_no_failure_of_the_stage() -> None:
    with pytest.raises(KeyboardInterrupt), value_free("render"):
        raise KeyboardInterrupt


def test_an_error_in_the_middle_of_a_stream_reaches_duckdb_without_the_value(
    con: duckdb.DuckDBPyConnection,
) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([{"text": "fine"}], SCHEMA)
        raise ValueError(CANARY)

    con.register("streamed", _stream(SCHEMA, batches(), "scrub"))
    with pytest.raises(duckdb.Error, match="scrub stage failed with ValueError") as error:
        con.execute("create table texts as from streamed")
    assert CANARY not in shown(error.value)


def test_a_stream_pulls_a_batch_only_when_it_is_asked_for() -> None:
    pulled = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            pulled.append(number)
            yield pa.RecordBatch.from_pylist([{"text": str(number)}], SCHEMA)

    reader = _stream(SCHEMA, batches(), "scrub")
    assert pulled == []
    reader.read_next_batch()
    assert pulled == [0]
    assert reader.read_all().num_rows == 2


def test_rendered_gives_a_row_for_a_row_and_the_same_ones_again(
    con: duckdb.DuckDBPyConnection,
) -> None:
    relation = con.sql("""
        select i::varchar as row_id, 'Gas' as label, 'Shell' as merchant, 1.5 * i as amount,
               'EUR' as currency, 'France' as country
        from range(1, 10001) n(i)
    """)
    first, second = (
        dbt_models.rendered(relation, "transactions", RENDER).read_all() for _ in range(2)
    )
    assert first.schema == RENDERED_SCHEMA
    assert first.num_rows == 10_000
    assert first.sort_by("row_id") == second.sort_by("row_id")


def test_a_column_that_a_template_wants_and_nobody_has_is_an_error_before_any_row(
    con: duckdb.DuckDBPyConnection,
) -> None:
    relation = con.sql(f"select 'r' as row_id, '{CANARY}' as label, 'EUR' as currency")
    with pytest.raises((SealtuneError, duckdb.Error, pa.ArrowException)) as error:
        dbt_models.rendered(relation, "transactions", RENDER).read_all()
    assert "merchant" in shown(error.value)
    assert CANARY not in shown(error.value)


def test_scrubbed_replaces_and_counts_and_keeps_every_other_column(
    con: duckdb.DuckDBPyConnection,
) -> None:
    relation = con.sql("""
        select 'r1' as row_id, 'write to jo.doe@example.com' as user_text, 'Gas' as assistant_text
        union all select 'r2', 'nothing here', 'Gas'
    """)
    policy = {
        "user_text": {"entities": ["EMAIL_ADDRESS"]},
        "assistant_text": {"entities": ["EMAIL_ADDRESS"]},
    }
    reader = dbt_models.scrubbed(relation, "transactions", policy)
    rows = reader.read_all().sort_by("row_id").to_pylist()
    assert [row["n_masked"] for row in rows] == [1, 0]
    assert "example.com" not in rows[0]["user_text"]
    assert len({row["policy_hash"] for row in rows}) == 1
    assert {name: value for name, value in rows[1].items() if name != "policy_hash"} == {
        "row_id": "r2",
        "user_text": "nothing here",
        "assistant_text": "Gas",
        "n_masked": 0,
        "n_unreadable": 0,
        "n_cut_tokens": 0,
    }


def test_pseudonyms_are_those_of_the_dataset_wherever_the_work_is_done(
    con: duckdb.DuckDBPyConnection,
) -> None:
    relation = con.sql("select 'r1' as row_id, 'jo.doe@example.com' as user_text")
    policy = {"user_text": {"entities": ["EMAIL_ADDRESS"], "operator": "pseudonym"}}

    def pseudonym(dataset: str, executor: str) -> str:
        run = {"executor": executor, "workers": 2, "ray_address": None}
        reader = dbt_models.scrubbed(relation, dataset, policy, run)
        return str(reader.read_all()["user_text"][0])

    here = pseudonym("transactions", "inline")
    assert here.startswith("[EMAIL_ADDRESS_")
    assert pseudonym("transactions", "auto") == here
    assert pseudonym("support", "inline") != here


SURROGATES = {"user_text": {"entities": ["EMAIL_ADDRESS"], "operator": "surrogate"}}


def mails(con: duckdb.DuckDBPyConnection, *addresses: str) -> duckdb.DuckDBPyRelation:
    """Return a row for each address, with a text that names it."""
    texts = [f"write to {address}" for address in addresses]
    return con.from_arrow(
        pa.table({"row_id": list(map(str, range(len(texts)))), "user_text": texts})
    )


def test_no_surrogate_is_a_value_of_the_relation(con: duckdb.DuckDBPyConnection) -> None:
    def surrogates(*addresses: str) -> list[str]:
        table = dbt_models.scrubbed(mails(con, *addresses), "transactions", SURROGATES).read_all()
        return [str(text).removeprefix("write to ") for text in table["user_text"].to_pylist()]

    (made,) = surrogates("jo.doe@acme.com")
    both = surrogates("jo.doe@acme.com", made)
    assert made not in both
    assert len(set(both)) == 2


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that the process takes for its vault."""
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    return tmp_path / "vault"


@pytest.mark.parametrize("operator", ["pseudonym", "surrogate"])
def test_a_reversal_map_is_sealed_for_the_owner_where_it_is_asked_for(
    con: duckdb.DuckDBPyConnection, ring: keys.KeyRing, vault: Path, operator: str
) -> None:
    keys.add_recipient(ring.folder, "team", keys.create(vault.parent / "b").public_recipient())
    policy = {"user_text": {"entities": ["EMAIL_ADDRESS"], "operator": operator}}
    relation = mails(con, "jo.doe@acme.com", "JO.DOE@acme.com")
    reader = dbt_models.scrubbed(relation, "transactions", policy, reversal=True)
    texts = reader.read_all()["user_text"].to_pylist()

    (path,) = vault.rglob("*.sealed")
    assert path.parent == vault / "reversal" / "transactions"
    assert seal.verify(path, keys=ring).recipients == (ring.identity_id(),)
    assert b"jo.doe@acme.com" not in path.read_bytes().lower()
    lines = [json.loads(line) for line in seal.read_sealed(path, keys=ring)]
    assert {line["value"] for line in lines} == {"jo.doe@acme.com", "JO.DOE@acme.com"}
    assert {f"write to {line['pseudonym']}" for line in lines} == set(texts)


def test_without_being_asked_no_map_is_made(con: duckdb.DuckDBPyConnection, vault: Path) -> None:
    dbt_models.scrubbed(mails(con, "jo.doe@acme.com"), "transactions", SURROGATES).read_all()
    assert not vault.exists()


@pytest.mark.parametrize(
    ("operator", "reversal", "message"),
    [("placeholder", True, "nothing to reverse"), ("pseudonym", "yes", "must be true or false")],
)
def test_a_map_of_nothing_is_refused_before_any_row(
    con: duckdb.DuckDBPyConnection, operator: str, reversal: Any, message: str
) -> None:
    policy = {"user_text": {"entities": ["EMAIL_ADDRESS"], "operator": operator}}
    relation = mails(con, "jo.doe@acme.com")
    with pytest.raises((ConfigError, duckdb.Error), match=message):
        dbt_models.scrubbed(relation, "transactions", policy, reversal=reversal).read_all()


def test_an_unknown_executor_is_an_error_before_any_row(con: duckdb.DuckDBPyConnection) -> None:
    relation = con.sql("select 'r1' as row_id, 'text' as user_text")
    policy = {"user_text": {"operator": "keep"}}
    with pytest.raises(ConfigError, match="the known ones are auto, inline, processes, ray"):
        dbt_models.scrubbed(relation, "transactions", policy, {"executor": "threads"})
