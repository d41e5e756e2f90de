"""Claims about the decoding thread: what is put together, and what fails alone."""

import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest

from python_stages.backends.local.decoder import MAX_BATCH, MAX_WAITING, BusyError, Decoder
from python_stages.errors import StageError
from python_stages.training.answers import Completion
from python_stages.training.asking import GREEDY, Model, Sampling

Prompt = Sequence[Mapping[str, str]]


class Parrot:
    """Repeats the question once it may speak; writes down who was asked together."""

    def __init__(self) -> None:
        self.may_speak = threading.Event()
        self.batches: list[int] = []

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling = GREEDY) -> list[Completion]:
        """Repeat each question."""
        self.may_speak.wait()
        self.batches.append(len(prompts))
        texts = [prompt[-1]["content"] for prompt in prompts]
        if "bad" in texts:
            raise StageError("a prompt cannot be")
        return [Completion(text, (), 1, "stop") for text in texts for _ in range(sampling.n)]

    def score(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[Completion]:
        """Repeat the answers."""
        del prompts
        return [Completion(answer, (), 1, "stop") for answer in completions]

    def generate_stream(self, prompt: Prompt, sampling: Sampling = GREEDY) -> Iterator[Completion]:
        """Repeat the question again and again."""
        for _ in range(sampling.max_tokens):
            yield Completion(prompt[-1]["content"], (), 1, None)


@pytest.fixture
def parrot() -> Parrot:
    return Parrot()


@pytest.fixture
def decoder(parrot: Parrot) -> Iterator[Decoder]:
    def load(_model_id: str) -> Model:
        return parrot

    opened = Decoder(load)
    opened.start()
    yield opened
    parrot.may_speak.set()
    opened.close()


def saying(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_questions_that_agree_are_decoded_together_and_answered_apart(
    decoder: Decoder, parrot: Parrot
) -> None:
    futures = [decoder.generate("m", saying(str(n)), GREEDY) for n in range(40)]
    parrot.may_speak.set()
    assert [future.result()[0].text for future in futures] == [str(n) for n in range(40)]
    assert sum(parrot.batches) == 40
    assert len(parrot.batches) <= 2  # the first may have been alone


def test_questions_that_draw_or_differ_are_not_put_together(
    decoder: Decoder, parrot: Parrot
) -> None:
    parrot.may_speak.set()
    drawn = Sampling(temperature=1.0)
    longer = Sampling(max_tokens=5)
    futures = [
        decoder.generate(model, saying("x"), sampling)
        for model in ("m", "n")
        for sampling in (drawn, drawn, GREEDY, longer)
    ]
    assert {future.result()[0].text for future in futures} == {"x"}
    assert parrot.batches == [1] * 8


def test_a_question_that_fails_takes_no_other_with_it(decoder: Decoder, parrot: Parrot) -> None:
    texts = ["a", "bad", "b"]
    futures = [decoder.generate("m", saying(text), GREEDY) for text in texts]
    parrot.may_speak.set()
    assert futures[0].result()[0].text == "a"
    assert futures[2].result()[0].text == "b"
    with pytest.raises(StageError):
        futures[1].result()


def test_who_has_gone_is_not_answered(decoder: Decoder, parrot: Parrot) -> None:
    first = decoder.generate("m", saying("a"), Sampling(4, 1.0, 0))
    gone = decoder.generate("m", saying("b"), Sampling(4, 1.0, 0))
    assert gone.cancel()
    parrot.may_speak.set()
    assert first.result()[0].text == "a"
    assert decoder.generate("m", saying("c"), GREEDY).result()[0].text == "c"
    assert sum(parrot.batches) == 2


def test_more_than_can_wait_are_sent_away(decoder: Decoder) -> None:
    def flood() -> None:
        # As many as wait, and those that the thread may have taken already.
        for _ in range(MAX_WAITING + MAX_BATCH + 1):
            decoder.generate("m", saying("x"), GREEDY)

    with pytest.raises(BusyError):
        flood()


def test_a_stream_ends_when_nobody_takes_it(decoder: Decoder) -> None:
    taken: list[str] = []

    def take(piece: Completion) -> bool:
        taken.append(piece.text)
        return len(taken) < 2

    decoder.stream("m", saying("x"), Sampling(100, 0.0, 0), take).result()
    assert taken == ["x", "x"]


def test_a_model_that_was_deleted_is_loaded_no_more(parrot: Parrot) -> None:
    loaded: list[str] = []

    def load(model_id: str) -> Model:
        loaded.append(model_id)
        return parrot

    parrot.may_speak.set()
    decoder = Decoder(load)
    decoder.start()
    for _ in range(2):
        decoder.generate("m", saying("x"), GREEDY).result()
    assert loaded == ["m"]
    decoder.forget("m")
    decoder.generate("m", saying("x"), GREEDY).result()
    decoder.generate("m", saying("x"), GREEDY).result()
    assert loaded == ["m"] * 3  # nothing of it is kept
    decoder.close()
