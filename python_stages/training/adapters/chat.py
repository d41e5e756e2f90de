"""Conversations as the base's own chat template writes them, and which tokens are the answer.

Prompt and answer are tokenised apart, as they are when the model answers. A text that writes one of
the template's marks is refused: it would end its own message and begin another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from python_stages.errors import ConfigError, StageError
from python_stages.training.bases import Base
from python_stages.training.chat_format import Encoded, Message, answer_room

_ROLES: Final = ("system", "developer", "user", "assistant")
_GAP: Final = " … "
_MAX_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Chat:
    """A base's tokenizer and template.

    Args:
        tokenizer: of transformers, with a chat template.
        context: most tokens of a conversation.
    """

    tokenizer: Any
    context: int

    @classmethod
    def of(cls, base: Base) -> "Chat":
        """Return the chat of a base.

        Raises:
            ConfigError: the extra is not installed, or the folder holds no template.
        """
        if base.folder is None:
            raise ConfigError(f"the preset {base.name} has no chat template")
        return cls(_tokenizer(base.folder), base.shape.context)

    def encode_conversations(
        self, conversations: Sequence[Sequence[Message]]
    ) -> list[Encoded | None]:
        """Return each conversation as tokens; None where the answer alone does not fit.

        Raises:
            StageError: a message is not text of a known role, or holds a mark of the template.
        """
        return [self._encoded(messages) for messages in conversations]

    def encode_prompt(self, messages: Sequence[Message], room: int) -> tuple[tuple[int, ...], int]:
        """Return a prompt's tokens, at most `room`, and how many were cut.

        Raises:
            StageError: as above, or its messages cannot be cut to fit.
        """
        found = self._fitted(self._checked(messages), room)
        if found is None:
            raise StageError("the prompt does not fit the model's context: send fewer messages")
        return found

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text that stands behind others."""
        found: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def _encoded(self, messages: Sequence[Message]) -> Encoded | None:
        checked = self._checked(messages)
        last = checked[-1]
        if last["role"] != "assistant" or messages[-1].get("weight", 1) == 0:
            raise StageError("a conversation does not end with an answer of weight 1")
        before = self._written(checked[:-1], is_asking=True)
        whole = self._written(checked, is_asking=False)
        if not whole.startswith(before):
            raise StageError("the chat template writes an answer anew once it is given")
        answer = self.tokens(whole[len(before) :])
        # the exact room would tell the answer's length by where the prompt was cut
        aside = answer_room(len(answer), self.context)
        found = self._fitted(checked[:-1], self.context - aside) or self._fitted(
            checked[:-1], self.context - len(answer)
        )
        if found is None:
            return None
        prompt, n_cut = found
        is_target = (False,) * len(prompt) + (True,) * len(answer)
        return Encoded((*prompt, *answer), is_target, n_cut)

    def _fitted(
        self, messages: list[dict[str, str]], room: int
    ) -> tuple[tuple[int, ...], int] | None:
        """Return the prompt's tokens, the middle of long messages cut out to fit the room."""
        whole = tokens = self.tokens(self._written(messages, is_asking=True))
        for _ in range(_MAX_TRIES):
            over = len(tokens) - room
            if over <= 0:
                return tuple(tokens), len(whole) - len(tokens)
            longest = max(range(len(messages)), key=lambda i: len(messages[i]["content"]))
            text = messages[longest]["content"]
            # a token is a few letters; what is still too long is cut again
            n_cut = max(over, len(text) * over // len(tokens)) + len(_GAP)
            n_kept = len(text) - n_cut
            if n_kept <= 0:
                return None
            cut = text[: n_kept - n_kept // 2] + _GAP + text[len(text) - n_kept // 2 :]
            messages = [*messages]
            messages[longest] = messages[longest] | {"content": cut}
            tokens = self.tokens(self._written(messages, is_asking=True))
        return None

    def _written(self, messages: list[dict[str, str]], *, is_asking: bool) -> str:
        text: str = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=is_asking
        )
        return text

    def _checked(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        marks = self.tokenizer.all_special_tokens
        checked = []
        for message in messages:
            role, content = message.get("role"), message.get("content")
            if role not in _ROLES or not isinstance(content, str) or message.get("tool_calls"):
                raise StageError("a message is not text of a system, user or assistant")
            if any(mark in content for mark in marks):
                raise StageError("a message holds a special token of the base model: take it out")
            checked.append({"role": "system" if role == "developer" else role, "content": content})
        return checked


@cache
def _tokenizer(folder: Path) -> Any:
    try:
        from transformers import AutoTokenizer  # noqa: PLC0415 - an extra, and seconds
    except ImportError:
        raise ConfigError(
            "a base model of your own needs the extra `peft`: pip install 'sealtune[peft]'"
        ) from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError):
        raise ConfigError("the base model's folder holds no tokenizer that can be read") from None
    if not tokenizer.chat_template:
        raise ConfigError("the base model has no chat template: choose one tuned for chat")
    return tokenizer
