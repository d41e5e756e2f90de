"""The check stage: contract, flags, suites, verdict."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.check import VERDICT_SCHEMA, CheckSpec, check, hash_suites, require_pass
from python_stages.check.contract import FLAGS, inspect
from python_stages.check.flags import flag_examples
from python_stages.check.recall import flag_recall
from python_stages.check.suites import load_rules
from python_stages.errors import ConfigError, NotCheckedError, StageError

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "expectations"
FINGERPRINT = "ab" * 32
SPEC = CheckSpec(
    labels=("Gas", "Retail"),
    pii_entities=("EMAIL_ADDRESS", "PERSON"),
    max_tokens_per_example=100,
    min_class_share=0.2,
    max_class_share=0.8,
)
Row = dict[str, Any]
Message = dict[str, Any]


def count_by_mark(texts: Sequence[str]) -> Mapping[str, npt.NDArray[np.int64]]:
    """Count what the tests plant: `@` is an e-mail address, `Ms ` a person."""
    return {
        "EMAIL_ADDRESS": np.array([text.count("@") for text in texts], dtype=np.int64),
        "PERSON": np.array([text.count("Ms ") for text in texts], dtype=np.int64),
    }


def chat(user: str = "which class is this?", answer: str = "Gas") -> list[Message]:
    return [
        {"role": "system", "content": "Classify the purchase."},
        {"role": "user", "content": user},
        {"role": "assistant", "content": answer},
    ]


def good_rows(n_train: int = 12, n_validation: int = 4) -> list[Row]:
    rows = []
    for number in range(n_train + n_validation):
        label = SPEC.labels[number % 2]
        rows.append(
            {
                "example_id": f"id-{number}",
                "split": "train" if number < n_train else "validation",
                "label": label,
                "messages": json.dumps(chat(f"purchase number {number}", label)),
                "n_tokens": 30,
            }
        )
    return rows


def to_batches(rows: Sequence[Row], size: int = 5) -> list[pa.RecordBatch]:
    texts: list[tuple[str, Any]] = [
        (name, pa.string()) for name in ("example_id", "split", "label", "messages")
    ]
    schema = pa.schema([*texts, ("n_tokens", pa.int64())])
    return pa.Table.from_pylist(list(rows), schema=schema).to_batches(max_chunksize=size)


def recall_of(*rows: tuple[str, int | None, int | None, float | None]) -> pa.Table:
    """Return what was planted, masked and asked for, per entity."""
    names = ("entity", "n_planted", "n_masked", "min_recall")
    kinds = (pa.string(), pa.int64(), pa.int64(), pa.float64())
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = [pa.array(list(one), kind) for one, kind in zip(columns, kinds, strict=True)]
    return pa.table(dict(zip(names, arrays, strict=True)))


RECALL = recall_of(("EMAIL_ADDRESS", 60, 60, 0.99), ("PERSON", 60, 54, 0.9))


def run(rows: Sequence[Row], spec: CheckSpec = SPEC, **options: Any) -> pa.Table:
    given_options: dict[str, Any] = {
        "dataset_fingerprint": FINGERPRINT,
        "reject_share": 0.0,
        "recall": RECALL,
        "folder": FOLDER,
    }
    return check(to_batches(rows), spec, count_by_mark, **(given_options | options))


def failures(verdict: pa.Table) -> dict[str, int | None]:
    """Return the count of failures by column (or by expectation where there is no column)."""
    return {
        row["column"] or row["expectation"]: row["n_failed"]
        for row in verdict.to_pylist()
        if not row["is_success"]
    }


def changed(**changes: Any) -> list[Row]:
    """Return good rows, the first one changed."""
    first, *rest = good_rows()
    return [first | changes, *rest]


def with_messages(messages: Any) -> list[Row]:
    return changed(messages=messages if isinstance(messages, str) else json.dumps(messages))


# --- one conversation -----------------------------------------------------------------------


def broken_flags(messages: Any) -> set[str]:
    text = messages if isinstance(messages, str) else json.dumps(messages)
    inspection = inspect(text)
    return {flag for flag in FLAGS if not getattr(inspection, flag)}


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED = chat()[:2]

GOOD_CONVERSATIONS = {
    "plain": chat(),
    "without a system message": chat()[1:],
    "two turns": [*chat(), *chat()[1:]],
    "a tool call and its result": [
        *ASKED,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "1", "content": "ok"},
        {"role": "assistant", "content": "Gas"},
    ],
    "weight on the assistant": [*ASKED, {"role": "assistant", "content": "Gas", "weight": 0}],
    "tabs, line feeds and emoji in a text": chat("a\tb\nc \U0001f469\u200d\U0001f4bb é"),
    "angle brackets and bars that make no token": chat("a <| b, c |> d, <b>, <a|b>, x < y | z > w"),
}

BAD_CONVERSATIONS: dict[str, tuple[Any, set[str]]] = {
    "no JSON": ("[{]", set(FLAGS) - {"is_single_line"}),
    "no list": ({"role": "user"}, set(FLAGS) - {"is_single_line"}),
    "no message": ([], set(FLAGS) - {"is_single_line"}),
    "a key twice": (
        '[{"role": "user", "content": "a", "content": "b"}]',
        set(FLAGS) - {"is_single_line"},
    ),
    "NaN": ('[{"role": "user", "content": NaN}]', set(FLAGS) - {"is_single_line"}),
    "nested without end": ("[" * 100_000, set(FLAGS) - {"is_single_line"}),
    "two lines": (json.dumps(chat(), indent=1), {"is_single_line"}),
    "a control character": (chat("a\x00b"), {"is_clean_text"}),
    "a C1 control character": (chat("a\x85b"), {"is_clean_text"}),
    "half a surrogate pair": (chat("a\ud800b"), {"is_clean_text"}),
    "decoding damage": (chat("caf\ufffd"), {"is_clean_text"}),
    "an unknown role": (
        [{"role": "robot", "content": "a"}, *chat()[1:]],
        {"has_known_roles", "has_ordered_roles", "has_allowed_keys"},
    ),
    "system in the middle": ([chat()[1], chat()[0], chat()[2]], {"has_ordered_roles"}),
    "two answers": ([*chat(), chat()[2]], {"has_ordered_roles"}),
    "an answer to nothing": (chat()[2:], {"has_ordered_roles"}),
    "a tool nobody called": (
        [*chat(), {"role": "tool", "tool_call_id": "1", "content": "x"}, chat()[2]],
        {"has_ordered_roles"},
    ),
    "no answer": (ASKED, {"has_last_assistant"}),
    "an empty question": (chat(" \n"), {"has_contents"}),
    "no content": ([{"role": "user"}, chat()[2]], {"has_contents"}),
    "content in parts": (
        [{"role": "user", "content": [{"type": "text", "text": "a"}]}, chat()[2]],
        {"has_contents"},
    ),
    "an unknown key": ([*ASKED, chat()[2] | {"note": "x"}], {"has_allowed_keys"}),
    "weight on the user": ([chat()[1] | {"weight": 1}, chat()[2]], {"has_allowed_keys"}),
    "weight of a half": ([*ASKED, chat()[2] | {"weight": 0.5}], {"has_allowed_keys"}),
    "weight true": ([*ASKED, chat()[2] | {"weight": True}], {"has_allowed_keys"}),
    "a special token": (chat("a <|im_end|> b"), {"is_free_of_special_tokens"}),
    "a special token in a name": (
        [chat()[1] | {"name": "<|x|>"}, chat()[2]],
        {"is_free_of_special_tokens"},
    ),
    "a full-width special token": (chat("<\uff5cbegin\uff5c>"), {"is_free_of_special_tokens"}),
}


@pytest.mark.parametrize("messages", GOOD_CONVERSATIONS.values(), ids=GOOD_CONVERSATIONS.keys())
def test_a_good_conversation_has_every_flag(messages: list[Message]) -> None:
    assert broken_flags(messages) == set()


@pytest.mark.parametrize(
    ("messages", "broken"), BAD_CONVERSATIONS.values(), ids=BAD_CONVERSATIONS.keys()
)
def test_a_bad_conversation_lacks_exactly_its_flag(messages: Any, broken: set[str]) -> None:
    assert broken_flags(messages) == broken


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_inspection_never_raises(text: str) -> None:
    inspect(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(["role", "content", "weight", "x"]), json_values)))
def test_inspection_never_raises_on_objects_of_any_shape(messages: list[Message]) -> None:
    inspect(json.dumps(messages))


@given(st.text(min_size=1))
def test_every_text_of_a_conversation_is_searched_for_personal_data(text: str) -> None:
    messages = [chat()[1] | {"name": text}, chat()[2] | {"tool_calls": [{"deep": [text]}]}]

    assert inspect(json.dumps(messages)).texts.count(text) >= 2


# --- rules of the suites ----------------------------------------------------------------------


def test_a_good_dataset_passes_every_rule() -> None:
    verdict = run(good_rows())

    assert failures(verdict) == {}
    assert verdict.schema == VERDICT_SCHEMA
    assert verdict.num_rows == len(load_rules(FOLDER))
    require_pass(verdict, dataset_fingerprint=FINGERPRINT, suite_hash=hash_suites(SPEC, FOLDER))


def all_one_split() -> list[Row]:
    return good_rows(n_validation=0)


def one_prompt_in_both_splits() -> list[Row]:
    rows = good_rows()
    twin = json.loads(rows[0]["messages"])[1]["content"]
    rows[-1] |= {"messages": json.dumps(chat(twin, "Retail")), "label": "Retail"}
    return rows


def one_prompt_twice_in_one_split() -> list[Row]:
    rows = good_rows()
    twin = json.loads(rows[0]["messages"])[1]["content"]
    rows[1] |= {"messages": json.dumps(chat(twin, "Retail")), "label": "Retail"}
    return rows


def classes(n_gas: int, n_retail: int) -> list[Row]:
    rows = good_rows(n_gas + n_retail)
    for number, row in enumerate(rows[: n_gas + n_retail]):
        label = "Gas" if number < n_gas else "Retail"
        row |= {"label": label, "messages": json.dumps(chat(f"no {number}", label))}
    return rows


FAILING: dict[str, tuple[list[Row], dict[str, int]]] = {
    "two lines in one": (with_messages(json.dumps(chat("x"), indent=1)), {"is_single_line": 1}),
    "unknown label": (
        changed(label="Rail", messages=json.dumps(chat("x", "Rail"))),
        {"is_label_known": 1},
    ),
    "answer in another case": (with_messages(chat("x", "gas")), {"is_answer_label": 1}),
    "answer with a blank": (with_messages(chat("x", "Gas ")), {"is_answer_label": 1}),
    "unknown split": (changed(split="test"), {"split_code": 1}),
    "no split": (changed(split=None), {"split_code": 1}),
    "too many tokens": (changed(n_tokens=101), {"n_tokens": 1}),
    "no token": (changed(n_tokens=0), {"n_tokens": 1}),
    "tokens not counted": (changed(n_tokens=None), {"n_tokens": 1}),
    "id twice": (changed(example_id="id-1"), {"example_code": 1}),
    "conversation twice": (
        with_messages(good_rows()[2]["messages"]),
        {"conversation_code": 1},
    ),
    "prompt in both splits": (one_prompt_in_both_splits(), {"prompt_code": 2}),
    "e-mail in the question": (
        with_messages(chat("write to a@b.example")),
        {"expect_personal_data_to_be_absent": 1},
    ),
    "person in the system prompt": (
        with_messages([{"role": "system", "content": "You are Ms X"}, *chat("x")[1:]]),
        {"expect_personal_data_to_be_absent": 1},
    ),
    "too few in training": (good_rows(9), {"n_train": 1}),
    "nothing in validation": (all_one_split(), {"n_validation": 1}),
    "a class too rare": (classes(9, 2), {"label_code": 2}),
    "a class without training": (classes(11, 0), {"label_code": 2}),
}

NEAR_MISSES: dict[str, list[Row]] = {
    "last token of the budget": changed(n_tokens=100),
    "one token": changed(n_tokens=1),
    "prompt twice in one split": one_prompt_twice_in_one_split(),
    "fewest in training": good_rows(10),
    "fewest in validation": good_rows(n_validation=1),
    "a class just common enough": classes(8, 2),
}


@pytest.mark.parametrize(("rows", "failed"), FAILING.values(), ids=FAILING.keys())
def test_a_broken_rule_fails_and_is_counted(rows: list[Row], failed: dict[str, int]) -> None:
    assert failures(run(rows)).items() >= failed.items()


@pytest.mark.parametrize("rows", NEAR_MISSES.values(), ids=NEAR_MISSES.keys())
def test_a_near_miss_passes(rows: list[Row]) -> None:
    assert failures(run(rows)) == {}


@pytest.mark.parametrize("column", sorted({*FLAGS, "is_label_known", "is_answer_label"}))
def test_every_flag_is_judged_by_a_rule(column: str) -> None:
    assert column in {rule.column for rule in load_rules(FOLDER)}


def test_every_column_of_numbers_is_judged_by_a_rule() -> None:
    frames = flag_examples(to_batches(good_rows()), SPEC, count_by_mark, reject_share=0.0)
    judged = {rule.column for rule in load_rules(FOLDER)}

    free = {"example_ref", "n_bytes"}  # a position, and what n_train_bytes adds up
    counted = {name for name in frames.examples if name.startswith("n_pii_")}
    assert {*frames.examples, *frames.dataset} - judged == free | counted
    named = {"entity", "recall", "min_recall"}  # what is_met is made of
    assert set(flag_recall(RECALL)) - judged == named


@pytest.mark.parametrize(
    ("recall", "failed"),
    [
        (recall_of(), {"expect_table_row_count_to_be_between": 1}),
        (recall_of(("PERSON", 60, 53, 0.9)), {"is_met": 1}),
        (recall_of(("PERSON", 60, 54, 0.9), ("US_SSN", 60, 59, 0.99)), {"is_met": 1}),
        (recall_of(("PERSON", 0, 0, 0.0)), {"is_met": 1}),
        (recall_of(("PERSON", 60, 61, 0.9)), {"is_met": 1}),
        (recall_of(("PERSON", 60, None, 0.9)), {"is_met": 1}),
        (recall_of(("PERSON", None, 60, 0.9)), {"is_met": 1}),
        (recall_of(("PERSON", 60, 60, None)), {"is_met": 1}),
        (recall_of(("PERSON", 60, 54, 0.9)), {}),
        (recall_of(("PERSON", 60, 0, 0)), {}),
    ],
)
def test_the_recall_of_planted_data_fails_below_its_bound_and_without_proof(
    recall: pa.Table, failed: dict[str, int]
) -> None:
    assert failures(run(good_rows(), recall=recall)) == failed


def test_the_verdict_says_which_entity_was_masked_too_rarely() -> None:
    recall = recall_of(("PERSON", 60, 45, 0.9), ("US_SSN", 60, 60, 0.99))

    (failed,) = (
        row for row in run(good_rows(), recall=recall).to_pylist() if not row["is_success"]
    )

    assert failed["description"].endswith("(PERSON 0.75 of 0.9)")
    assert (failed["suite"], failed["n_checked"], failed["n_failed"]) == ("recall", 2, 1)


def test_a_recall_without_a_column_stops_the_check() -> None:
    with pytest.raises(StageError, match="column min_recall of the recall is missing"):
        run(good_rows(), recall=RECALL.drop_columns("min_recall"))


def test_a_missing_class_fails_coverage_and_shares_apart() -> None:
    kinds = {
        row["expectation"]: (row["n_checked"], row["n_failed"])
        for row in run(classes(11, 0)).to_pylist()
        if not row["is_success"]
    }

    assert kinds["expect_labels_to_be_covered"] == (2, 1)
    assert kinds["expect_class_shares_to_be_within"] == (2, 2)


def test_a_split_over_the_size_limit_fails_and_one_at_the_limit_passes() -> None:
    rows = good_rows()
    lines = [f'{{"messages": {row["messages"]}}}\n' for row in rows if row["split"] == "train"]
    n_bytes = len("".join(lines).encode())

    assert failures(run(rows, replace(SPEC, max_split_bytes=n_bytes))) == {}
    assert failures(run(rows, replace(SPEC, max_split_bytes=n_bytes - 1))) == {"n_train_bytes": 1}


def test_rejects_past_their_share_fail_and_rejects_at_it_pass() -> None:
    assert failures(run(good_rows(), reject_share=0.01)) == {}
    assert failures(run(good_rows(), reject_share=0.0101)) == {"reject_share": 1}
    assert failures(run(good_rows(), reject_share=float("nan"))) == {"reject_share": 1}


def test_no_examples_at_all_are_no_pass() -> None:
    assert {"n_train", "n_validation", "label_code"} <= failures(run([])).keys()


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 20))
def test_the_verdict_does_not_depend_on_the_order_of_rows(seed: int, size: int) -> None:
    rows = [*one_prompt_in_both_splits(), changed(n_tokens=0, label="Rail")[0]]
    shuffled = random.Random(seed).sample(rows, len(rows))
    options: dict[str, Any] = {
        "dataset_fingerprint": FINGERPRINT,
        "reject_share": 0.0,
        "recall": RECALL,
        "folder": FOLDER,
    }

    assert check(to_batches(shuffled, size), SPEC, count_by_mark, **options) == run(rows)


# --- personal data ----------------------------------------------------------------------------


def test_the_verdict_says_which_entity_was_found_in_how_many_rows() -> None:
    rows = good_rows()
    for row in rows[:2]:
        row["messages"] = json.dumps(chat(f"{row['example_id']} Ms X, Ms Y", row["label"]))

    (found,) = [row for row in run(rows).to_pylist() if not row["is_success"]]

    assert found["n_failed"] == 2
    assert found["description"].endswith("(rows with PERSON 2)")


def test_an_entity_that_was_not_counted_stops_the_check() -> None:
    spec = replace(SPEC, pii_entities=("EMAIL_ADDRESS", "IBAN_CODE"))

    with pytest.raises(StageError, match="nothing was counted for IBAN_CODE"):
        run(good_rows(), spec)


@pytest.mark.parametrize("counts", [[0], [[0]], -1])
def test_a_count_that_does_not_cover_every_text_stops_the_check(counts: Any) -> None:
    def count(texts: Sequence[str]) -> Mapping[str, npt.NDArray[np.int64]]:
        wrong = np.full(len(texts), -1) if counts == -1 else np.array(counts)
        return dict.fromkeys(SPEC.pii_entities, wrong)

    with pytest.raises(StageError, match="nothing is released"):
        check(
            to_batches(good_rows()),
            SPEC,
            count,
            dataset_fingerprint=FINGERPRINT,
            reject_share=0.0,
            recall=RECALL,
            folder=FOLDER,
        )


def test_a_text_that_recurs_in_a_batch_is_searched_once() -> None:
    seen: list[str] = []

    def count(texts: Sequence[str]) -> Mapping[str, npt.NDArray[np.int64]]:
        seen.extend(texts)
        return count_by_mark(texts)

    flag_examples(to_batches(good_rows(), size=100), SPEC, count, reject_share=0.0)

    assert len(seen) == len(set(seen))


# --- no text gets out -------------------------------------------------------------------------

CANARY = "zq7canary"


def canary_rows() -> list[Row]:
    texts = chat(f"{CANARY} a@b.example <|{CANARY}|>", CANARY)
    broken = f"[{CANARY}"
    return [
        *good_rows(),
        {
            "example_id": CANARY,
            "split": CANARY,
            "label": CANARY,
            "messages": json.dumps(texts),
            "n_tokens": None,
        },
        {
            "example_id": CANARY,
            "split": "train",
            "label": CANARY,
            "messages": broken,
            "n_tokens": 999,
        },
    ]


def test_the_frames_hold_numbers_only() -> None:
    frames = flag_examples(to_batches(canary_rows()), SPEC, count_by_mark, reject_share=0.0)

    for frame in frames.by_suite().values():
        assert {column.dtype.kind for column in frame.values()} <= set("bif")


def test_no_text_reaches_the_verdict_or_any_result_of_great_expectations(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from great_expectations.checkpoint.checkpoint import (  # noqa: PLC0415 - takes seconds
        Checkpoint,
    )

    results: list[str] = []
    run_checkpoint: Any = Checkpoint.run

    def keep(self: Checkpoint, *args: Any, **kwargs: Any) -> Any:
        result = run_checkpoint(self, *args, **kwargs)
        results.extend(str(each.to_json_dict()) for each in result.run_results.values())
        return result

    monkeypatch.setattr(Checkpoint, "run", keep)

    verdict = run(canary_rows())

    written = capfd.readouterr()
    assert len(results) == 3
    assert "expect_splits_to_be_disjoint" in results[0]
    assert CANARY not in "".join(results)
    assert CANARY not in str(verdict.to_pylist()) + written.out + written.err


def snapshot(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return when each file and folder was last written, and its size in bytes."""
    stats = {path: path.stat() for path in [folder, *folder.rglob("*")]}
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in stats.items()}


