"""Claims about asking a model: the real client against a provider on loopback."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from python_stages.backends.chat import REFUSED_CODES, ChatClient
from python_stages.errors import BackendError, ConfigError
from python_stages.jobs.predict import Answer, Failure, Sampling
from tests.python_stages.backends.chat_api import (
    API_KEY,
    PROSE,
    ChatApi,
    Refusal,
    completion,
    serve_chat,
)

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "PROMPT-CANARY?"},
]
SAMPLING = Sampling(max_tokens=9)


@pytest.fixture
def api() -> Iterator[ChatApi]:
    with serve_chat(ChatApi()) as served:
        yield served


def ask(api: ChatApi, **options: Any) -> Answer:
    wanted = {"api_key": API_KEY, "timeout_seconds": 5.0, "n_retries": 0, **options}
    with ChatClient(api.base_url, **wanted) as client:
        return client.ask("tuned-1", MESSAGES, SAMPLING)


def test_an_answer_comes_with_its_reason_to_end_and_its_tokens(api: ChatApi) -> None:
    assert ask(api) == Answer("yes", "stop", 5, 1, None)


def test_the_prompt_is_sent_as_it_is_with_how_it_shall_be_answered(api: ChatApi) -> None:
    ask(api)
    assert api.bodies == [
        {
            "model": "tuned-1",
            "messages": MESSAGES,
            "temperature": 0.0,
            "seed": 7,
            "max_tokens": 9,
        }
    ]


def test_a_host_that_knows_no_seed_is_sent_none(api: ChatApi) -> None:
    with ChatClient(api.base_url, api_key=API_KEY) as client:
        client.ask("tuned-1", MESSAGES, Sampling(max_tokens=9, seed=None))
    assert "seed" not in api.bodies[0]


def test_an_answer_without_text_says_nothing(api: ChatApi) -> None:
    api.rule = lambda body: json.dumps(completion(None, body["model"])).encode()
    assert ask(api).text == ""


def test_a_key_may_be_made_afresh_for_each_request(api: ChatApi) -> None:
    assert ask(api, api_key=lambda: API_KEY).text == "yes"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_what_may_pass_is_asked_again(api: ChatApi, status: int) -> None:
    api.faults += [Refusal(status, headers={"retry-after-ms": "1"})] * 2
    assert ask(api, n_retries=2).text == "yes"
    assert len(api.bodies) == 3


def test_a_prompt_that_is_refused_each_time_is_given_up_after_the_last_try(api: ChatApi) -> None:
    api.faults += [Refusal(429, headers={"retry-after-ms": "1"})] * 9
    assert ask(api, n_retries=3).failure == Failure("rate_limit_exceeded", "moment")
    assert len(api.bodies) == 4


def test_no_request_comes_before_the_time_that_the_host_names(api: ChatApi) -> None:
    api.faults += [Refusal(429, headers={"retry-after": "1"})]
    assert ask(api, n_retries=1).text == "yes"
    assert api.arrivals[1] - api.arrivals[0] >= 1.0


def test_a_host_that_wants_more_than_two_minutes_is_not_waited_for(api: ChatApi) -> None:
    api.faults += [Refusal(429, headers={"retry-after": "100000"})] * 2
    assert ask(api, n_retries=5).failure == Failure("rate_limit_exceeded", "moment")
    assert len(api.bodies) == 1


def test_silence_is_a_timeout(api: ChatApi) -> None:
    api.faults += [Refusal(0)]
    assert ask(api, timeout_seconds=0.2).failure == Failure("timeout", "moment")


def test_a_lost_connection_is_no_answer() -> None:
    with ChatClient("http://127.0.0.1:9/v1", api_key=API_KEY, n_retries=0) as client:
        answer = client.ask("tuned-1", MESSAGES, SAMPLING)
    assert answer.failure == Failure("no_connection", "moment")


@pytest.mark.parametrize(
    ("refusal", "failure"),
    [
        (Refusal(401), Failure("invalid_api_key", "everything")),
        (Refusal(403, "unsupported_country"), Failure("unsupported_country", "everything")),
        (Refusal(404, "model_not_found"), Failure("model_not_found", "everything")),
        (Refusal(429, "insufficient_quota"), Failure("insufficient_quota", "everything")),
        (Refusal(307, headers={"location": "/v2"}), Failure("status_307", "everything")),
        (Refusal(400, "unsupported_value"), Failure("unsupported_value", "everything")),
        (Refusal(400, "content_filter"), Failure("content_filter", "prompt")),
        (Refusal(400, "Prose in place of a code"), Failure("status_400", "prompt")),
    ],
)
def test_a_refusal_says_whom_it_concerns(api: ChatApi, refusal: Refusal, failure: Failure) -> None:
    api.faults += [refusal]
    assert ask(api).failure == failure
    assert len(api.bodies) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>",
        b'"text"',
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": 5}}]}',
        b'{"choices": [{"message": null}]}',
    ],
)
def test_an_answer_that_is_no_completion_is_nonsense(api: ChatApi, body: bytes) -> None:
    api.rule = lambda _: body
    assert ask(api).failure == Failure("answer_is_nonsense", "moment")


def test_half_a_character_is_no_prompt(api: ChatApi) -> None:
    with ChatClient(api.base_url, api_key=API_KEY) as client:
        answer = client.ask("m", [{"role": "user", "content": "\ud800"}], SAMPLING)
    assert answer.failure == Failure("unreadable_prompt", "prompt")
    assert not api.bodies


def test_neither_key_nor_prompt_nor_prose_is_in_what_a_failure_leaves(
    api: ChatApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    api.faults += [Refusal(400, PROSE), Refusal(500, PROSE), Refusal(401, PROSE)]
    left = [repr(ask(api)) for _ in range(3)] + [caplog.text]
    for canary in (API_KEY, "PROMPT-CANARY", "PROSE-CANARY"):
        assert not any(canary in one for one in left)


def test_no_redirect_is_followed(api: ChatApi) -> None:
    with serve_chat(ChatApi()) as other:
        api.faults += [Refusal(307, headers={"location": f"{other.base_url}/chat/completions"})]
        ask(api)
        assert not other.bodies


def test_no_proxy_sees_what_is_meant_for_this_machine(
    api: ChatApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_chat(ChatApi()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url.removesuffix("/v1"))
        assert ask(api).text == "yes"
        assert not proxy.bodies


def test_another_machine_is_not_asked_without_a_key_or_in_plain_text() -> None:
    with pytest.raises(BackendError, match="set SEALTUNE_API_KEY"):
        ChatClient("https://host.invalid/v1", api_key=None)
    with pytest.raises(ConfigError, match="use https"):
        ChatClient("http://host.invalid/v1", api_key=API_KEY)


def test_a_server_on_this_machine_may_want_no_key(api: ChatApi) -> None:
    ask(api, api_key=None)
    assert API_KEY not in api.headers[0]["authorization"]


def test_what_is_refused_for_good_is_a_code_that_may_be_written_down() -> None:
    assert all(code.replace("_", "").isalpha() for code in REFUSED_CODES)
