"""Claims about what is found out before a byte leaves."""

import json
import re
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.backends.base import Content
from python_stages.backends.file_rules import check_content, count_tokens
from python_stages.backends.preflight import Finding, Place, check_settings, describe, require
from python_stages.backends.rules import RulePack, load_pack, parse_pack
from python_stages.errors import ConfigError, TamperedError
from tests.python_stages.backends import specs
from tests.python_stages.backends.specs import CANARY, content_of

TODAY = date(2026, 11, 22)
OPENAI, AZURE, COMPATIBLE = (load_pack(name) for name in ("openai", "azure", "compatible"))
AWAY = Place("openai", is_this_machine=False, today=TODAY)


def message(role: str, content: Any = CANARY, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def line(*messages: dict[str, Any]) -> bytes:
    return json.dumps({"messages": messages or GOOD}, ensure_ascii=False).encode() + b"\n"


GOOD = (message("system"), message("user"), message("assistant"))
LINES = [line(message("user", f"{CANARY} {n}"), message("assistant")) for n in range(12)]
PREFERENCE = {
    "input": {"messages": [message("user")]},
    "preferred_output": [message("assistant")],
    "non_preferred_output": [message("assistant")],
}


spec_of = partial(
    specs.spec_of,
    base_model="gpt-4.1-mini-2025-04-14",
    training=content_of(LINES, 64),
    allow_upload=True,
)


def found_in(
    lines: list[bytes] | bytes, pack: RulePack = OPENAI, **changes: Any
) -> dict[str, Finding]:
    findings = check_content(spec_of(training=content_of(lines, 64), **changes), pack)
    return {finding.rule_id: finding for finding in findings}


def refused(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.rule_id for finding in findings if not finding.passed}


@pytest.mark.parametrize("pack", [OPENAI, AZURE, COMPATIBLE], ids=lambda pack: pack.name)
def test_every_rule_says_where_and_when_it_was_read(pack: RulePack) -> None:
    assert pack.rules
    read = [(rule.source, rule.checked_on) for rule in pack.rules.values()]
    read += [(rule.source, rule.checked_on) for rule in pack.models]
    assert all(source.startswith("https://") for source, _ in read)
    assert all(date(2026, 1, 1) <= day for _, day in read)
    assert re.search(r"as of 2026-\d\d-\d\d\)$", pack.what_stays)


@pytest.mark.parametrize(
    "rule",
    [
        {"moon": {"limit": 1, "source": "https://x", "checked_on": TODAY}},
        {"min_examples": {"limit": True, "source": "https://x", "checked_on": TODAY}},
        {"min_examples": {"limit": "ten", "source": "https://x", "checked_on": TODAY}},
        {"min_examples": {"limit": 10, "source": "", "checked_on": TODAY}},
        {"min_examples": {"limit": 10, "source": "https://x"}},
    ],
)
def test_a_rule_that_no_code_checks_or_nobody_vouches_for_is_refused(rule: dict[str, Any]) -> None:
    stays = {"text": "nothing", "source": "https://x", "checked_on": TODAY}
    with pytest.raises(ConfigError, match="rules moon: "):
        parse_pack("moon", {"rules": rule, "what_stays": stays})


def test_a_pack_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(ConfigError, match="missing"):
        load_pack("moon")


def test_a_good_job_passes_every_rule_and_every_rule_is_shown() -> None:
    spec = spec_of(validation=content_of([line(message("user", "other"), message("assistant"))]))
    findings = check_settings(spec, OPENAI, AWAY) + check_content(spec, OPENAI)
    require(findings, "openai")
    shown = {finding.rule_id for finding in findings}
    unseen = set(OPENAI.rules) - shown
    assert unseen == {"hyperparameters_dpo", "single_upload_bytes", "part_bytes"}
    table = describe(findings).splitlines()
    assert len(table) == len(findings) + 1
    assert all(row.startswith("ok") for row in table[1:])
    assert "https://developers.openai.com" in describe(findings)
    assert CANARY not in describe(findings)


@pytest.mark.parametrize(
    ("changes", "rule_id"),
    [
        ({"allow_upload": False}, "consent"),
        ({"method": "dpo", "hyperparameters": {"epsilon": 8.0}}, "hyperparameters_dpo"),
        ({"hyperparameters": {"beta": 0.1}}, "hyperparameters_supervised"),
        ({"suffix": "with space"}, "suffix_form"),
        ({"suffix": "x" * 65}, "suffix_form"),
        ({"suffix": "-x"}, "suffix_form"),
        ({"training": Content((8 << 30) + 1, content_of(b"").open)}, "file_bytes"),
        ({"base_model": "gpt-4.1-nano"}, "model"),
        ({"max_cost": 1.0}, "max_cost"),
    ],
)
def test_settings_that_openai_would_refuse_are_refused(
    changes: dict[str, Any], rule_id: str
) -> None:
    findings = check_settings(spec_of(**changes), OPENAI, AWAY)
    assert refused(findings) == {rule_id}
    with pytest.raises(ConfigError, match=f"nothing was sent. {rule_id}: "):
        require(findings, "openai")


@pytest.mark.parametrize(
    ("n_tokens", "n_epochs", "is_taken"),
    [
        (1_000_000_000, 2, True),
        (1_000_000_001, 2, False),
        (2_000_000_000, "auto", True),
        (2_000_000_001, "auto", False),
    ],
)
def test_azure_takes_two_billion_tokens_times_epochs(
    n_tokens: int, n_epochs: int | str, *, is_taken: bool
) -> None:
    spec = spec_of(n_training_tokens=n_tokens, hyperparameters={"n_epochs": n_epochs})
    findings = check_settings(spec, AZURE, AWAY)
    assert ("tokens_times_epochs" not in refused(findings)) is is_taken


@pytest.mark.parametrize("place", ["this machine", "another"])
def test_consent_is_asked_for_whatever_leaves_this_machine(place: str) -> None:
    at = replace(AWAY, is_this_machine=place == "this machine")
    findings = check_settings(spec_of(allow_upload=False), COMPATIBLE, at)
    assert refused(findings) == (set() if place == "this machine" else {"consent"})


@pytest.mark.parametrize(
    ("today", "is_open"),
    [(date(2027, 1, 6), True), (date(2027, 1, 7), False), (date(2030, 1, 1), False)],
)
def test_after_the_last_day_no_job_goes_to_openai_and_others_are_named(
    today: date, *, is_open: bool
) -> None:
    findings = check_settings(spec_of(), OPENAI, replace(AWAY, today=today))
    assert ("last_day_for_jobs" not in refused(findings)) is is_open
    if not is_open:
        with pytest.raises(ConfigError, match=r"backend azure.*compatible.*backend local"):
            require(findings, "openai")


@pytest.mark.parametrize(
    ("model", "today", "is_tunable"),
    [
        ("gpt-4.1", date(2027, 4, 14), True),
        ("gpt-4.1-2025-04-14", date(2027, 4, 15), False),
        ("gpt-4.1-mini-2025-04-14.ft-0123", date(2027, 4, 15), False),
        ("gpt-4.1-minister", date(2030, 1, 1), True),
        ("gpt-oss-20b", date(2030, 1, 1), True),
    ],
)
def test_a_model_is_tunable_until_its_own_last_day(
    model: str, today: date, *, is_tunable: bool
) -> None:
    findings = check_settings(spec_of(base_model=model), AZURE, replace(AWAY, today=today))
    assert ("model" not in refused(findings)) is is_tunable


@pytest.mark.parametrize(
    ("changes", "is_taken", "hint"),
    [
        ({"max_cost": 6.0, "price_per_million_tokens": 2.0}, True, ""),
        ({"max_cost": 5.99, "price_per_million_tokens": 2.0}, False, "raise max_cost"),
        ({"max_cost": 0.0, "price_per_million_tokens": 0.0}, True, ""),
        ({"max_cost": 5.0}, False, "price_per_million_tokens"),
        (
            {"max_cost": 5.0, "price_per_million_tokens": 2.0, "hyperparameters": {}},
            False,
            "n_epochs",
        ),
        ({}, True, ""),
    ],
)
def test_a_job_costs_no_more_than_max_cost_and_an_unknown_cost_is_more(
    changes: dict[str, Any], hint: str, *, is_taken: bool
) -> None:
    findings = check_settings(spec_of(n_training_tokens=1_000_000, **changes), OPENAI, AWAY)
    (cost,) = (finding for finding in findings if finding.rule_id == "max_cost")
    assert cost.passed is is_taken
    assert hint in cost.hint


@pytest.mark.parametrize(
    ("broken", "rule_id"),
    [
        (b"\xff\xfe\n", "utf8"),
        (b"{\n", "json_lines"),
        (b"[]\n", "json_lines"),
        (b"\n", "json_lines"),
        (b'{"messages": NaN}\n', "json_lines"),
        (b"{}\n", "json_lines"),
        (b'{"messages": []}\n', "json_lines"),
        (b'{"messages": [3]}\n', "json_lines"),
        (b"[" * 100_000 + b"\n", "json_lines"),
        (line(message("user"), message("assistant", "")), None),
        (line(message("user"), message("assistant", None)), "json_lines"),
        (line(message("user"), message("assistant", None, tool_calls=[{"id": "x"}])), None),
        (line(message("user"), message("assistant", [{"type": "text", "text": "x"}])), None),
        (line(message("robot"), message("assistant")), "roles"),
        (line(message("user")), "last_message"),
        (line(message("user", weight=1), message("assistant")), "weights"),
        (line(message("user"), message("assistant", weight=0)), None),
        (line(message("user"), message("assistant", weight=0.5)), "weights"),
        (line(message("user"), message("assistant", weight=[1])), "weights"),
        (line(message("user", "<|endoftext|>"), message("assistant")), "special_tokens"),
        (line(message("user", "a <| b |> c"), message("assistant")), None),
        (line(message("user", "a1 " * 40_000), message("assistant")), "example_tokens"),
    ],
)
def test_a_line_that_the_provider_would_refuse_is_found_by_its_number_and_not_quoted(
    broken: bytes, rule_id: str | None
) -> None:
    found = found_in([*LINES, broken, *LINES])
    assert refused(tuple(found.values())) == ({rule_id} if rule_id else set())
    if rule_id:
        assert "1 of 25 lines" in found[rule_id].found
        assert found[rule_id].found.endswith("the first is 13")
    assert CANARY not in repr(found)


def test_a_mark_at_the_start_is_refused_by_openai_and_taken_by_azure() -> None:
    marked = [b"\xef\xbb\xbf" + LINES[0], *LINES[1:]]
    assert refused(tuple(found_in(marked).values())) == {"byte_order_mark"}
    assert refused(tuple(found_in(marked, AZURE).values())) == set()


def test_ten_examples_are_enough_and_nine_are_not() -> None:
    assert refused(tuple(found_in(LINES[:10]).values())) == set()
    assert refused(tuple(found_in(LINES[:9]).values())) == {"min_examples"}


def test_an_example_in_both_splits_is_found() -> None:
    findings = check_content(
        spec_of(validation=content_of([line(), LINES[3], line(message("assistant"))])), OPENAI
    )
    assert refused(findings) == {"disjoint_splits"}
    (found,) = (finding.found for finding in findings if not finding.passed)
    assert found == "validation split: 1 of 3 lines are against it, the first is 2"


@pytest.mark.parametrize(
    ("change", "rule_id"),
    [
        ({}, None),
        ({"preferred_output": []}, "json_lines"),
        ({"non_preferred_output": None}, "json_lines"),
        ({"input": {}}, "json_lines"),
        ({"preferred_output": [message("user")]}, "last_message"),
        ({"non_preferred_output": [message("assistant", "<|im_end|>")]}, "special_tokens"),
    ],
)
def test_preferences_have_an_input_and_two_answers(
    change: dict[str, Any], rule_id: str | None
) -> None:
    lines = [json.dumps(PREFERENCE | change | {"n": n}).encode() + b"\n" for n in range(10)]
    found = found_in(lines, method="dpo")
    assert refused(tuple(found.values())) == ({rule_id} if rule_id else set())


@given(
    chunk_bytes=st.integers(1, 40),
    lines=st.lists(st.sampled_from(LINES), max_size=20),
    ends=st.booleans(),
)
def test_lines_are_the_same_however_the_stream_is_cut(
    *, chunk_bytes: int, lines: list[bytes], ends: bool
) -> None:
    plaintext = b"".join(lines)
    plaintext = plaintext if ends else plaintext.removesuffix(b"\n")
    cut, whole = (
        check_content(spec_of(training=content_of(plaintext or b"x", n)), OPENAI)
        for n in (chunk_bytes, 1_000_000)
    )
    assert cut == whole


@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=10),
    st.sampled_from(["supervised", "dpo"]),
)
def test_whatever_the_lines_are_they_are_judged_and_never_quoted(
    lines: list[bytes], method: str
) -> None:
    plaintext = b"\n".join(CANARY.encode() + each for each in lines)
    found = found_in(plaintext, method=method)
    assert CANARY not in repr(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "role", "content", "weight", "tool_calls", "input", "text"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["supervised", "dpo"]))