def test_a_check_writes_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "expectations"
    shutil.copytree(FOLDER, folder)
    before = snapshot(tmp_path)

    run(canary_rows(), folder=folder)

    assert snapshot(tmp_path) == before


# --- nothing is skipped -----------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "expectations"
    shutil.copytree(FOLDER, copy)
    return copy


def edit(folder: Path, name: str, change: Any) -> None:
    path = folder / name
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_rule_that_great_expectations_cannot_compute_is_a_failed_row(folder: Path) -> None:
    def look_elsewhere(suite: dict[str, Any]) -> None:
        for rule in suite["expectations"]:
            if rule["type"] == "expect_splits_to_be_disjoint":
                rule["kwargs"]["column"] = "is_absent"

    edit(folder, "suites/examples.json", look_elsewhere)

    verdict = run(good_rows(), folder=folder)

    assert failures(verdict) == {"is_absent": None}
    assert verdict.num_rows == len(load_rules(FOLDER))


def test_mostly_loosens_nothing(folder: Path) -> None:
    def loosen(suite: dict[str, Any]) -> None:
        suite["expectations"][0]["kwargs"]["mostly"] = 0.1

    edit(folder, "suites/examples.json", loosen)

    assert "is_json" in failures(run(with_messages("[{]"), folder=folder))


