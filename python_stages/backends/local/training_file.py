"""What makes a training file one: the rules of the fine-tuning services, line by line.

UTF-8 JSON lines; each an object with `messages`, the last of them the assistant's; contents are
texts, in whose place the assistant may call tools; `weight` 0 or 1, on the assistant alone; no
special tokens. What this trainer could not learn from (images, definitions of tools) is refused
rather than dropped.
Source: https://platform.openai.com/docs/guides/supervised-fine-tuning and the Azure rules beside it
(read 2026-11-20).
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from python_stages.backends.local.blobs import MAX_LINE_BYTES

MIN_EXAMPLES: Final = 10

_KEYS: Final = {
    "system": frozenset({"role", "content", "name"}),
    "developer": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "weight", "tool_calls"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
_SPECIAL_TOKEN: Final = re.compile(r"<[|\uff5c][^\s<>]+[|\uff5c]>")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file cannot be trained on; quotes nothing of it.

    Args:
        code: the API's code.
        message: a sentence with the number of the line, counted from one.
    """

    code: str
    message: str


class _FaultError(Exception):
    """A line is wrong; the text is the end of a sentence about it."""


def find_problem(lines: Iterable[bytes], *, is_training: bool = True) -> Problem | None:
    """Return the first problem of a file, or None where all is well.

    Args:
        lines: its lines without their newlines.
        is_training: whether it is the training file, which needs a number of examples.
    """
    name = "training" if is_training else "validation"
    n_examples = 0
    for number, line in enumerate(lines, 1):
        try:
            _check_line(line)
        except _FaultError as fault:
            return Problem(f"invalid_{name}_file", f"Line {number} of the {name} file {fault}.")
        n_examples += 1
    least = MIN_EXAMPLES if is_training else 1
    if n_examples < least:
        return Problem(
            "invalid_n_examples",
            f"The {name} file has {n_examples} example(s), but must have at least {least}.",
        )
    return None


def _check_line(line: bytes) -> None:
    _require(bool(line.strip()), "is empty")
    _require(len(line) <= MAX_LINE_BYTES, "is longer than 8 MiB")
    example = _parsed(line)
    _require(isinstance(example, dict), "is no JSON object")
    _require(set(example) <= {"messages", "metadata"}, "has other keys than messages and metadata")
    _require(isinstance(example.get("metadata", {}), dict), "has metadata that is no object")
    messages = example.get("messages")
    _require(isinstance(messages, list) and bool(messages), "holds no messages")
    for message in messages:
        _check_message(message)
    _require(messages[-1]["role"] == "assistant", "does not end with a message of the assistant")
    _require(
        any(one["role"] == "assistant" and one.get("weight", 1) == 1 for one in messages),
        "has no message of the assistant to learn from",
    )


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise _FaultError("is not UTF-8") from None
    except (ValueError, RecursionError):
        raise _FaultError("is not JSON") from None


def _check_message(message: Any) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    _require(isinstance(role, str) and role in _KEYS, "holds a message of an unknown role")
    _require(set(message) <= _KEYS[str(role)], "holds a message with unknown keys")
    content, calls = message.get("content"), message.get("tool_calls")
    _require(calls is None or (isinstance(calls, list) and bool(calls)), "has no list of calls")
    has_text = isinstance(content, str) and bool(content)
    _require(has_text or (content is None and bool(calls)), "holds a content that is not a text")
    for key in ("name", "tool_call_id"):
        _require(isinstance(message.get(key, ""), str), "holds a name that is not a text")
    weight = message.get("weight", 1)
    _require(type(weight) is int and weight in {0, 1}, "holds a weight that is not 0 or 1")
    texts = (content or "") + json.dumps(calls, ensure_ascii=False)
    _require(_SPECIAL_TOKEN.search(texts) is None, "holds a special token")
    _require(texts.encode(errors="replace").decode() == texts, "holds half of a surrogate pair")


def _require(holds: bool, fault: str) -> None:  # noqa: FBT001 - reads like an assertion
    if not holds:
        raise _FaultError(fault)
