"""The rules that need the lines: one pass over the decrypted stream, in memory, nothing quoted.

What is kept of a split while it passes: the line that is being read, a counter and the first line
number per rule, and 8 bytes of a hash per line where splits must not overlap. A finding says how
many lines break a rule and which is the first; it never says what stands there.
"""

import codecs
import hashlib
import json
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from python_stages.backends.preflight import Finding, judged
from python_stages.backends.rules import RulePack
from python_stages.backends.values import JobSpec, Split

# A line is one example; the longest that any provider takes has 131,072 tokens. What is longer is
# counted and thrown away while it is read.
_MAX_LINE_BYTES: Final = 16 * 1024 * 1024
# As macros/estimate_tokens.sql counts: up to six letters, up to three digits, any other character.
_TOKEN: Final = re.compile(r"[^\W\d_]{1,6}|\d{1,3}|[^\w\s]|_")
_TOKENS_PER_MESSAGE: Final = 3
_TOKENS_PER_EXAMPLE: Final = 3
_HINTS: Final = {
    "byte_order_mark": "Seal the dataset again",
    "utf8": "Read the source as UTF-8",
    "json_lines": "Render the dataset as one JSON object a line, with messages in it",
    "roles": "Use only these roles in the templates",
    "last_message": "End every example with what the assistant answers",
    "weights": "Give weight 0 or 1, and to messages of the assistant only",
    "special_tokens": "Strip them from the source: the provider refuses the whole file",
    "min_examples": "Raise the sample size or the share of this split",
    "example_tokens": "Shorten the templates: the provider cuts the end off, which is the answer",
    "disjoint_splits": "Let the split follow the prompt, so that no example is in both",
}


def _refuse_constant(name: str) -> None:
    """Refuse NaN and the infinities, which Python reads and JSON has not (RFC 8259, section 6)."""
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


@dataclass(slots=True)
class _Count:
    """How many lines break a rule, and the first that does (from 1)."""

    n: int = 0
    first: int = 0

    def add(self, number: int) -> None:
        """Count a line."""
        self.first = self.first or number
        self.n += 1


@dataclass(slots=True)
class _Seen:
    """What a pass over one split has found."""

    n_lines: int = 0
    broken: dict[str, _Count] = field(default_factory=dict)
    has_mark: bool = False
    most_tokens: int = 0
    digests: "array[int]" = field(default_factory=lambda: array("Q"))

    def note(self, rule_id: str, number: int) -> None:
        """Count a line that breaks a rule."""
        self.broken.setdefault(rule_id, _Count()).add(number)


def check_content(spec: JobSpec, pack: RulePack) -> tuple[Finding, ...]:
    """Hold every line of a job against the rules of a pack.

    Args:
        spec: the job; each of its contents is opened once and read to the end.
        pack: the provider's rules.

    Raises:
        TamperedError: a seal turns out broken while it is read.
    """
    judge = _Judge(spec, pack)
    looked: list[tuple[Split, _Seen]] = []
    for split, content in spec.splits:
        with content.open() as chunks:
            looked.append((split, judge.read(chunks)))
    if judge.is_disjoint:
        (_, train), (_, validation) = looked
        both = np.isin(np.asarray(validation.digests), np.asarray(train.digests))
        for index in np.flatnonzero(both):
            validation.note("disjoint_splits", int(index) + 1)
    return tuple(
        finding for split, seen in looked for finding in _findings(f"{split} split", seen, pack)
    )


class _Judge:
    """Looks at lines by the rules of one pack."""

    def __init__(self, spec: JobSpec, pack: RulePack) -> None:
        special, roles = pack.rules.get("special_tokens"), pack.rules.get("roles")
        self._special = None if special is None else re.compile(str(special.limit))
        self._roles = roles.limit if roles is not None and isinstance(roles.limit, tuple) else None
        self._max_tokens = example_tokens(spec, pack)
        self._is_dpo = spec.method == "dpo"
        self.is_disjoint = "disjoint_splits" in pack.rules and spec.validation is not None

    def read(self, chunks: Iterable[bytes]) -> _Seen:
        """Read a split to its end and return what was seen."""
        seen = _Seen()
        for line in _lines(chunks):
            seen.n_lines += 1
            text = line
            if seen.n_lines == 1 and line.startswith(codecs.BOM_UTF8):
                seen.has_mark = True
                text = line.removeprefix(codecs.BOM_UTF8)
            for rule_id in self._broken(text, seen):
                seen.note(rule_id, seen.n_lines)
            if self.is_disjoint:
                digest = hashlib.blake2b(text, digest_size=8).digest()
                seen.digests.append(int.from_bytes(digest, "little"))
        return seen

    def _broken(self, line: bytes, seen: _Seen) -> set[str]:
        """Return the rules that a line breaks."""
        try:
            example = _DECODER.decode(line.decode())
        except UnicodeDecodeError:
            return {"utf8"}
        except (ValueError, RecursionError):
            return {"json_lines"}
        outputs = _outputs(example, is_dpo=self._is_dpo)
        if outputs is None:
            return {"json_lines"}
        shared, endings = outputs
        broken: set[str] = set()
        texts: list[str] = []
        for message in (*shared, *(message for ending in endings for message in ending)):
            said = _texts(message)
            texts += said
            broken |= self._broken_by(message, is_empty=not said)
        if any(not _ends_well(ending or shared) for ending in endings):
            broken.add("last_message")
        if self._special is not None and self._special.search("\n".join(texts)):
            broken.add("special_tokens")
        if self._max_tokens is not None and len(line) > self._max_tokens:
            # A line of fewer bytes has fewer tokens. Of two preferences one is read at a time;
            # counting both errs upwards.
            n_tokens = sum(count_tokens(text) + _TOKENS_PER_MESSAGE for text in texts)
            seen.most_tokens = max(seen.most_tokens, n_tokens + _TOKENS_PER_EXAMPLE)
            if n_tokens + _TOKENS_PER_EXAMPLE > self._max_tokens:
                broken.add("example_tokens")
        return broken

    def _broken_by(self, message: Mapping[str, Any], *, is_empty: bool) -> set[str]:
        """Return the rules that a message breaks."""
        broken = set()
        role = message.get("role")
        if self._roles is not None and role not in self._roles:
            broken.add("roles")
        if "weight" in message:
            weight = message["weight"]
            if role != "assistant" or isinstance(weight, bool) or weight not in (0, 1):
                broken.add("weights")
        if is_empty:
            broken.add("json_lines")
        return broken