def test_an_expectation_that_did_not_come_back_stops_the_check(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = load_rules(folder)
    edit(folder, "suites/dataset.json", lambda suite: suite["expectations"].pop())
    monkeypatch.setattr("python_stages.check.stage.load_rules", lambda _: rules)

    with pytest.raises(StageError, match="27 of 28 expectations came back"):
        run(good_rows(), folder=folder)


def test_a_checkpoint_that_would_keep_values_is_refused(folder: Path) -> None:
    edit(folder, "checkpoints/examples.json", lambda it: it.update(result_format="COMPLETE"))

    with pytest.raises(StageError, match="BOOLEAN_ONLY"):
        run(good_rows(), folder=folder)


@pytest.mark.parametrize(
    "name",
    [
        "great_expectations.yml",
        "suites/examples.json",
        "suites/dataset.json",
        "suites/recall.json",
        "validation_definitions/examples.json",
        "checkpoints/dataset.json",
    ],
)
def test_a_missing_definition_stops_the_check(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(StageError, match="write_suites"):
        run(good_rows(), folder=folder)


def test_an_unknown_parameter_stops_the_check(folder: Path) -> None:
    def ask(suite: dict[str, Any]) -> None:
        suite["expectations"][1]["kwargs"]["min_value"] = {"$PARAMETER": "mood"}

    edit(folder, "suites/dataset.json", ask)

    with pytest.raises(StageError):
        run(good_rows(), folder=folder)


def test_a_column_that_is_not_there_stops_the_check() -> None:
    batches = [batch.drop_columns(["n_tokens"]) for batch in to_batches(good_rows())]

    with pytest.raises(StageError, match="column n_tokens is missing"):
        check(
            batches,
            SPEC,
            count_by_mark,
            dataset_fingerprint=FINGERPRINT,
            reject_share=0.0,
            recall=RECALL,
        )


# --- the files in expectations/ ---------------------------------------------------------------


def test_the_committed_definitions_are_what_the_script_writes() -> None:
    from python_stages.check.write_suites import render  # noqa: PLC0415 - pulls in PyYAML

    committed = {
        path.relative_to(FOLDER).as_posix(): path.read_text("utf-8")
        for path in FOLDER.rglob("*")
        if path.is_file()
    }

    assert committed == render()


def test_the_folder_opens_as_a_project_of_great_expectations(folder: Path) -> None:
    from python_stages.check.runner import open_context  # noqa: PLC0415 - takes seconds

    checkpoints = open_context(folder).checkpoints.all()

    assert {checkpoint.name for checkpoint in checkpoints} == {"examples", "dataset", "recall"}
    assert all(checkpoint.is_fresh().success for checkpoint in checkpoints)


# --- what counts as a PASS --------------------------------------------------------------------


def verdict_rows(**changes: Any) -> list[Row]:
    rows = [
        {
            "suite": "examples",
            "expectation": "expect_column_values_to_be_in_set",
            "column": column,
            "description": "",
            "is_success": True,
            "n_checked": 1,
            "n_failed": 0,
            "suite_hash": "s",
            "n_expectations": 2,
            "dataset_fingerprint": FINGERPRINT,
        }
        for column in ("is_json", "is_single_line")
    ]
    rows[-1] |= changes
    return rows


def require(rows: list[Row]) -> None:
    # nulls are what a table from elsewhere could hold, so the schema is not asked to forbid them
    table = pa.Table.from_pylist(rows, schema=pa.schema([*map(_nullable, VERDICT_SCHEMA)]))
    require_pass(table, dataset_fingerprint=FINGERPRINT, suite_hash="s")


def _nullable(field: Any) -> Any:
    return field.with_nullable(True)  # noqa: FBT003 - pyarrow's signature


def test_a_full_verdict_of_the_same_lines_and_rules_is_a_pass() -> None:
    require(verdict_rows())


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "no check was recorded"),
        (verdict_rows()[:1], "incomplete"),
        ([*verdict_rows(), verdict_rows()[0]], "incomplete"),
        (verdict_rows()[:1] * 2, "incomplete"),
        (verdict_rows(dataset_fingerprint="cd"), "other lines"),
        (verdict_rows(dataset_fingerprint=None), "other lines"),
        (verdict_rows(suite_hash="t"), "rules have changed"),
        (verdict_rows(is_success=False), r"in_set\(is_single_line\); see"),
        (verdict_rows(is_success=None), "1 of 2 expectations failed"),
    ],
)
def test_anything_less_is_no_pass(rows: list[Row], reason: str) -> None:
    with pytest.raises(NotCheckedError, match=reason):
        require(rows)


