"""Policies: what a config means, and what is said about one that means nothing."""

import pickle
from typing import Any

import pytest
import yaml

from python_stages.errors import ConfigError
from python_stages.scrub.policy import MIN_SCORE, OPERATORS, Policy, Rule
from python_stages.scrub.presets import GDPR, HIPAA_SAFE_HARBOR, PRESETS
from python_stages.scrub.recognizers import ENTITIES, GROUPS


def rule_of(**config: Any) -> Rule:
    return Policy.from_config({"text": config}).rules["text"]


def test_the_settings_of_the_transactions_stay_valid() -> None:
    with open("models/transactions/_transactions__models.yml", encoding="utf-8") as file:  # noqa: PTH123  # one line
        models = yaml.safe_load(file)["models"]
    config = next(m for m in models if m["name"] == "transactions_scrubbed")["config"]["meta"]
    policy = Policy.from_config(config["scrub"])
    assert policy.rules["user_text"].min_score == MIN_SCORE
    assert not policy.needs_key


def test_a_group_stands_for_its_entities() -> None:
    assert set(rule_of(entities=["identifiers"]).operators) == set(GROUPS["identifiers"])


def test_an_entity_has_its_own_operator_or_else_the_column_s() -> None:
    rule = rule_of(entities=["URL", "AGE"], operator="mask", operators={"AGE": "generalise"})
    assert rule.operators == {"AGE": "generalise", "URL": "mask"}


@pytest.mark.parametrize("order", [1, -1])
def test_an_entity_by_name_wins_over_its_group_in_any_order(order: int) -> None:
    special = dict([("dates", "generalise"), ("AGE", "mask")][::order])
    rule = rule_of(entities=["dates"], operators=special)
    assert rule.operators["AGE"] == "mask"
    assert rule.operators["DATE_TIME"] == "generalise"


def test_what_is_kept_is_not_looked_for() -> None:
    rule = rule_of(entities=["URL", "AGE"], operators={"AGE": "keep"})
    assert set(rule.operators) == {"URL"}


def test_a_preset_may_be_changed_and_added_to() -> None:
    rule = rule_of(preset="gdpr", entities=["TITLE"], operators={"PERSON": "pseudonym"})
    assert rule.operators == {
        **PRESETS["gdpr"],
        "TITLE": "placeholder",
        "PERSON": "pseudonym",
    }


def test_listing_an_entity_of_a_preset_does_not_change_it() -> None:
    assert rule_of(preset="gdpr", entities=["AGE"]).operators == PRESETS["gdpr"]


def test_an_operator_beside_a_preset_is_for_all_of_it() -> None:
    assert set(rule_of(preset="gdpr", operator="pseudonym").operators.values()) == {"pseudonym"}


def test_a_column_may_be_dropped() -> None:
    assert rule_of(operator="drop") == Rule(operators={}, is_dropped=True)


def test_findings_may_be_dropped() -> None:
    assert rule_of(entities=["URL"], operators={"URL": "drop"}).operators == {"URL": "drop"}


def test_columns_to_deny_say_what_they_hold_or_are_named_so() -> None:
    assert rule_of(operator="keep", deny_from={"who": "PERSON"}).deny_from == {"who": "PERSON"}
    columns = ["full_name", "email", "mobile_no", "username"]
    assert rule_of(operator="keep", deny_from=columns).deny_from == {
        "full_name": "PERSON",
        "email": "EMAIL_ADDRESS",
        "mobile_no": "PHONE_NUMBER",
        "username": "USERNAME",
    }


def test_what_only_a_deny_list_names_gets_the_column_s_operator() -> None:
    rule = rule_of(entities=["URL"], operator="pseudonym", deny_from={"who": "PERSON"})
    assert rule.operator("PERSON") == "pseudonym"
    assert rule_of(operator="keep", deny_from={"who": "PERSON"}).operator("PERSON") == "placeholder"


@pytest.mark.parametrize(
    ("config", "needs_key"),
    [
        ({"entities": ["URL"]}, False),
        ({"entities": ["URL"], "operator": "pseudonym"}, True),
        ({"entities": ["URL"], "operators": {"URL": "surrogate"}}, True),
    ],
)
def test_pseudonyms_and_surrogates_need_a_key(config: dict[str, Any], needs_key: bool) -> None:  # noqa: FBT001  # a parameter of the table
    assert Policy.from_config({"text": config}).needs_key is needs_key


def test_the_model_and_the_dataset_are_no_columns() -> None:
    policy = Policy.from_config({"text": {"operator": "keep"}, "ner": "a/path"}, dataset="orders")
    assert (policy.ner, policy.dataset, list(policy.rules)) == ("a/path", "orders", ["text"])


