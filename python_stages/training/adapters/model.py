"""A base with its adapters, which answers, streams and scores as `decode.TrainedModel` does."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import torch

from python_stages.errors import ConfigError, StageError
from python_stages.training import checkpoint
from python_stages.training.adapters import base as bases
from python_stages.training.adapters.chat import Chat
from python_stages.training.answers import Completion, TokenLogprob
from python_stages.training.asking import GREEDY, Sampling
from python_stages.training.bases import Base, base_of
from python_stages.training.chat_format import Message
from python_stages.training.storage import Storage

_ROWS_AT_ONCE: Final = 16


def load(storage: Storage, name: str) -> "TunedBase":
    """Return a base with the adapters of a checkpoint.

    Raises:
        ConfigError: the base is not there, or no longer what it was.
        StageError: there is no checkpoint of that name, or it holds no adapters.
    """
    found = checkpoint.read_adapters(storage, name)
    if found is None:
        raise StageError(f"checkpoint {name} holds no adapters")
    arrays, base_name, fingerprint = found
    base = base_of(base_name)
    if base.folder is None or bases.fingerprint(base.folder) != fingerprint:
        raise ConfigError(
            f"the base model {base_name} is not the one that was tuned: put its files back"
        )
    tuned = load_base(base)
    bases.set_adapters(tuned.model, arrays)
    return tuned


def load_base(base: Base) -> "TunedBase":
    """Return a base as it is."""
    return TunedBase(bases.model_of(base), Chat.of(base))


class TunedBase:
    """A model in memory.

    Args:
        model: of peft.
        chat: its tokenizer and template.
    """

    def __init__(self, model: Any, chat: Chat) -> None:
        self.model = model
        self._chat = chat
        ends = model.generation_config.eos_token_id
        self._ends = {chat.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}

    def generate(
        self, prompts: Sequence[Sequence[Message]], sampling: Sampling = GREEDY
    ) -> list[Completion]:
        """Return `sampling.n` answers to each prompt, as `Model` says."""
        most = min(sampling.max_tokens, self._chat.context // 2)
        room = self._chat.context - most
        encoded = [self._chat.encode_prompt(messages, room)[0] for messages in prompts]
        asked = [(tokens, choice) for tokens in encoded for choice in range(sampling.n)]
        answers = [
            _Answer(self._chat, len(tokens), most, sampling.stop, self._ends) for tokens, _ in asked
        ]
        for start in range(0, len(asked), _ROWS_AT_ONCE):
            batch = slice(start, start + _ROWS_AT_ONCE)
            for step in self._steps(asked[batch], most, sampling):
                for answer, (token, told) in zip(answers[batch], step, strict=True):
                    answer.add(token, told)
                if all(answer.is_over for answer in answers[batch]):
                    break
        return [answer.completion() for answer in answers]

    def generate_stream(
        self, prompt: Sequence[Message], sampling: Sampling = GREEDY
    ) -> Iterator[Completion]:
        """Yield one answer of `generate` piece by piece, as `Model` says."""
        most = min(sampling.max_tokens, self._chat.context // 2)
        tokens, _ = self._chat.encode_prompt(prompt, self._chat.context - most)
        answer = _Answer(self._chat, len(tokens), most, sampling.stop, self._ends)
        for step in self._steps([(tokens, 0)], most, sampling):
            answer.add(*step[0])
            piece = answer.taken()
            if piece.text or piece.finish_reason:
                yield piece
            if answer.is_over:
                return

    def score(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[Completion]:
        """Return each answer with the log-probability of its tokens, as `Model` says."""
        return [self._scored(p, c) for p, c in zip(prompts, completions, strict=True)]

    def _scored(self, prompt: Sequence[Message], text: str) -> Completion:
        answer = self._chat.tokens(text)
        if len(answer) > self._chat.context // 2:
            raise ConfigError("an answer to score is longer than half the model's context")
        before, _ = self._chat.encode_prompt(prompt, self._chat.context - len(answer))
        tokens = torch.tensor([[*before, *answer]], device=bases.device())
        with torch.no_grad():
            found = torch.log_softmax(self.model(input_ids=tokens).logits[0].float(), -1)
        values = found[len(before) - 1 : -1].gather(-1, tokens[0, len(before) :, None])[:, 0]
        told = tuple(
            self._told(token, value) for token, value in zip(answer, values.tolist(), strict=True)
        )
        return Completion(text, told, len(before), "stop")

    @torch.no_grad()  # type: ignore[untyped-decorator]  # torch is an extra
    def _steps(
        self, asked: Sequence[tuple[tuple[int, ...], int]], most: int, sampling: Sampling
    ) -> Iterator[list[tuple[int, TokenLogprob]]]:
        """Yield the next token of every row, with what is told of it."""
        width = max(len(tokens) for tokens, _ in asked)
        tokens = np.zeros((len(asked), width), np.int64)
        is_real = np.zeros((len(asked), width), np.int64)
        for i, (row, _) in enumerate(asked):
            tokens[i, width - len(row) :] = row
            is_real[i, width - len(row) :] = 1
        draws = [np.random.default_rng([sampling.seed, choice]) for _, choice in asked]
        new, mask = torch.from_numpy(tokens), torch.from_numpy(is_real)
        position, cache = (mask.cumsum(-1) - 1).clamp(min=0), None
        for _ in range(most):
            found = self.model(
                input_ids=new.to(bases.device()),
                attention_mask=mask.to(bases.device()),
                position_ids=position.to(bases.device()),
                past_key_values=cache,
                use_cache=True,
            )
            cache = found.past_key_values
            logprobs = torch.log_softmax(found.logits[:, -1].float(), -1).cpu().numpy()
            chosen = [
                _chosen(row, draw, sampling.temperature)
                for row, draw in zip(logprobs, draws, strict=True)
            ]
            yield [
                (token, self._told(token, float(row[token]), row, sampling.top_logprobs))
                for token, row in zip(chosen, logprobs, strict=True)
            ]
            new = torch.tensor(chosen)[:, None]
            position = position[:, -1:] + 1
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)

    def _told(
        self, token: int, logprob: float, row: np.ndarray | None = None, n_top: int = 0
    ) -> TokenLogprob:
        text = self._chat.tokenizer.decode([token])
        likeliest: Iterable[int] = (
            [] if row is None or not n_top else np.argsort(-row, kind="stable")[:n_top]
        )
        top = tuple(
            (self._chat.tokenizer.decode([int(i)]), float(row[i]))
            for i in likeliest
            if row is not None
        )
        return TokenLogprob(text, text.encode(), logprob, top)


class _Answer:
    """Collects an answer; its text is decoded whole, since tokens are no characters."""

    def __init__(
        self, chat: Chat, n_prompt: int, most: int, stop: Sequence[str], ends: set[int | None]
    ) -> None:
        self._chat = chat
        self._n_prompt = n_prompt
        self._most = most
        self._stop = tuple(text for text in stop if text)
        self._ends = ends
        self._numbers: list[int] = []
        self._told: list[TokenLogprob] = []
        self._text = ""
        self._finish: Any = None
        self._n_taken = (0, 0)

    @property
    def is_over(self) -> bool:
        return self._finish is not None

    def add(self, token: int, told: TokenLogprob) -> None:
        if self.is_over:
            return
        if token in self._ends:
            self._finish = "stop"
            return
        self._numbers.append(token)
        self._told.append(told)
        self._text = self._chat.tokenizer.decode(self._numbers, skip_special_tokens=True)
        places = [place for text in self._stop if (place := self._text.find(text)) >= 0]
        if places:
            self._text, self._finish = self._text[: min(places)], "stop"
        elif len(self._numbers) >= self._most:
            self._finish = "length"

    def completion(self) -> Completion:
        return Completion(self._text, tuple(self._told), self._n_prompt, self._finish or "length")

    def taken(self) -> Completion:
        """Return what is certain and was not taken yet."""
        at, n_told = self._n_taken
        longest = max((len(text) - 1 for text in self._stop), default=0)
        end = len(self._text) if self.is_over else len(self._text.rstrip("\ufffd")) - longest
        end = max(at, end)
        self._n_taken = (end, len(self._told))
        return Completion(
            self._text[at:end], tuple(self._told[n_told:]), self._n_prompt, self._finish
        )


def _chosen(logprobs: np.ndarray, draw: np.random.Generator, temperature: float) -> int:
    """Return the likeliest token, or a drawn one (Gumbel-max)."""
    if temperature <= 0:
        return int(np.argmax(logprobs))
    return int(np.argmax(logprobs / temperature + draw.gumbel(size=logprobs.shape)))
