"""What the columns of a new file are, and what a model could learn from it.

A class of privacy comes with the counts that speak for it. Where nothing speaks, the careful class
is taken: a column of codes that hardly repeat singles a row out, whatever it is called.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from python_stages.errors import ConfigError
from python_stages.scaffold.profile import Column, Profile
from python_stages.scaffold.words import WORDS
from python_stages.scrub.recognizers import GROUPS

Privacy = Literal["direct", "quasi", "sensitive", "free_text", "none"]

_OF_PEOPLE: Final = frozenset({"PERSON", "USERNAME", "STREET_ADDRESS"})
_IDENTIFIERS: Final = frozenset((*GROUPS["identifiers"], *GROUPS["national_ids"])) | _OF_PEOPLE
_QUASI_ENTITIES: Final = frozenset(
    ("DATE_TIME", "DATE_OF_BIRTH", "AGE", "LOCATION", "ZIP_CODE", "UK_POSTCODE")
)
_MOST_LABELS: Final = 30
_LEAST_PER_LABEL: Final = 3
_WORDS_OF_TEXT: Final = 6.0
_HELD: Final = 0.5  # share of cells that are the value
_SOME: Final = 0.2
_UNIQUE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Proposed:
    """A column, what it is, and why.

    Attributes:
        column: what was seen of it.
        name: of it in models.
        privacy: its class.
        entity: what a direct identifier is; empty for other classes.
        evidence: counts that speak for it.
    """

    column: Column
    name: str
    privacy: Privacy
    entity: str = ""
    evidence: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a folder would say.

    Attributes:
        columns: in the order of the file.
        label: column that the model shall answer with, or that tells classes apart; empty for none.
        answer: column that holds the text to learn; empty where the label is the answer.
        chat: column that holds whole conversations; empty for none.
        is_multiline: whether records may span lines.
    """

    columns: tuple[Proposed, ...]
    label: str
    answer: str
    chat: str
    is_multiline: bool

    def of(self, *classes: Privacy) -> list[Proposed]:
        """Return the columns of some classes."""
        return [one for one in self.columns if one.privacy in classes]


def propose(profile: Profile, *, label: str = "", answer: str = "") -> Proposal:
    """Say what the columns are, and what there is to learn.

    Args:
        profile: what was seen of the file.
        label: column that the file's owner names as the label; found where it is empty.
        answer: the same for the text to learn.

    Raises:
        ConfigError: a column that was named is not there, or nothing was found to learn.
    """
    names = _names(one.name for one in profile.columns)
    columns = tuple(_proposed(one, names[one.name]) for one in profile.columns)
    known = {one.column.name: one for one in columns} | {one.name: one for one in columns}
    for wanted in filter(None, (label, answer)):
        if wanted not in known:
            raise ConfigError(
                f"there is no column of the name given; there are: {', '.join(names)}"
            )
    chat = next((one.name for one in columns if one.column.is_chat), "")
    answer = known[answer].name if answer else "" if chat else _answer(columns)
    label = known[label].name if label else "" if chat else _label(columns, answer)
    if not (label or answer or chat):
        raise ConfigError(
            "no column looks like something to learn: name one with --label (a few values that "
            "repeat) or --answer (a text)"
        )
    return Proposal(columns, label, answer, chat, profile.is_multiline)


def _names(names: Iterable[str]) -> dict[str, str]:
    """Return a name for models for every column: lower case, words joined, none twice."""
    known: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W+", "_", name.strip().lower(), flags=re.ASCII).strip("_") or "column"
        plain = f"c_{plain}" if plain[0].isdigit() or plain in WORDS.taken else plain
        while plain in known.values():
            plain += "_2"
        known[name] = plain
    return known


def _proposed(column: Column, name: str) -> Proposed:
    words = set(re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column.name).lower()))
    if column.is_chat:
        return Proposed(column, name, "free_text", evidence={"chats": column.n_cells})
    entity = _identifier(column, words)
    if entity:
        evidence = {entity: column.found.get(entity, 0), "distinct": column.n_distinct}
        return Proposed(column, name, "direct", entity, evidence)
    if column.words_a_cell >= _WORDS_OF_TEXT or column.n_lines:
        return Proposed(column, name, "free_text", evidence=dict(column.found))
    if words & WORDS.sensitive or _held(column, {"NRP"}):
        return Proposed(column, name, "sensitive", evidence=dict(column.found))
    if (
        words & WORDS.quasi
        or column.share(column.n_dates) > _HELD
        or _held(column, _QUASI_ENTITIES)
    ):
        dates = {"dates": column.n_dates} if column.n_dates else {}
        return Proposed(column, name, "quasi", evidence={**dates, **column.found})
    # values that hardly repeat, such as amounts or numbers of rooms, single a row out
    privacy: Privacy = "quasi" if column.share(column.n_distinct) > _HELD else "none"
    return Proposed(column, name, privacy, evidence={"distinct": column.n_distinct})


def _held(column: Column, entities: Iterable[str]) -> bool:
    return column.share(sum(column.whole.get(one, 0) for one in entities)) > _HELD


def _identifier(column: Column, words: set[str]) -> str:
    """Return what a column of direct identifiers holds; empty for another column."""
    if column.words_a_cell >= 2 * _WORDS_OF_TEXT or column.n_lines:
        return ""
    hinted = next((entity for word, entity in WORDS.direct.items() if word in words), "")
    if not hinted and ("name" in words and (words & WORDS.people or words == {"name"})):
        hinted = "PERSON"
    repeats = column.share(column.n_distinct) < _SOME
    held = {
        entity: n
        for entity, n in column.whole.items()
        if entity in _IDENTIFIERS and column.share(n) >= (_SOME if hinted else _HELD)
    }
    if held and not (repeats and not hinted):
        return hinted or max(held, key=lambda entity: held[entity])
    if hinted:
        return hinted
    is_unique = column.share(column.n_distinct) >= _UNIQUE
    is_code = column.share(column.n_codes) >= _UNIQUE and column.share(column.n_dates) < _HELD
    is_measure = column.share(column.n_numbers) >= _UNIQUE and not words & WORDS.ids
    return "ID_NUMBER" if is_unique and is_code and not is_measure else ""


def _label(columns: Iterable[Proposed], answer: str) -> str:
    """Return the column that tells classes apart: named like one, else that of fewest values."""
    fitting = [
        one
        for one in columns
        if one.name != answer
        and one.privacy in {"none", "quasi", "sensitive"}
        and 1 < one.column.n_distinct <= _MOST_LABELS
        and one.column.n_cells >= _LEAST_PER_LABEL * one.column.n_distinct
        and not one.column.n_empty
    ]
    named = [one for one in fitting if set(one.name.split("_")) & WORDS.labels]
    if answer:
        return named[0].name if named else ""
    chosen = named or [one for one in fitting if one.privacy == "none"]
    return min(chosen, key=lambda one: one.column.n_distinct).name if chosen else ""


def _answer(columns: Iterable[Proposed]) -> str:
    """Return the column of free text that is named like an answer."""
    texts = [one.name for one in columns if one.privacy == "free_text"]
    return next((name for name in texts if set(name.split("_")) & WORDS.answers), "")