def count_tokens(text: str) -> int:
    """Return the estimated tokens of a text, as macros/estimate_tokens.sql counts them."""
    return len(_TOKEN.findall(text))


def example_tokens(spec: JobSpec, pack: RulePack) -> int | None:
    """Return the most tokens of one example: what the model takes, else what the provider takes."""
    model = pack.model(spec.base_model)
    if model is not None and model.example_tokens is not None:
        return model.example_tokens
    return pack.number("example_tokens")


def _outputs(
    example: object, *, is_dpo: bool
) -> tuple[list[Mapping[str, Any]], list[list[Mapping[str, Any]]]] | None:
    """Return the messages that an example begins with, and its endings; None where it has none.

    A supervised example ends in its own last message, so its one ending is empty.
    """
    if not isinstance(example, dict):
        return None
    if not is_dpo:
        shared = _messages(example.get("messages"))
        return None if shared is None else (shared, [[]])
    given = example.get("input")
    shared = _messages(given.get("messages")) if isinstance(given, dict) else None
    preferred = _messages(example.get("preferred_output"))
    rejected = _messages(example.get("non_preferred_output"))
    if shared is None or preferred is None or rejected is None:
        return None
    return shared, [preferred, rejected]


def _messages(value: object) -> list[Mapping[str, Any]] | None:
    """Return a list of messages, or None where it is none, or empty."""
    if not isinstance(value, list) or not value:
        return None
    return value if all(isinstance(message, dict) for message in value) else None


def _ends_well(messages: Sequence[Mapping[str, Any]]) -> bool:
    return messages[-1].get("role") == "assistant"


def _texts(message: Mapping[str, Any]) -> list[str]:
    """Return the texts of a message: its content, or the parts of that, and arguments of calls."""
    content = message.get("content")
    texts = [content] if isinstance(content, str) else []
    parts = content if isinstance(content, list) else []
    texts += [str(part.get("text", "")) for part in parts if isinstance(part, dict)]
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        texts.append(json.dumps(call, ensure_ascii=False))
    return texts


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream without their ends; of one that is far too long, its start."""
    rest = b""
    for chunk in chunks:
        *whole, tail = chunk.split(b"\n")
        for line in whole:
            yield rest + line
            rest = b""
        if len(rest) < _MAX_LINE_BYTES:
            rest += tail
    if rest:
        yield rest


def _findings(where: str, seen: _Seen, pack: RulePack) -> Iterator[Finding]:
    """Say about each rule of the lines what was seen in one split."""
    for rule_id, hint in _HINTS.items():
        rule = pack.rules.get(rule_id)
        if rule is None or (rule_id == "disjoint_splits" and not where.startswith("validation")):
            continue
        count = seen.broken.get(rule_id, _Count())
        limit, found, passed = str(rule.limit), "every line", count.n == 0
        if isinstance(rule.limit, tuple):
            limit = f"of {', '.join(rule.limit)}"
        if not passed:
            found = (
                f"{count.n:,} of {seen.n_lines:,} lines are against it, the first is {count.first}"
            )
        if rule_id == "byte_order_mark":
            found = "there is one" if seen.has_mark else "there is none"
            passed = rule.limit == "accepted" or seen.has_mark == (rule.limit == "required")
        elif rule_id == "min_examples":
            limit, found = f"at least {rule.limit}", f"{seen.n_lines:,} lines"
            passed = where.startswith("validation") or seen.n_lines >= (pack.number(rule_id) or 0)
        elif rule_id == "example_tokens" and passed and seen.most_tokens:
            found = f"about {seen.most_tokens:,} in the longest"
        yield judged(rule, limit=limit, found=f"{where}: {found}", passed=passed, hint=hint)
