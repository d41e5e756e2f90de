"""Claims about the local server's chat completions, with the unmodified client."""

import math
import threading
from typing import Any

import openai
import pytest

from tests.python_stages.local.serving import CANARY, create, lines, upload, wait

HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def model(client: openai.OpenAI) -> str:
    """Return a model that has learned to say "abc" and "abd"."""
    content = lines(10, "abc") + lines(10, "abd")
    return str(wait(client, create(client, upload(client, content)).id).fine_tuned_model)


def test_an_answer_has_text_usage_and_an_end(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO, temperature=0)
    (choice,) = answer.choices
    assert (choice.message.role, choice.message.content) == ("assistant", "abc")
    assert (choice.finish_reason, choice.logprobs) == ("stop", None)
    assert answer.usage is not None
    assert (answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 8)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_ends_at_the_most_tokens(client: openai.OpenAI, model: str, name: str) -> None:
    limit: Any = {name: 2}
    answer = client.chat.completions.create(model=model, messages=HELLO, temperature=0, **limit)
    assert answer.choices[0].message.content == "ab"
    assert answer.choices[0].finish_reason == "length"


@pytest.mark.parametrize("stop", ["b", ["x", "bc"]])
def test_an_answer_ends_before_a_stop(client: openai.OpenAI, model: str, stop: Any) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO, temperature=0, stop=stop)
    assert "abc".startswith(str(answer.choices[0].message.content))
    assert answer.choices[0].message.content != "abc"
    assert answer.choices[0].finish_reason == "stop"


def test_log_probabilities_stand_beside_each_token(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model, messages=HELLO, temperature=0, logprobs=True, top_logprobs=2
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert "".join(token.token for token in logprobs.content) == "abc"
    last = logprobs.content[-1]
    assert last.logprob == pytest.approx(math.log(0.5))
    assert {token.token for token in last.top_logprobs} == {"c", "d"}
    assert last.bytes == [ord("c")]


def test_several_choices_are_drawn_and_a_seed_repeats_them(
    client: openai.OpenAI, model: str
) -> None:
    def draw(seed: int) -> list[str | None]:
        answer = client.chat.completions.create(
            model=model, messages=HELLO, temperature=1, n=16, seed=seed
        )
        return [choice.message.content for choice in answer.choices]

    assert set(draw(1)) == {"abc", "abd"}
    assert draw(1) == draw(1)
    assert len({tuple(draw(seed)) for seed in range(5)}) > 1


def test_a_stream_says_what_the_whole_says(client: openai.OpenAI, model: str) -> None:
    whole = client.chat.completions.create(
        model=model, messages=HELLO, temperature=0, n=2, logprobs=True, seed=3
    )
    texts, tokens, ends, usage = ["", ""], 0, ["", ""], None
    with client.chat.completions.create(
        model=model,
        messages=HELLO,
        temperature=0,
        n=2,
        logprobs=True,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
                ends[choice.index] += choice.finish_reason or ""
                if choice.logprobs is not None:
                    tokens += len(choice.logprobs.content or ())
    assert texts == [choice.message.content for choice in whole.choices]
    assert ends == ["stop", "stop"]
    assert tokens == 6
    assert usage == whole.usage


def test_a_stream_that_nobody_reads_stops(client: openai.OpenAI, model: str) -> None:
    with client.chat.completions.create(
        model=model, messages=HELLO, temperature=1, stream=True, n=128, seed=1
    ) as stream:
        next(iter(stream))
    answer = client.chat.completions.create(model=model, messages=HELLO, temperature=0)
    assert answer.choices[0].message.content == "abc"


def test_questions_at_the_same_time_are_all_answered(client: openai.OpenAI, model: str) -> None:
    answers: list[str | None] = []

    def ask(number: int) -> None:
        answer = client.chat.completions.create(
            model=model, messages=HELLO, temperature=0, max_tokens=number % 3 + 1
        )
        answers.append(answer.choices[0].message.content)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, answers)) == sorted(["a", "ab", "abc"] * 10)


def test_echo_tells_how_likely_an_answer_is(client: openai.OpenAI, model: str) -> None:
    asked: Any = [*HELLO, {"role": "assistant", "content": "abd"}]
    scored = client.chat.completions.create(
        model=model, messages=asked, logprobs=True, extra_body={"echo": True}
    )
    logprobs = scored.choices[0].logprobs
    assert logprobs is not None
    assert scored.choices[0].message.content == "abd"
    assert [token.logprob for token in logprobs.content or ()] == pytest.approx(
        [0.0, 0.0, math.log(0.5)]
    )


def test_other_answers_are_scored_in_the_place_of_the_echoed_one(
    client: openai.OpenAI, model: str
) -> None:
    asked: Any = [*HELLO, {"role": "assistant", "content": "abd"}]
    scored = client.chat.completions.create(
        model=model,
        messages=asked,
        logprobs=True,
        extra_body={"echo": True, "alternatives": ["abd", "abc", ""]},
    )
    found = [one["logprob"] for one in (scored.model_extra or {})["alternatives"]]
    assert found == pytest.approx([math.log(0.5), math.log(0.5), 0.0])
    with pytest.raises(openai.BadRequestError, match="echo"):
        client.chat.completions.create(
            model=model, messages=asked, extra_body={"alternatives": ["abd"]}
        )


def test_contents_may_come_in_parts_and_from_developers(client: openai.OpenAI, model: str) -> None:
    messages: Any = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ]
    answer = client.chat.completions.create(model=model, messages=messages, temperature=0)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == len("be briefab")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": CANARY, "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"n": 0}, "n"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"max_tokens": 3, "max_completion_tokens": 3}, "max_tokens"),
        ({"top_p": 0.5}, "top_p"),
        ({"frequency_penalty": 1}, "frequency_penalty"),
        ({"tools": []}, None),
        ({"extra_body": {"echo": True}}, "echo"),
    ],
)
def test_what_is_not_done_is_refused_and_not_ignored(
    client: openai.OpenAI, model: str, changes: dict[str, Any], param: str | None
) -> None:
    wanted: dict[str, Any] = {"model": model, "messages": HELLO} | changes
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**wanted)
    assert caught.value.param == param
    assert CANARY not in str(caught.value)


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-x", messages=HELLO)
    assert caught.value.code == "model_not_found"


def test_a_model_that_was_not_tuned_answers_too(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="nano", messages=HELLO, temperature=0, max_tokens=2
    )
    assert answer.choices[0].message.content is not None
