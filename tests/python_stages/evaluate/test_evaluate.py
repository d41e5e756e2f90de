"""Claims about scores: what they are, beside scikit-learn's and scipy's, and how sure they are."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from python_stages import evaluate
from python_stages.errors import ConfigError, StageError
from python_stages.evaluate import Bootstrap, EvaluateSettings, Example, Prediction, Task
from python_stages.evaluate.intervals import Numbers, bootstrap, wilson
from python_stages.evaluate.scores import Score, score_labels, score_texts
from python_stages.evaluate.tasks import normalised
from python_stages.evaluate.text_scores import is_exact, rouge_l, tokens

QUICK = Bootstrap(n_resamples=200)
LABELS = ["Gas", "Retail", "Travel"]
PREDICTION = Prediction(
    job_key="job",
    dataset="tickets",
    model_role="tuned",
    model="ft:1",
    example_id="e1",
    example_fingerprint="f1",
    task="classification",
    label="Gas",
    predicted="Gas",
    is_valid=True,
    reference="Gas",
    answer="gas.",
)


def value(scores: Sequence[Score], metric: str, label: str | None = None) -> float:
    (found,) = [
        one.value
        for one in scores
        if (one.metric, one.label, one.compared_with) == (metric, label, None)
    ]
    return found


# ── what is asked ──


def test_a_label_with_one_answer_of_its_own_makes_a_classification() -> None:
    task = evaluate.task_of([("gas", "It is Gas."), ("retail", "It is Retail.")] * 2)
    assert task == Task("classification", {"gas": "It is Gas.", "retail": "It is Retail."})
    assert task.label_of("it  is\nGAS") == "gas"
    assert task.label_of("gas") is None


@pytest.mark.parametrize(
    "pairs",
    [
        [("gas", "Shell"), ("gas", "Exxon")] * 2,  # a label with two answers
        [("gas", "Yes"), ("retail", "yes.")] * 2,  # an answer with two labels
        [("1", "One text."), ("2", "Another text.")],  # labels that are no classes
    ],
)
def test_everything_else_asks_for_a_text(pairs: list[tuple[str, str]]) -> None:
    assert evaluate.task_of(pairs) == Task("text", {})


@given(st.text())
def test_an_answer_is_normalised_once_and_for_all(text: str) -> None:
    once = normalised(text)
    assert normalised(f'"{text} ".') == normalised(once) == once or not once.isascii()


def test_an_example_is_its_prompt_and_the_answer_that_it_has() -> None:
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
    ]
    example = Example.from_row("e", "f", "l", json.dumps(messages))
    assert (example.prompt, example.reference) == (tuple(messages[:2]), "a")
    assert example.user_text == "u"


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "CANARY"}],
        [{"role": "assistant", "tool_calls": ["CANARY"]}],
        {"preferred": "CANARY"},
        [],
    ],
)
def test_an_example_without_an_answer_of_the_assistant_is_refused(messages: Any) -> None:
    with pytest.raises(StageError, match="does not end with a text") as error:
        Example.from_row("e", "f", "l", json.dumps(messages))
    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize(
    "config",
    [
        {"bases": True},
        {"base": "yes"},
        {"max_examples": -1},
        {"max_examples": True},
        {"max_tokens": 0},
        {"n_at_once": 1.5},
    ],
)
def test_a_setting_that_cannot_be_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="evaluate: "):
        EvaluateSettings.from_config(config)


# ── labels ──


def test_scores_of_labels_are_what_one_counts_by_hand() -> None:
    truth = ["Gas", "Gas", "Gas", "Retail", "Retail", "Travel"]
    given_labels = ["Gas", "Gas", "Retail", "Retail", None, "Food"]
    scores = score_labels(truth, {"tuned": given_labels}, QUICK)
    assert value(scores, "accuracy") == pytest.approx(3 / 6)
    assert value(scores, "invalid_label_rate") == pytest.approx(1 / 6)
    assert value(scores, "precision", "Gas") == pytest.approx(1.0)
    assert value(scores, "recall", "Gas") == pytest.approx(2 / 3)
    assert value(scores, "f1", "Gas") == pytest.approx(0.8)
    assert value(scores, "precision", "Retail") == pytest.approx(1 / 2)
    assert value(scores, "recall", "Retail") == pytest.approx(1 / 2)
    assert math.isnan(value(scores, "precision", "Travel"))
    assert value(scores, "recall", "Travel") == 0
    assert value(scores, "f1", "Travel") == 0
    assert value(scores, "macro_f1") == pytest.approx((0.8 + 0.5 + 0) / 3)
    in_denominator = {(one.metric, one.label): one.n for one in scores}
    assert in_denominator["recall", "Gas"] == 3
    assert in_denominator["precision", "Gas"] == 2
    assert in_denominator["f1", "Gas"] == 5


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(LABELS), st.sampled_from([*LABELS, "Food", None])),
        min_size=1,
        max_size=40,
    )
)
def test_scores_of_labels_are_those_of_scikit_learn(pairs: list[tuple[str, str | None]]) -> None:
    truth, labels = [true for true, _ in pairs], [label for _, label in pairs]
    scores = score_labels(truth, {"tuned": labels}, Bootstrap(n_resamples=5))
    classes = sorted(set(truth))
    theirs = metrics.precision_recall_fscore_support(
        truth, [label or "?" for label in labels], labels=classes, zero_division=np.nan
    )
    for place, label in enumerate(classes):
        ours = [value(scores, metric, label) for metric in ("precision", "recall")]
        assert ours == pytest.approx([theirs[0][place], theirs[1][place]], nan_ok=True)
        assert value(scores, "f1", label) == pytest.approx(np.nan_to_num(theirs[2][place]))
    assert value(scores, "macro_f1") == pytest.approx(np.mean(np.nan_to_num(theirs[2])))
    assert value(scores, "accuracy") == pytest.approx(
        metrics.accuracy_score(truth, [label or "?" for label in labels])
    )


# ── texts ──


@pytest.mark.parametrize(
    ("reference", "answer", "score"),
    [
        # Lin 2004, section 3.1: "police killed the gunman" against two answers, beta = 1
        ("police killed the gunman", "police kill the gunman", 3 / 4),
        ("police killed the gunman", "the gunman kill police", 2 / 4),
        ("police killed the gunman", "the gunman police killed", 2 / 4),
        ("A, b!", "a B c", 2 * 2 / 5),
        ("", "", 1.0),
        ("?!", "...", 1.0),
        ("a", "", 0.0),
        ("ГАЗ стоит", "газ", 2 / 3),
        ("東京駅", "東京", 4 / 5),
    ],
)
def test_rouge_l_is_the_f_measure_of_the_longest_common_subsequence(
    reference: str, answer: str, score: float
) -> None:
    assert rouge_l(reference, answer) == pytest.approx(score)


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of a longest common subsequence, by the textbook."""
    row = [0] * (len(other) + 1)
    for token in one:
        diagonal = 0
        for place, candidate in enumerate(other, 1):
            kept = row[place]
            row[place] = diagonal + 1 if token == candidate else max(row[place], row[place - 1])
            diagonal = kept
    return row[-1]


