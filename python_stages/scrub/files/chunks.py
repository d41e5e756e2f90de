"""A part of a file: its texts by column, and what else it takes to write it again."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Protocol, TypeAlias

Texts: TypeAlias = Sequence[str | None]

SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""What is no character by itself: neither Arrow nor UTF-8 can hold it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a file.

    Args:
        columns: the texts of each column, all of one length.
        n_rows: that length.
        rest: what the format needs to write the rows; nobody else looks at it.
        unread: columns that may hold text and could not be read: name -> type.
        names: what the file calls its columns and their parts, those without text, too.
        records: the record that each row is of, where one takes several rows.
        is_open: whether another chunk may have other columns.
    """

    columns: Mapping[str, Texts]
    n_rows: int
    rest: Any = None
    unread: Mapping[str, str] = field(default_factory=dict)
    names: Collection[str] = ()
    records: Sequence[int] | None = None
    is_open: bool = False


class Format(Protocol):
    """How a file is read in chunks and written again. One object is for one file."""

    def read(self, source: BinaryIO) -> Iterator[Chunk]:
        """Yield the file in chunks, at least one."""

    def write(self, sink: BinaryIO, chunk: Chunk, columns: Mapping[str, Texts]) -> None:
        """Write one chunk with these texts; a column that is absent, read or not, was dropped."""

    def finish(self, sink: BinaryIO) -> None:
        """Write what comes after the last chunk."""
