"""What one chat example must look like to be trained on.

Source: the file rules shared by the OpenAI, Azure and compatible fine-tuning services (roles,
keys, weight, last message, special tokens), made stricter where a service would accept a file and
then learn something else than was meant.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_Message = dict[str, Any]

# Which role may follow which; None is the beginning.
_FOLLOWERS: dict[str | None, frozenset[str]] = {
    None: frozenset({"system", "user"}),
    "system": frozenset({"user"}),
    "user": frozenset({"assistant"}),
    "assistant": frozenset({"user", "tool"}),
    "tool": frozenset({"tool", "assistant"}),
}
_KEYS: dict[str, frozenset[str]] = {
    "system": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "weight", "tool_calls"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
# Services reject `<|...|>`; the full-width bar is what other model families use. No token holds a
# blank, and `<| a |>` is a pair of operators in some languages.
_SPECIAL_TOKEN = re.compile(r"<[|\uff5c][^\s<>]+[|\uff5c]>")
_ALLOWED_CONTROLS = frozenset("\t\n\r")
_DECODING_DAMAGE = "\ufffd"
_to_canonical = json.JSONEncoder(sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found out about one conversation.

    The first fields are the flags, each true where all is well. `texts` is everything a reader
    could see, for the search for personal data; `prompt` is the canonical JSON of all but the last
    message, `answer` the text of the last one where it is the assistant's.
    """

    is_json: bool = False
    is_single_line: bool = False
    is_clean_text: bool = False
    has_known_roles: bool = False
    has_ordered_roles: bool = False
    has_last_assistant: bool = False
    has_contents: bool = False
    has_allowed_keys: bool = False
    is_free_of_special_tokens: bool = False
    texts: tuple[str, ...] = ()
    prompt: str | None = None
    answer: str | None = None


FLAGS = tuple(name for name in Inspection.__slots__ if name.startswith(("is_", "has_")))


def inspect(messages: str | None) -> Inspection:
    """Inspect the JSON text of one conversation; never raises on what it holds."""
    if messages is None:
        return Inspection()
    # A line feed between two JSON tokens is legal JSON, and two lines of JSONL.
    is_single_line = "\n" not in messages and "\r" not in messages
    parsed = _parse(messages)
    if parsed is None:
        return Inspection(is_single_line=is_single_line, texts=(messages,))
    texts = tuple(_texts(parsed))
    roles = [message.get("role") for message in parsed]
    last = parsed[-1]
    has_last_assistant = roles[-1] == "assistant"
    answer = last.get("content") if has_last_assistant else None
    return Inspection(
        is_json=True,
        is_single_line=is_single_line,
        is_clean_text=all(map(_is_clean, texts)),
        has_known_roles=all(isinstance(role, str) and role in _KEYS for role in roles),
        has_ordered_roles=_is_ordered(parsed),
        has_last_assistant=has_last_assistant,
        has_contents=all(map(_has_content, parsed)),
        has_allowed_keys=all(map(_has_allowed_keys, parsed)),
        is_free_of_special_tokens=not any(map(_SPECIAL_TOKEN.search, texts)),
        texts=texts,
        prompt=_to_canonical(parsed[:-1]),
        answer=answer if isinstance(answer, str) else None,
    )


def _parse(text: str) -> list[_Message] | None:
    try:
        parsed = json.loads(text, object_pairs_hook=_unique_pairs, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, list) or not parsed:
        return None
    return parsed if all(isinstance(message, dict) for message in parsed) else None


def _unique_pairs(pairs: list[tuple[str, Any]]) -> _Message:
    # Readers disagree on which of two equal keys counts, so a doubled `content` could hide one.
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a key occurs twice")
    return unique


def _refuse(_constant: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def _texts(node: Any, key: str | None = None) -> Iterator[str]:
    """Yield every string and number in reading order; of the roles only those that are none."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name not in _KEYS["assistant"] and name != "tool_call_id":
                yield name
            yield from _texts(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
    elif isinstance(node, str):
        if not (key == "role" and node in _KEYS):
            yield node
    elif isinstance(node, int | float) and not isinstance(node, bool) and key != "weight":
        yield str(node)


def _is_clean(text: str) -> bool:
    """Tell whether text is encodable and free of control characters and decoding damage."""
    if text.isascii() and text.isprintable():
        return True
    return not any(
        character == _DECODING_DAMAGE
        or (unicodedata.category(character) in {"Cc", "Cs"} and character not in _ALLOWED_CONTROLS)
        for character in text
    )


def _is_ordered(messages: list[_Message]) -> bool:
    previous: _Message = {}
    for message in messages:
        role, before = message.get("role"), previous.get("role")
        if not isinstance(role, str) or role not in _FOLLOWERS.get(before, ()):
            return False
        if role == "tool" and before == "assistant" and not previous.get("tool_calls"):
            return False
        previous = message
    return True


def _has_content(message: _Message) -> bool:
    content = message.get("content")
    if isinstance(content, str) and content.strip():
        return True
    is_call = message.get("role") == "assistant" and bool(message.get("tool_calls"))
    return is_call and content in (None, "")


def _has_allowed_keys(message: _Message) -> bool:
    role = message.get("role")
    if not isinstance(role, str) or not message.keys() <= _KEYS.get(role, frozenset()):
        return False
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        return False
    if "tool_calls" in message and not isinstance(message["tool_calls"], list):
        return False
    if not isinstance(message.get("name", ""), str):
        return False
    weight = message.get("weight", 1)
    return type(weight) is int and weight in (0, 1)