def test_whatever_json_a_line_holds_it_is_judged(value: Any, method: str) -> None:
    lines = [json.dumps({"messages": value, "input": value, "preferred_output": value}).encode()]
    assert "json_lines" in found_in(b"\n".join([*lines, json.dumps(value).encode()]), method=method)


def test_a_seal_that_is_broken_is_not_taken_for_a_good_file() -> None:
    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        def chunks() -> Iterator[bytes]:
            yield b"".join(LINES)
            raise TamperedError("the sealed file ends too early")

        yield chunks()

    with pytest.raises(TamperedError):
        check_content(spec_of(training=Content(1_000, opened)), OPENAI)


def test_a_line_of_any_length_is_read_in_bounded_memory() -> None:
    piece = b"x" * (1 << 20)

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        yield (piece for _ in range(128))

    spec = spec_of(training=Content(128 << 20, opened))
    tracemalloc.start()
    findings = check_content(spec, COMPATIBLE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "json_lines" in refused(findings)
    assert peak < 80 << 20


def test_tokens_are_estimated_as_the_warehouse_does(con: duckdb.DuckDBPyConnection) -> None:
    sql = r"select len(regexp_extract_all(?, '\p{L}{1,6}|\p{N}{1,3}|[^\s\p{L}\p{N}]'))"
    for text in (
        "Paid 12.50 EUR to café Ängström",
        "a_b-c 1234567 日本語のテスト",
        "",
        "  \n",
        "…—!",
    ):
        assert con.execute(sql, [text]).fetchall() == [(count_tokens(text),)]
