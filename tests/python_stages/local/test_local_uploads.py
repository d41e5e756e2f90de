"""Claims about multipart forms that are read while they arrive."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.backends.local.api_errors import ApiError
from python_stages.backends.local.uploads import Form, receive


def read(body: bytes, n_bytes: int, content_type: str) -> tuple[Form, bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), n_bytes):
            yield body[at : at + n_bytes]

    stored = bytearray()

    class Sink:
        def write(self, plaintext: bytes | memoryview) -> None:
            stored.extend(plaintext)

    form = asyncio.run(receive(pieces(), content_type, Sink()))
    return form, bytes(stored)


def form_of(content: bytes, boundary: str, filename: str = "a.jsonl") -> bytes:
    return (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )


@given(st.binary(max_size=300), st.integers(1, 80))
def test_a_form_is_the_same_however_it_arrives(content: bytes, n_bytes: int) -> None:
    boundary = "b0undary-" + "7" * 20
    body = form_of(content, boundary)
    form, stored = read(body, n_bytes, f"multipart/form-data; boundary={boundary}")
    assert form == Form("a.jsonl", {"purpose": "fine-tune"})
    assert stored == content


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a b.jsonl", "a b.jsonl"),
        ("../../x.jsonl", "x.jsonl"),
        ("C:\\\\d\\\\x.jsonl", "x.jsonl"),
        ("é.jsonl", "é.jsonl"),
    ],
)
def test_a_name_keeps_no_folders(sent: str, kept: str) -> None:
    form, _ = read(form_of(b"x", "b", sent), 7, "multipart/form-data; boundary=b")
    assert form.filename == kept


@given(st.integers(0, 200))
def test_a_form_that_is_cut_anywhere_is_none(at: int) -> None:
    body = form_of(b"content", "b")
    with pytest.raises(ApiError):
        read(body[: min(at, len(body) - 6)], 16, "multipart/form-data; boundary=b")


@given(st.binary(max_size=200), st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_what_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(ApiError):
        read(body, 16, content_type)
