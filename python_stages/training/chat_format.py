"""Conversations as tokens: which of them are the answer, and what to do when they are too many.

    BEGIN  SYSTEM …text… END  USER …text… END  ASSISTANT …text… END

Marks are numbers that no text has (see `tokenizer`). The loss counts the text and END of the
assistant's messages of weight 1, nothing else. A conversation longer than the context loses the
middle of its longest messages; the last message, the answer, is never cut.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

from python_stages.errors import StageError
from python_stages.training.tokenizer import N_TEXT_TOKENS, encode_all

Message = Mapping[str, Any]


class Mark(IntEnum):
    """The tokens that are no text."""

    BEGIN = N_TEXT_TOKENS
    SYSTEM = N_TEXT_TOKENS + 1
    USER = N_TEXT_TOKENS + 2
    ASSISTANT = N_TEXT_TOKENS + 3
    TOOL = N_TEXT_TOKENS + 4
    CALLS = N_TEXT_TOKENS + 5
    END = N_TEXT_TOKENS + 6
    PADDING = N_TEXT_TOKENS + 7


_MARK_OF_ROLE: Final = {
    "system": Mark.SYSTEM,
    "developer": Mark.SYSTEM,
    "user": Mark.USER,
    "assistant": Mark.ASSISTANT,
    "tool": Mark.TOOL,
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as tokens.

    Args:
        mark: whose it is.
        body: its tokens, without marks around them.
        is_target: whether the model is to learn to say it.
    """

    mark: Mark
    body: tuple[int, ...]
    is_target: bool


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation as tokens.

    Args:
        tokens: all tokens, BEGIN first.
        is_target: for each token whether the loss counts it.
        n_cut: tokens that were left out to fit the context.
    """

    tokens: tuple[int, ...]
    is_target: tuple[bool, ...]
    n_cut: int


def encode_conversations(
    conversations: Sequence[Sequence[Message]], context: int
) -> list[Encoded | None]:
    """Return each conversation as tokens; None where the answer alone does not fit.

    Args:
        conversations: messages with role, content and, for the assistant, weight or tool_calls.
        context: most tokens that an encoding may have.

    Raises:
        StageError: a message is not of that form, or the assistant says nothing that counts.
    """
    turns = _turns(conversations)
    if any(not any(turn.is_target for turn in each) for each in turns):
        raise StageError("a conversation has no assistant message of weight 1: nothing to learn")
    return [_fit(each, context, n_whole=1) for each in turns]


def encode_prompts(
    prompts: Sequence[Sequence[Message]], context: int
) -> list[tuple[tuple[int, ...], int]]:
    """Return each prompt's tokens, ending where the assistant is to speak, and how many were cut.

    Args:
        prompts: messages as above.
        context: most tokens that a prompt may have.

    Raises:
        StageError: a message is not of that form, or there are more messages than tokens.
    """
    found = []
    for turns in _turns(prompts):
        fitted = _fit(turns, context - 1, n_whole=0)
        if fitted is None:
            raise StageError("the prompt has more messages than fit the context: send fewer")
        found.append(((*fitted.tokens, int(Mark.ASSISTANT)), fitted.n_cut))
    return found


def _turns(conversations: Sequence[Sequence[Message]]) -> list[list[Turn]]:
    """Encode all texts in one call, which uses all processors."""
    texts = [part for messages in conversations for m in messages for part in _parts(m)]
    if not all(map(_is_unicode, texts)):
        raise StageError("a message has half a character, which no file can hold")
    encodings = iter(encode_all(texts))
    return [
        [_turn(message, next(encodings), next(encodings)) for message in messages]
        for messages in conversations
    ]


def _turn(message: Message, content: list[int], calls: list[int]) -> Turn:
    mark = _MARK_OF_ROLE[message["role"]]
    body = (*content, *((int(Mark.CALLS), *calls) if calls else ()))
    return Turn(mark, body, mark is Mark.ASSISTANT and message.get("weight", 1) != 0)


def _parts(message: Message) -> tuple[str, str]:
    """Return the text of a message and of its tool calls."""
    if not isinstance(message, Mapping) or message.get("role") not in _MARK_OF_ROLE:
        raise StageError(f"a message has no known role: use one of {', '.join(_MARK_OF_ROLE)}")
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(_part_text(part) for part in content)
    if content is not None and not isinstance(content, str):
        raise StageError("a message's content is neither text nor a list of text parts")
    calls = message.get("tool_calls")
    return content or "", json.dumps(calls, ensure_ascii=False, sort_keys=True) if calls else ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _part_text(part: object) -> str:
    if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
        raise StageError("a message's content has a part that is not text: this model reads text")
    text: str = part["text"]
    return text


def _fit(turns: list[Turn], context: int, *, n_whole: int) -> Encoded | None:
    """Return the turns as tokens, the last `n_whole` of them uncut; None if they do not fit."""
    n_marks = 1 + 2 * len(turns)
    whole = turns[len(turns) - n_whole :]
    n_kept = sum(len(turn.body) for turn in whole)
    room = context - n_marks - n_kept
    if whole and room >= 0:
        # the exact room would tell the answer's length, and so which label it is, by where the
        # prompt was cut; prompts to be answered are cut to make room for some length, too
        room = max(0, min(room, context - n_marks - answer_room(n_kept, context)))
    lengths = [len(turn.body) for turn in turns[: len(turns) - n_whole]]
    if room < 0:
        return None
    most = _most(lengths, room)
    kept = [_without_middle(turn, most) for turn in turns[: len(turns) - n_whole]] + whole
    tokens = [int(Mark.BEGIN)]
    is_target = [False]
    for turn in kept:
        tokens += [int(turn.mark), *turn.body, int(Mark.END)]
        is_target += [False, *[turn.is_target] * (len(turn.body) + 1)]
    n_cut = sum(lengths) - sum(min(length, most) for length in lengths)
    return Encoded(tuple(tokens), tuple(is_target), n_cut)


def answer_room(n_tokens: int, context: int) -> int:
    """Return how many tokens are set aside for an answer: the same for all that are short."""
    return max(context // 16, 1 << max(0, n_tokens - 1).bit_length())


def _most(lengths: list[int], room: int) -> int:
    """Return the greatest length that no message may exceed for all of them to fit the room."""
    low, high = 0, max(lengths, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(length, middle) for length in lengths) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _without_middle(turn: Turn, most: int) -> Turn:
    """Return the turn with at most so many tokens; one that was cut is not to be learnt."""
    if len(turn.body) <= most:
        return turn
    n_end = most // 2
    body = turn.body[: most - n_end] + turn.body[len(turn.body) - n_end :]
    return replace(turn, body=body, is_target=False)