WORDS = st.lists(st.sampled_from(["a", "b", "c", "é", "7"]), max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_rouge_l_is_that_of_the_textbook(reference: str, answer: str) -> None:
    wanted, found = tokens(reference), tokens(answer)
    if wanted or found:
        expected = 2 * longest_common(wanted, found) / (len(wanted) + len(found))
        assert rouge_l(reference, answer) == pytest.approx(expected)


@given(st.text(), st.text())
def test_rouge_l_is_a_share_that_does_not_depend_on_the_side(one: str, other: str) -> None:
    assert 0 <= rouge_l(one, other) <= 1
    assert rouge_l(one, other) == rouge_l(other, one)
    assert rouge_l(one, one) == 1


def test_an_exact_match_forgives_blanks_at_the_ends_and_nothing_else() -> None:
    assert is_exact("A b", " A b\n")
    assert not is_exact("A b", "A  b")
    assert not is_exact("A b", "a b")


def test_scores_of_texts_are_means() -> None:
    scores = score_texts(["a b", "c d"], {"tuned": ["a b", "c"]}, QUICK)
    assert value(scores, "exact_match") == 0.5
    assert value(scores, "rouge_l") == pytest.approx((1 + 2 / 3) / 2)


# ── how sure ──


def mean_of(values: Numbers) -> Any:
    return lambda weights: (weights @ values / weights.sum(axis=1))[:, None]


@pytest.mark.parametrize("draw", ["skewed", "shares"])
def test_an_interval_is_that_of_scipy(draw: str) -> None:
    random = np.random.default_rng(3)
    values = random.exponential(size=60) if draw == "skewed" else random.random(60) < 0.9
    sample = np.asarray(values, dtype=np.float64)
    ours = bootstrap(mean_of(sample), 60, Bootstrap(n_resamples=20_000))
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=20_000, random_state=random)
    expected = (theirs.confidence_interval.low, theirs.confidence_interval.high)
    assert (ours.low[0], ours.high[0]) == pytest.approx(expected, abs=0.02)


