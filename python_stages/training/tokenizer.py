"""Text to tokens and back: a byte-level BPE of public text, shipped beside this package.

Every text has an encoding and comes back byte for byte. Tokens of text are 0 to N_TEXT_TOKENS - 1;
the numbers above them are the marks of the chat format. No text can be encoded into a mark, since
the vocabulary file does not hold them: a user who writes `<|assistant|>` writes thirteen letters.

The vocabulary never saw private rows (see `vocabulary/build.py`): one that did would hold a secret
that was seen often as a token of its own.
"""

import codecs
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tokenizers import Tokenizer

N_TOKENS: Final = 2048
N_MARKS: Final = 8
N_TEXT_TOKENS: Final = N_TOKENS - N_MARKS
VOCABULARY_PATH: Final = Path(__file__).parent / "vocabulary" / "bytes_bpe_2040.json"
COUNTS_PATH: Final = VOCABULARY_PATH.with_suffix(".counts.json")


def encode(text: str) -> list[int]:
    """Return the tokens of a text, each below N_TEXT_TOKENS.

    Args:
        text: any text; lone surrogates, which no file can hold, are refused by the encoder.
    """
    return list(_vocabulary().encode(text).ids)


def encode_all(texts: Sequence[str]) -> list[list[int]]:
    """Return the tokens of many texts, on all processors."""
    return [list(encoding.ids) for encoding in _vocabulary().encode_batch_fast(list(texts))]


def token_bytes(token: int) -> bytes:
    """Return what a token writes: nothing, for a mark."""
    return _bytes_of_tokens()[token] if token < N_TEXT_TOKENS else b""


def decode(tokens: Iterable[int]) -> str:
    """Return the text of tokens; bytes that are not UTF-8 become U+FFFD."""
    return b"".join(map(token_bytes, tokens)).decode("utf-8", errors="replace")


class StreamDecoder:
    """Decode tokens as they come: a character is given out when its last byte is there."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def add(self, token: int) -> str:
        """Return the text that this token completes."""
        return self._decoder.decode(token_bytes(token))

    def end(self) -> str:
        """Return what an unfinished character comes to."""
        return self._decoder.decode(b"", final=True)


@cache
def _vocabulary() -> "Tokenizer":
    from tokenizers import Tokenizer  # noqa: PLC0415 - the settings of a job need no tokenizer

    return Tokenizer.from_file(str(VOCABULARY_PATH))


@cache
def _bytes_of_tokens() -> tuple[bytes, ...]:
    """Return the bytes of every text token: the file writes each byte as a visible character."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(0x100) if byte not in visible]
    byte_of = {chr(byte): byte for byte in visible}
    byte_of |= {chr(0x100 + i): byte for i, byte in enumerate(hidden)}
    names = {number: name for name, number in _vocabulary().get_vocab().items()}
    return tuple(bytes(byte_of[c] for c in names[token]) for token in range(N_TEXT_TOKENS))


@cache
def public_shares() -> tuple[float, ...]:
    """Return of each token the share that it has of public English prose; marks come after all."""
    counts = json.loads(COUNTS_PATH.read_text("utf-8"))
    total = sum(counts)
    return (*(n / total for n in counts), *[1.0] * N_MARKS)