def test_a_policy_can_be_sent_to_workers() -> None:
    policy = Policy.from_config({"text": {"preset": "gdpr", "locale": "de_DE"}})
    assert pickle.loads(pickle.dumps(policy)) == policy


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "scrub settings are empty"),
        ({"ner": "sealtune"}, "scrub settings are empty"),
        ({"text": {"operator": "keep"}, "ner": 3}, "ner must be"),
        ({"text": "keep"}, "must be a mapping: the known settings are entities"),
        ({"text": {"entity": []}}, "unknown scrub setting entity of text.*did you mean entities"),
        ({"text": {"entities": ["CREDITCARD"]}}, "unknown entity CREDITCARD: .*mean CREDIT_CARD"),
        ({"text": {"entities": ["credit_card"]}}, "did you mean CREDIT_CARD"),
        ({"text": {"entities": ["identifier"]}}, "did you mean identifiers"),
        ({"text": {"entities": "identifiers"}}, "entities of text must be a list"),
        ({"text": {"entities": []}}, "has no entities"),
        ({"text": {"entities": ["URL"], "operator": "drop"}}, "drops all of text"),
        ({"text": {"entities": ["URL"], "operator": "pseudonim"}}, "did you mean pseudonym"),
        ({"text": {"entities": ["URL"], "operators": {"URL": "hash"}}}, "unknown operator of text"),
        ({"text": {"entities": ["URL"], "operators": {"UUID": "keep"}}}, "names UUID"),
        ({"text": {"entities": ["URL"], "operators": ["UUID"]}}, "must map entities"),
        ({"text": {"preset": "hipaa"}}, "unknown preset of text.*mean hipaa_safe_harbor"),
        ({"text": {"preset": ["gdpr"]}}, "unknown preset of text"),
        ({"text": {"entities": ["URL"], "min_score": 0}}, "min_score of text"),
        ({"text": {"entities": ["URL"], "min_score": True}}, "min_score of text"),
        ({"text": {"entities": ["URL"], "deny_from": ["x"]}}, "must say what x holds"),
        ({"text": {"entities": ["URL"], "deny_from": {"x": "PERSONS"}}}, "did you mean PERSON"),
        ({"text": {"entities": ["URL"], "deny_from": "x"}}, "deny_from of text must be a list"),
        ({"text": {"entities": ["URL"], "allow_from": "x"}}, "allow_from of text must be a list"),
        ({"text": {"entities": ["URL"], "locale": "de-DE"}}, "unknown locale.*did you mean de_DE"),
    ],
)
def test_wrong_settings_are_refused_with_a_hint(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Policy.from_config(config)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"txet": {"operator": "keep"}}, "name txet: the text columns are text; did you mean text"),
        ({}, "column text has no scrub settings"),
        (
            {"text": {"operator": "keep", "allow_from": ["merchnt"]}},
            "of text names merchnt: the columns are merchant, text; did you mean merchant",
        ),
    ],
)
def test_unknown_columns_are_answered_with_those_there_are(
    config: dict[str, Any], sentence: str
) -> None:
    policy = Policy.from_config(config) if config else Policy({})
    with pytest.raises(ConfigError, match=sentence):
        policy.check_columns(["text"], ["text", "merchant"])


def test_columns_that_fit_pass() -> None:
    config = {"text": {"operator": "keep", "deny_from": {"who": "PERSON"}}}
    Policy.from_config(config).check_columns(["text"], ["text", "who"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_known_entities_and_operators(preset: str) -> None:
    assert set(PRESETS[preset]) <= ENTITIES
    assert set(PRESETS[preset].values()) <= set(OPERATORS) - {"keep"}


def test_hipaa_has_its_18_identifiers_in_order() -> None:
    assert [one.clause for one in HIPAA_SAFE_HARBOR] == list("ABCDEFGHIJKLMNOPQR")
    without_text = {one.clause for one in HIPAA_SAFE_HARBOR if not one.operators}
    assert without_text == {"P", "Q"}


def test_hipaa_leaves_years_ages_below_90_and_three_digits_of_a_zip_code() -> None:
    preset = PRESETS["hipaa_safe_harbor"]
    assert {entity for entity, operator in preset.items() if operator == "generalise:year"} == {
        "DATE_TIME",
        "DATE_OF_BIRTH",
        "AGE",
    }
    assert {entity for entity, operator in preset.items() if operator == "generalise"} == {
        "LOCATION",
        "ZIP_CODE",
    }


@pytest.mark.parametrize("group", ["identifiers", "national_ids", "secrets"])
@pytest.mark.parametrize("preset", ["gdpr", "hipaa_safe_harbor"])
def test_the_laws_cover_every_number_that_is_somebody_s(preset: str, group: str) -> None:
    assert set(GROUPS[group]) <= set(PRESETS[preset])


def test_gdpr_leaves_organisations_and_dates_alone() -> None:
    assert not {"ORGANIZATION", "DATE_TIME"} & set(PRESETS["gdpr"])
    assert all(one.clause for one in GDPR)