def test_a_table_that_is_no_verdict_is_no_pass() -> None:
    with pytest.raises(NotCheckedError, match="no verdict"):
        require_pass(pa.table({"a": [1]}), dataset_fingerprint=FINGERPRINT, suite_hash="s")


def test_another_suite_bound_label_or_entity_gives_another_hash(folder: Path) -> None:
    hashes = [
        hash_suites(SPEC, folder),
        hash_suites(replace(SPEC, labels=("Gas", "Rail")), folder),
        hash_suites(replace(SPEC, pii_entities=("PERSON",)), folder),
        hash_suites(replace(SPEC, max_reject_share=0.02), folder),
        hash_suites(replace(SPEC, min_planted_recall={"PERSON": 0.8}), folder),
    ]
    edit(folder, "suites/dataset.json", lambda suite: suite["expectations"].pop())
    hashes.append(hash_suites(SPEC, folder))

    assert len(set(hashes)) == len(hashes)


def test_the_hash_ignores_the_layout_of_the_file(folder: Path) -> None:
    before = hash_suites(SPEC, folder)
    edit(folder, "suites/examples.json", lambda _: None)

    assert hash_suites(SPEC, folder) == before


def test_a_missing_or_empty_suite_has_no_hash(folder: Path) -> None:
    edit(folder, "suites/dataset.json", lambda suite: suite.update(expectations=[]))

    with pytest.raises(StageError, match="suite dataset is empty"):
        hash_suites(SPEC, folder)


