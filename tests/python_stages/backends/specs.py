"""Files and jobs that tests ask a provider for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from python_stages.backends.base import Content, JobSpec
from python_stages.errors import TamperedError

CANARY = "PLAINTEXT-CANARY"


def chat_lines(n_lines: int, *, first: int = 0) -> bytes:
    """Return training lines, each with a canary and a number."""
    return b"".join(
        b'{"messages":[{"role":"user","content":"%s %d"},{"role":"assistant","content":"A"}]}\n'
        % (CANARY.encode(), n)
        for n in range(first, first + n_lines)
    )


def content_of(
    lines: bytes | list[bytes], chunk_bytes: int = 1_000, *, fails: bool = False
) -> Content:
    """Return a file as a seal gives it: in chunks, and failing at its end where it was touched."""
    plaintext = lines if isinstance(lines, bytes) else b"".join(lines)

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        def chunks() -> Iterator[bytes]:
            for at in range(0, len(plaintext), chunk_bytes):
                yield plaintext[at : at + chunk_bytes]
            if fails:
                raise TamperedError("the sealed file ends too early")

        yield chunks()

    return Content(len(plaintext), opened)


def spec_of(**changes: Any) -> JobSpec:
    """Return a job over twelve lines, with some of its values changed."""
    spec = JobSpec(
        dataset="transactions",
        base_model="small-1",
        hyperparameters={"n_epochs": 3},
        seed=7,
        suffix="merchants",
        training=content_of(chat_lines(12)),
        validation=None,
        dataset_fingerprint="ab" * 32,
        n_examples=12,
        n_training_tokens=1_000,
    )
    return replace(spec, **changes)
