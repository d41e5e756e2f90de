"""Answers of a trained model."""

import math
from dataclasses import replace

import pytest

from python_stages.errors import ConfigError
from python_stages.training import Completion, TrainSettings, load
from python_stages.training.answers import Answer, TokenLogprob
from python_stages.training.asking import Model, Sampling
from python_stages.training.chat_format import Mark
from python_stages.training.decode import load_base
from python_stages.training.tokenizer import encode
from tests.python_stages.training.toy import finished, line, message, run

ASKED = [[message("user", text)] for text in ("sky?", "grass?", "a much longer question: blood?")]
TRUE = ["it is blue", "it is green", "it is red"]


@pytest.fixture(scope="module")
def model() -> Model:
    rows = [
        line(prompt[0]["content"], answer)
        for prompt, answer in zip(ASKED, TRUE, strict=True)
        for _ in range(5)
    ]
    result, storage = run(TrainSettings(preset="pico", n_epochs=150, batch_size=16), rows)
    return load(storage, finished(result).final_checkpoint)


def texts(found: list[Completion]) -> list[str]:
    return [one.text for one in found]


def test_a_model_says_what_it_was_taught(model: Model) -> None:
    found = model.generate(ASKED, Sampling(max_tokens=16))
    assert texts(found) == TRUE
    assert {one.finish_reason for one in found} == {"stop"}


def test_prompts_are_answered_together_as_alone(model: Model) -> None:
    sampling = Sampling(max_tokens=16, temperature=1.5, seed=3)
    together = model.generate(ASKED, sampling)
    alone = [model.generate([one], sampling)[0] for one in ASKED]
    assert texts(together) == texts(alone)
    for one, other in zip(together, alone, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_draws_follow_the_seed_and_n_answers_differ(model: Model) -> None:
    sampling = Sampling(max_tokens=8, temperature=2.0, seed=1, n=6)
    drawn = texts(model.generate(ASKED[:1], sampling))
    assert drawn == texts(model.generate(ASKED[:1], sampling))
    assert drawn != texts(model.generate(ASKED[:1], replace(sampling, seed=2)))
    assert len(set(drawn)) > 1


def test_an_answer_ends_before_a_stop_text(model: Model) -> None:
    (found,) = model.generate(ASKED[:1], Sampling(max_tokens=16, stop=("zzz", " bl")))
    assert (found.text, found.finish_reason) == ("it is", "stop")
    assert "".join(token.token for token in found.tokens) == "it is"


def test_an_answer_that_is_cut_says_so(model: Model) -> None:
    (found,) = model.generate(ASKED[:1], Sampling(max_tokens=2))
    assert (len(found.tokens), found.finish_reason) == (2, "length")


def test_a_stream_comes_to_the_answer(model: Model) -> None:
    for stop in ((), (" blue",)):
        (whole,) = model.generate(ASKED[:1], Sampling(max_tokens=16, stop=stop))
        pieces = list(model.generate_stream(ASKED[0], Sampling(max_tokens=16, stop=stop)))
        assert "".join(piece.text for piece in pieces) == whole.text
        assert [t for piece in pieces for t in piece.tokens] == list(whole.tokens)
        assert [p.finish_reason for p in pieces][-1] == whole.finish_reason
        assert all(p.finish_reason is None for p in pieces[:-1])


def test_the_likeliest_tokens_are_told_in_their_order(model: Model) -> None:
    (found,) = model.generate(ASKED[:1], Sampling(max_tokens=16, top_logprobs=3))
    for token in found.tokens:
        values = [value for _, value in token.top]
        assert len(values) == 3
        assert values == sorted(values, reverse=True)
        text, value = token.top[0]
        assert text == token.token
        assert value == pytest.approx(token.logprob, abs=1e-5)
        assert sum(map(math.exp, values)) <= 1 + 1e-6


def test_scores_are_the_log_probabilities_of_what_was_generated(model: Model) -> None:
    found = model.generate(ASKED, Sampling(max_tokens=16))
    scored = model.score(ASKED, texts(found))
    for one, other in zip(found, scored, strict=True):
        # the same text may be other tokens than the model chose
        if [t.token for t in one.tokens] == [t.token for t in other.tokens]:
            assert other.logprobs == pytest.approx(one.logprobs, abs=1e-3)
    assert sum(scored[0].logprobs) > sum(model.score(ASKED[:1], ["it is red"])[0].logprobs)


def test_an_untrained_model_answers_and_knows_nothing() -> None:
    (found,) = load_base("pico").generate(ASKED[:1], Sampling(max_tokens=4, temperature=1.0))
    assert found.n_prompt_tokens > 4
    assert len(found.tokens) <= 4


@pytest.mark.parametrize(
    "bad",
    [
        {"max_tokens": 0},
        {"n": 0},
        {"temperature": -1.0},
        {"temperature": 3.0},
        {"top_logprobs": 21},
    ],
)
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        Sampling(**bad)  # type: ignore[arg-type]  # names of the test


def test_a_stop_text_that_comes_in_pieces_is_never_shown() -> None:
    answer = Answer(1, 50, ["STOP"])
    shown = ""
    for token in [*encode("ab S"), *encode("TO"), *encode("P c"), Mark.END]:
        answer.add_all([(int(token), TokenLogprob.of(int(token), -1.0))])
        shown += answer.taken().text
        assert "S" not in shown
    assert (shown, answer.completion().finish_reason) == ("ab ", "stop")


def test_a_character_of_several_tokens_is_shown_whole() -> None:
    answer = Answer(1, 50, [])
    pieces = []
    for token in [*encode("\u20bd\U0001f600"), int(Mark.END)]:
        answer.add_all([(token, TokenLogprob.of(token, -1.0))])
        pieces.append(answer.taken().text)
    assert "".join(pieces) == "\u20bd\U0001f600"
    assert not any("\ufffd" in piece for piece in pieces)
