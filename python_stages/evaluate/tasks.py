"""What is asked of a model: pick one of a few labels, or write a text.

The task is read off the examples: where every label has one answer and every answer one label, and
each is used several times, it is a classification, and an answer is taken for a label by its
normalised text. Everything else is judged as text.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from python_stages.errors import StageError

Kind = Literal["classification", "text"]

_MIN_EXAMPLES_PER_LABEL: Final = 2
_AROUND: Final = " \t\n\"'`*.,:;!"


@dataclass(frozen=True, slots=True)
class Example:
    """One example, taken apart.

    Args:
        example_id: its id.
        fingerprint: keyed hash of its line.
        label: its label.
        prompt: the messages before the last.
        reference: the text of the last message, which is the assistant's.
    """

    example_id: str
    fingerprint: str
    label: str
    prompt: tuple[Mapping[str, Any], ...]
    reference: str

    @classmethod
    def from_row(cls, example_id: str, fingerprint: str, label: str, messages: str) -> "Example":
        """Take the messages of an example apart.

        Raises:
            StageError: they do not end with a text of the assistant.
        """
        conversation = json.loads(messages)
        last = conversation[-1] if isinstance(conversation, list) and conversation else {}
        if last.get("role") != "assistant" or not isinstance(last.get("content"), str):
            raise StageError(
                "an example does not end with a text of the assistant, with which an answer could "
                "be compared; leave such examples out, or set evaluate: {max_examples: 0}"
            )
        return cls(example_id, fingerprint, label, tuple(conversation[:-1]), last["content"])

    @property
    def user_text(self) -> str:
        """The text of the prompt without its system message, which all examples may share."""
        return "\n".join(
            str(one.get("content") or "") for one in self.prompt if one["role"] != "system"
        )


@dataclass(frozen=True, slots=True)
class Task:
    """What the examples of a dataset ask for.

    Args:
        kind: `classification` or `text`.
        answers: the answer of each label, in order of the labels; empty for texts.
    """

    kind: Kind
    answers: Mapping[str, str]
    _labels: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        labels = {normalised(answer): label for label, answer in self.answers.items()}
        object.__setattr__(self, "_labels", labels)

    def label_of(self, answer: str) -> str | None:
        """Return the label that an answer names, or None where it names none."""
        return self._labels.get(normalised(answer))


def task_of(pairs: Iterable[tuple[str, str]]) -> Task:
    """Read the task off the examples.

    Args:
        pairs: label and reference answer of every example.
    """
    n_examples = 0
    answers: dict[str, str] = {}
    labels: dict[str, str] = {}
    for label, answer in pairs:
        n_examples += 1
        is_one = answers.setdefault(label, answer) == answer
        if not is_one or labels.setdefault(normalised(answer), label) != label:
            return Task("text", {})
    if n_examples < _MIN_EXAMPLES_PER_LABEL * len(answers):
        return Task("text", {})
    return Task("classification", dict(sorted(answers.items())))


def normalised(text: str) -> str:
    """Return a text as answers are compared: NFKC, case folded, single blanks, bare of its edges.

    Edges are blanks, quotes, asterisks and punctuation, such as in `"Gas".` or `**Gas**`.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\s+", " ", folded).strip(_AROUND)
