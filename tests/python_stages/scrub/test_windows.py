"""Windows cover a text, and split no entity."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.scrub import windows
from python_stages.scrub.engine import Engine
from python_stages.scrub.ner.generate.documents import Writer

SIZES = {"core": 100, "after": 40, "before": 20}
TEXTS = st.text("ab1 \n", max_size=1_000)


@given(TEXTS)
def test_cores_lie_side_by_side_and_cover_the_text(text: str) -> None:
    split = list(windows.split(text, **SIZES))
    assert split[0].core_start == 0
    assert split[-1].core_end == len(text)
    assert all(a.core_end == b.core_start for a, b in pairwise(split))


@given(TEXTS, st.data())
def test_every_span_is_reported_once_and_read_whole(text: str, data: st.DataObject) -> None:
    split = list(windows.split(text, **SIZES))
    start = data.draw(st.integers(0, max(len(text) - 1, 0)))
    end = min(start + 20, len(text))
    reporting = [window for window in split if window.start <= start and window.reports(start, end)]
    if text:
        assert any(window.start <= start and end <= window.end for window in reporting)
        assert sum(window.core_start <= start < window.core_end for window in split) == 1


@given(TEXTS.filter(str.split))
def test_a_usual_word_is_not_cut(text: str) -> None:
    for window in windows.split(text + " " + "word " * 100, **SIZES):
        assert window.start == 0 or (text + " " + "word " * 100)[window.start - 1].isspace()


def test_a_text_that_fits_is_one_window() -> None:
    assert len(list(windows.split("a" * (windows.CORE + windows.AFTER)))) == 1
    assert len(list(windows.split("a" * (windows.CORE + windows.AFTER + 1)))) == 2


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(["names", "addresses", "EMAIL_ADDRESS", "CREDIT_CARD", "PRIVATE_KEY"])


def test_windows_find_what_the_whole_text_holds(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(8)
    text = " ".join(document.text for document in Writer().documents(draw, 100))[: windows.CORE]
    (whole,) = engine.findings([text])
    monkeypatch.setattr(windows, "is_long", lambda _: True)
    monkeypatch.setattr(windows.split, "__defaults__", (1_500, 600, 300))
    assert engine.findings([text + " "]) == [whole]


def test_what_no_window_holds_is_found_in_one_piece(engine: Engine) -> None:
    address = "a" * 60_000 + "@example.com"
    (spans,) = engine.spans([f"to {address} only"])
    assert spans[-1].end == len(f"to {address}")


def test_a_key_across_a_window_is_found_whole(engine: Engine) -> None:
    body = "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" for _ in range(40))
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    text = "word " * 3_980 + key + " word" * 3_200
    (spans,) = engine.spans([text], ["PRIVATE_KEY"])
    assert [text[s.start : s.end] for s in spans] == [key]
