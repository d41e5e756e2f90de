"""Names of columns: that they are names and no data, and that those who were named are there.

The first row of a CSV without a header, and an object of JSON whose keys are people, would pass as
names of columns: they are written as they are. A date or a place may well name a column (`2024`,
`Germany`), and so may a plain word that the language model takes for a person (`Latitude`).
"""

import calendar
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from python_stages.errors import ConfigError, SourceError
from python_stages.scrub.engine import UNREADABLE, Engine, Finding
from python_stages.scrub.files.chunks import Chunk
from python_stages.scrub.policy import suggest
from python_stages.scrub.recognizers import IDENTIFIERS

if TYPE_CHECKING:
    from python_stages.scrub.ner.second_look import Lists

_WORD: Final = re.compile(r"[^\W\d_]+")
_ADDRESSES: Final = frozenset({"STREET_ADDRESS", "PO_BOX"})
_ORDINARY: Final = frozenset(  # what names a column as often as it is data in its place
    {
        *("AGE", "DATE_TIME", "TITLE", "ZIP_CODE", "LOCATION", "ORGANIZATION", "NRP"),
        *("URL", "DOMAIN_NAME", "USERNAME"),
    }
)
_MONTHS: Final = frozenset(month.lower() for month in calendar.month_abbr)
_LONGEST_NAME: Final = 4  # words
_SHOWN: Final = 20  # names of columns in an error


def checked(chunks: Iterable[Chunk], engine: Engine) -> Iterator[Chunk]:
    """Let chunks through whose column names are names: data would be printed, and not scrubbed.

    Raises:
        SourceError: a name holds what the engine looks for.
    """
    seen: set[str] = set()
    for chunk in chunks:
        new = sorted({*chunk.columns, *chunk.names} - seen)
        for name, found in zip(new, engine.spans(new), strict=True):
            if any(_is_data(name, finding) for finding in found) or (
                "PERSON" in engine.entities and _is_listed(name)
            ):
                raise SourceError(
                    "a column's name holds personal data: if the first row of the csv is data, "
                    "say --no-header; keys of json must be names of columns, and no data"
                )
        seen.update(new)
        yield chunk


def complete(chunks: Iterable[Chunk], named: Collection[str]) -> Iterator[Chunk]:
    """Let chunks through, the last only if every named column occurred by then.

    Args:
        chunks: of a format whose chunks may have different columns; others pass.
        named: columns that a user asked for.

    Raises:
        ConfigError: one never occurred, in a file that has columns at all.
    """
    missing, seen = set(named), set[str]()
    held: list[Chunk] = []
    for chunk in chunks:
        yield from held
        held.clear()
        seen.update(chunk.columns, chunk.names)
        missing -= seen
        if missing and chunk.is_open:
            held.append(chunk)
        else:
            yield chunk
    if held and seen:
        known = sorted(seen)
        listed = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
        raise ConfigError(
            f"column {', '.join(sorted(missing))} never occurred: the columns are {listed}"
            f"{suggest(sorted(missing), known)}"
        )
    yield from held


def _is_data(name: str, finding: Finding) -> bool:
    """Return whether a finding in the name of a column says that it is none."""
    found = name[finding.start : finding.end]
    if finding.entity in IDENTIFIERS or finding.entity == UNREADABLE:
        return True
    if finding.entity == "PERSON":
        return _is_person(name, found)
    if finding.entity in _ADDRESSES:
        return any(character.isdigit() for character in found)
    around = name[: finding.start] + name[finding.end :]
    return finding.entity not in _ORDINARY and not any(map(str.isalnum, around))


def _is_person(name: str, found: str) -> bool:
    """Return whether what the model takes for a person is one, and no heading or city."""
    words = _WORD.findall(found.lower())
    lists = _lists()
    if len(words) == 1:
        return (
            _WORD.findall(name.lower()) == words
            and words[0] in lists.first_names - lists.plain - lists.places - _MONTHS
        )
    return any(word in lists.names and word not in lists.plain for word in words)


def _is_listed(name: str) -> bool:
    """Return whether a name, which the model may miss alone, is made of names of people."""
    words = _WORD.findall(name)
    spoken = [word.lower() for word in words]
    if not 1 < len(words) <= _LONGEST_NAME or not all(word[0].isupper() for word in words):
        return False
    lists = _lists()
    return (
        all(word in lists.names for word in spoken)
        and any(word in lists.first_names for word in spoken)
        and not all(word in lists.plain for word in spoken)
        and " ".join(spoken) not in lists.places
    )


def _lists() -> "Lists":
    from python_stages.scrub.ner import second_look  # noqa: PLC0415  # reads files, imports spaCy

    return second_look.known()