@pytest.fixture(scope="module")
def held() -> Counter[str]:
    """Count, in 200 samples of known truth, which intervals hold it."""
    random = np.random.default_rng(11)
    n_examples, n_held = 120, Counter[str]()
    # of a wrong answer the other labels are equally likely, so F1 is the chance to be right
    chance = {"tuned": 0.85, "base": 0.7}
    for trial in range(200):
        truth = random.integers(0, 3, n_examples)
        answers = {
            role: np.where(
                random.random(n_examples) < p,
                truth,
                (truth + random.integers(1, 3, n_examples)) % 3,
            )
            for role, p in chance.items()
        }
        scores = score_labels(
            [LABELS[one] for one in truth],
            {role: [LABELS[one] for one in found] for role, found in answers.items()},
            Bootstrap(n_resamples=300, seed=trial),
        )
        for score in scores:
            if score.role == "tuned" and score.label is None:
                true_value = 0.15 if score.compared_with else 0.85
                kind = f"{score.metric} {score.compared_with or 'itself'}"
                n_held[kind] += score.low <= true_value <= score.high
    return n_held


@pytest.mark.parametrize(
    "kind", ["accuracy itself", "macro_f1 itself", "accuracy base", "macro_f1 base"]
)
def test_about_95_of_100_intervals_hold_the_true_value(held: Counter[str], kind: str) -> None:
    # 190 are expected; fewer than 178 or more than 199 come up less than once in a thousand times
    assert 178 <= held[kind] <= 199