# --- configuration ----------------------------------------------------------------------------

CONFIG: dict[str, Any] = {
    "labels": ["Gas", "Retail"],
    "pii_entities": ["PERSON"],
    "max_tokens_per_example": 100,
}


def test_a_config_needs_three_settings_only() -> None:
    spec = CheckSpec.from_config(CONFIG)

    assert (spec.labels, spec.min_train_examples) == (("Gas", "Retail"), 10)


@pytest.mark.parametrize("name", sorted(CONFIG))
def test_a_missing_setting_is_named(name: str) -> None:
    config = {key: value for key, value in CONFIG.items() if key != name}

    with pytest.raises(ConfigError, match=name):
        CheckSpec.from_config(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_token_per_example", 5),
        ("labels", []),
        ("labels", "Gas"),
        ("labels", ["Gas", "Gas"]),
        ("labels", ["Gas", 5]),
        ("pii_entities", []),
        ("max_tokens_per_example", 0),
        ("max_tokens_per_example", "100"),
        ("max_tokens_per_example", True),
        ("min_train_examples", 0),
        ("max_reject_share", 1.1),
        ("max_reject_share", float("nan")),
        ("min_class_share", 0.95),
        ("min_planted_recall", 0.9),
        ("min_planted_recall", {"PERSON": 1.1}),
        ("min_planted_recall", {"PERSON": True}),
    ],
)
def test_a_wrong_setting_is_refused_by_name_and_not_by_value(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        CheckSpec.from_config(CONFIG | {name: value})


def test_no_label_is_among_the_parameters_of_great_expectations() -> None:
    assert "Gas" not in str(SPEC.parameters())


# --- imports ----------------------------------------------------------------------------------


def run_python(code: str) -> str:
    done = subprocess.run(  # the state of imports is per process
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_asking_for_a_pass_imports_neither_great_expectations_nor_pandas() -> None:
    code = (
        "import sys, python_stages.check;"
        "print({'great_expectations', 'pandas', 'scipy'} & set(sys.modules))"
    )

    assert run_python(code) == "set()"


def test_checks_in_two_threads_do_not_disturb_each_other() -> None:
    broken = changed(n_tokens=0)
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(run, [good_rows(), broken, good_rows(), broken]))

    assert [failures(verdict) for verdict in verdicts] == [{}, {"n_tokens": 1}] * 2


def test_what_the_import_postponed_is_there_when_it_is_asked_for() -> None:
    code = (
        "import sys, warnings;"
        "from python_stages.check.imports import import_great_expectations as load;"
        "load(); print({'altair', 'scipy.stats'} & set(sys.modules));"
        "import gc; print(gc.isenabled());"
        "from great_expectations.expectations.core import "
        "expect_column_kl_divergence_to_be_less_than as kl;"
        "print(kl.stats.entropy([0.5, 0.5]) > 0.69);"
        "from scipy import stats; print(stats.__file__ is not None)"
    )

    assert run_python(code).split("\n") == ["set()", "True", "True", "True"]
