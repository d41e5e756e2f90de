"""What the stage does not let pass: texts that nobody can read, and settings that do not fit."""

import pyarrow as pa
import pytest

from python_stages.errors import ConfigError
from python_stages.scrub import Engine, Policy, scrub
from tests.python_stages.scrub.engines import built
from tests.python_stages.scrub.stage_batches import (
    CANARY,
    batch_of,
    policy_of,
    strings,
    texts_of,
)

# ── what cannot be read ──


def test_a_text_is_unreadable_where_one_value_of_a_denied_list_is(engine: Engine) -> None:
    names = pa.ListArray.from_arrays([0, 2, 3], strings(["Ann Lee", CANARY, "Bo Ray"]))
    batch = pa.RecordBatch.from_pydict({"text": strings(["canary", "Bo Ray"]), "names": names})
    policy = policy_of({"names": {"operator": "drop"}}, deny_from={"names": "PERSON"})
    assert texts_of(scrub([batch], policy, engine=engine)) == ["[UNREADABLE]", "[PERSON]"]


def test_bytes_that_are_not_utf8_become_unreadable_and_are_counted(engine: Engine) -> None:
    batch = batch_of(CANARY, "to a@example.com", None)
    (out,) = scrub([batch], policy_of(), engine=engine)
    assert out["text"].to_pylist() == ["[UNREADABLE]", "to [EMAIL_ADDRESS]", None]
    assert out["n_unreadable"].to_pylist() == [1, 0, 0]
    assert out["n_masked"].to_pylist() == [0, 1, 0]


def test_a_lone_surrogate_becomes_unreadable(engine: Engine) -> None:
    batch = batch_of("canary \ud800".encode("utf-8", "surrogatepass"), "plain")
    (out,) = scrub([batch], policy_of(), engine=engine)
    assert out["text"].to_pylist() == ["[UNREADABLE]", "plain"]
    assert out["n_unreadable"].to_pylist() == [1, 0]


def test_what_is_unreadable_in_a_kept_column_does_not_pass_either(engine: Engine) -> None:
    batch = batch_of("plain", "plain", note=[CANARY, "fine"])
    policy = policy_of({"note": {"operator": "keep"}})
    (out,) = scrub([batch], policy, engine=engine)
    assert out["note"].to_pylist() == ["[UNREADABLE]", "fine"]
    assert out["n_unreadable"].to_pylist() == [1, 0]


def test_a_text_whose_deny_value_cannot_be_read_is_unreadable(engine: Engine) -> None:
    batch = batch_of("by canary", "by Ann Lee", name=[CANARY, "Ann Lee"])
    policy = policy_of({"name": {"operator": "drop"}}, deny_from={"name": "PERSON"})
    (out,) = scrub([batch], policy, engine=engine)
    assert out["text"].to_pylist() == ["[UNREADABLE]", "by [PERSON]"]
    assert out["n_unreadable"].to_pylist() == [1, 0]


def test_what_is_unreadable_is_counted_once_for_each_column(engine: Engine) -> None:
    batch = batch_of(CANARY, CANARY, note=[CANARY, "fine"])
    policy = policy_of({"note": {"entities": ["identifiers"]}})
    (out,) = scrub([batch], policy, engine=engine)
    assert out["n_unreadable"].to_pylist() == [2, 1]


# ── wrong settings ──


def test_a_text_column_without_a_rule_stops_the_stage(engine: Engine) -> None:
    policy = Policy.from_config({"other": {"operator": "keep"}})
    with pytest.raises(ConfigError, match="column text has no scrub settings"):
        list(scrub([batch_of("x", other=["y"])], policy, engine=engine))


def test_a_rule_without_a_column_is_answered_with_those_there_are(engine: Engine) -> None:
    policy = Policy.from_config({"txet": {"operator": "keep"}})
    with pytest.raises(ConfigError, match="name txet: the text columns are text"):
        list(scrub([batch_of("x")], policy, engine=engine))


def test_a_deny_list_from_a_column_that_is_not_there_is_refused(engine: Engine) -> None:
    policy = policy_of(deny_from={"nmae": "PERSON"})
    with pytest.raises(ConfigError, match="names nmae: the columns are row_id, text"):
        list(scrub([batch_of("x")], policy, engine=engine))


def test_a_column_of_bytes_can_be_dropped_or_kept_and_not_scrubbed(engine: Engine) -> None:
    batch = pa.RecordBatch.from_pydict({"text": [b"raw"]})
    with pytest.raises(ConfigError, match="column text holds binary"):
        list(scrub([batch], policy_of(), engine=engine))
    for operator in ("keep", "drop"):
        list(scrub([batch], Policy.from_config({"text": {"operator": operator}}), engine=engine))


def test_batches_that_were_scrubbed_before_are_refused(engine: Engine) -> None:
    (out,) = scrub([batch_of("x")], policy_of(), engine=engine)
    with pytest.raises(ConfigError, match="n_masked, n_unreadable is what this stage adds"):
        list(scrub([out], policy_of(), engine=engine))


def test_an_engine_built_for_less_than_the_policy_is_refused() -> None:
    emails = built("EMAIL_ADDRESS")
    with pytest.raises(ConfigError, match=r"not built for .*CREDIT_CARD"):
        list(scrub([batch_of("x")], policy_of(), engine=emails))


def test_pseudonyms_without_a_key_are_refused(engine: Engine) -> None:
    policy = policy_of(operator="pseudonym")
    with pytest.raises(ConfigError, match="key"):
        list(scrub([batch_of("a@example.com")], policy, engine=engine))