def test_a_difference_is_paired() -> None:
    truth = [LABELS[n % 3] for n in range(90)]
    wrong: list[str | None] = ["Gas" if n % 5 == 0 else one for n, one in enumerate(truth)]
    scores = score_labels(truth, {"tuned": wrong, "base": list(wrong)}, QUICK)
    (difference,) = [one for one in scores if one.compared_with and one.metric == "accuracy"]
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_intervals_are_the_same_every_time_and_others_with_another_seed() -> None:
    values = np.arange(30.0)
    first, again, other = (
        bootstrap(mean_of(values), 30, replace(QUICK, seed=seed)) for seed in (1, 1, 2)
    )
    assert (first.low[0], first.high[0]) == (again.low[0], again.high[0])
    assert (first.low[0], first.high[0]) != (other.low[0], other.high[0])


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.5, 0.999))
def test_the_interval_of_a_share_is_that_of_wilson(n_hits: int, n: int, confidence: float) -> None:
    n_hits = min(n_hits, n)
    theirs = stats.binomtest(n_hits, n).proportion_ci(confidence, method="wilson")
    assert wilson(n_hits, n, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_where_all_are_right_only_the_interval_of_wilson_has_a_width() -> None:
    (accuracy, *_) = score_labels(["Gas"] * 36, {"tuned": ["Gas"] * 36}, QUICK)
    assert (accuracy.low, accuracy.high) == (1, 1)
    assert accuracy.wilson_low == pytest.approx(0.9036, abs=1e-4)
    assert accuracy.wilson_high == 1


def test_a_class_of_one_example_has_an_interval_all_the_same() -> None:
    truth = ["Gas"] * 20 + ["Travel"]
    scores = score_labels(truth, {"tuned": [*["Gas"] * 19, "Travel", "Travel"]}, QUICK)
    (score,) = [one for one in scores if (one.metric, one.label) == ("precision", "Travel")]
    assert score.value == 0.5
    assert 0 <= score.low <= score.high <= 1


# ── baselines ──


def test_the_commonest_label_is_the_first_by_name_among_equals() -> None:
    assert evaluate.commonest(["b", "a", "b", "a", "c"], 2) == ["a", "a"]


def test_words_tell_labels_apart_and_do_so_the_same_every_time() -> None:
    texts = [f"{word} for {n} euros" for n in range(20) for word in ("Shell", "Zoo", "東")]
    labels = ["Gas", "Leisure", "Travel"] * 20
    asked = ["paid Zoo 5", "Shell!", "東京"]
    assert evaluate.tf_idf(texts, labels, asked) == ["Leisure", "Gas", "Travel"]


@pytest.mark.parametrize("texts", [["a", "b"], ["?", "!"]])
def test_where_there_is_nothing_to_learn_words_say_the_commonest(texts: list[str]) -> None:
    labels = ["Gas", "Gas"] if texts == ["a", "b"] else ["Travel", "Gas"]
    assert evaluate.tf_idf(texts, labels, ["c"]) == ["Gas"]


# ── relations ──


def table(*rows: Prediction) -> pa.Table:
    return evaluate.to_table(rows, evaluate.PREDICTIONS_SCHEMA)


def evaluated(*rows: Prediction) -> list[dict[str, Any]]:
    return evaluate.evaluations(table(*rows), QUICK).to_pylist()


def test_no_predictions_give_no_rows_of_the_right_types() -> None:
    empty = table()
    assert evaluate.evaluations(empty, QUICK).schema == evaluate.EVALUATIONS_SCHEMA
    assert evaluate.evaluation_classes(empty, QUICK).schema == evaluate.CLASSES_SCHEMA
    assert evaluate.evaluations(empty, QUICK).num_rows == 0


def test_a_model_that_has_not_answered_everything_has_no_score() -> None:
    rows = [replace(PREDICTION, example_id=f"e{n}") for n in range(4)]
    missing = {"is_valid": None, "answer": None, "predicted": None, "error_code": "timeout"}
    base = [
        replace(row, model_role="base", **(missing if n == 0 else {}))  # type: ignore[arg-type]  # names of the test
        for n, row in enumerate(rows)
    ]
    found = evaluated(*rows, *base)
    assert {(one["model_role"], one["metric"]): one["value"] for one in found} == {
        ("tuned", "answered_share"): 1.0,
        ("base", "answered_share"): 0.75,
        ("tuned", "accuracy"): 1.0,
        ("tuned", "macro_f1"): 1.0,
        ("tuned", "invalid_label_rate"): 0.0,
    }


def test_a_prompt_that_is_refused_for_good_counts_as_a_wrong_answer() -> None:
    refused = replace(
        PREDICTION,
        example_id="e2",
        predicted=None,
        is_valid=False,
        answer=None,
        error_code="content_filter",
    )
    found = {one["metric"]: one["value"] for one in evaluated(PREDICTION, refused)}
    assert (found["accuracy"], found["invalid_label_rate"]) == (0.5, 0.5)


def test_texts_are_scored_as_texts_and_jobs_apart() -> None:
    text = replace(PREDICTION, task="text", reference="a b", answer="a", predicted=None)
    found = evaluated(PREDICTION, replace(text, job_key="other"))
    by_job = {
        key: {one["metric"] for one in found if one["job_key"] == key} for key in ("job", "other")
    }
    assert by_job["job"] == {"answered_share", "accuracy", "macro_f1", "invalid_label_rate"}
    assert by_job["other"] == {"answered_share", "exact_match", "rouge_l"}


def test_models_that_answered_other_examples_are_not_compared() -> None:
    with pytest.raises(StageError, match="different examples"):
        evaluated(PREDICTION, replace(PREDICTION, model_role="base", example_id="e2"))


def test_classes_have_their_support_and_undefined_numbers_are_null() -> None:
    rows = [PREDICTION, replace(PREDICTION, example_id="e2", label="Travel")]
    found = evaluate.evaluation_classes(table(*rows), QUICK).to_pylist()
    by_metric = {(one["label"], one["metric"]): one for one in found}
    assert by_metric["Travel", "precision"]["value"] is None
    assert by_metric["Travel", "precision"]["low"] is None
    assert by_metric["Gas", "precision"]["value"] == 0.5
    assert {one["n_support"] for one in found} == {1}


def test_the_order_of_the_predictions_changes_nothing() -> None:
    roles: list[evaluate.Role] = ["tuned", "base", "tfidf"]
    rows = [
        replace(PREDICTION, example_id=f"e{n}", model_role=role, predicted=LABELS[n % 3])
        for n in range(9)
        for role in roles
    ]
    assert evaluated(*rows) == evaluated(*reversed(rows))
