"""Where a dataset's rows come from: a location and its files.

A location is a path, a glob, `kaggle://OWNER/DATASET/FILE` (optional extra `kaggle`) or a table of
PostgreSQL (`postgres.py`). Files are CSV, JSON lines or JSON, gzipped or not, or Parquet; all of a
location are of one kind.
"""

import csv
import glob
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from python_stages.errors import SourceError
from python_stages.ingest.json_lines import columns_of, count_json_lines
from python_stages.ingest.lines import LineCount, count_lines, open_bytes
from python_stages.ingest.postgres import is_table
from python_stages.ingest.records import count_records
from python_stages.ingest.tables import copy_of

_KAGGLE = "kaggle://"
_MAX_HEADER_BYTES = 1 << 20
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)  # what gzip and pyarrow raise


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input file and what was seen of it.

    `columns` are the names in file order; `n_bytes` and `modified_ns` tell whether the file is
    still the one whose rows were counted. Of a table, `path` is its name, `copy` the relation that
    holds its rows, `n_rows` how many the server counted, and `modified_ns` a hash of them.
    """

    path: Path
    columns: tuple[str, ...]
    n_bytes: int
    modified_ns: int
    copy: str = ""
    n_rows: int = 0

    @property
    def has_lines(self) -> bool:
        """Whether the records lie in lines; those of Parquet and of a table have numbers."""
        return not (self.is_parquet or self.copy)

    @property
    def is_csv(self) -> bool:
        """Whether the file is CSV, gzipped or not."""
        return self.has_lines and not self.is_json

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet."""
        return not self.copy and self.path.suffix == ".parquet"

    @property
    def is_json(self) -> bool:
        """Whether the file is JSON, in lines or not."""
        return self.has_lines and _kind(self.path) in {".jsonl", ".json"}

    @property
    def is_shown(self) -> bool:
        """Whether the bytes of the file are not what is read, but what `open_bytes` shows."""
        return self.is_json and _kind(self.path) == ".json"

    def count(self, *, is_multiline: bool = False) -> LineCount:
        """Count the records without the reader that loads them: by line ends, or the footer.

        Args:
            is_multiline: whether a record may span lines, inside of quotes.

        Raises:
            SourceError: the file cannot be read to its end.
        """
        if self.copy:
            return LineCount(self.n_rows, is_plain=True)
        try:
            if self.is_parquet:
                return LineCount(int(pq.read_metadata(self.path).num_rows), is_plain=True)
            if self.is_json:
                return count_json_lines(self.path)
            return count_records(self.path) if is_multiline else count_lines(self.path)
        except _UNREADABLE as error:
            raise SourceError(
                f"{self.path.name} cannot be read to its end ({type(error).__name__}); is it whole?"
            ) from None


def open_source(con: duckdb.DuckDBPyConnection, location: str) -> tuple[SourceFile, ...]:
    """Find the files of a location, or copy the table that it names, once in a process.

    Args:
        con: what keeps the copy of a table, encrypted.
        location: of a dataset.

    Raises:
        SourceError: see `open_location` and `tables.copy_of`.
    """
    if not is_table(location):
        return open_location(location)
    copy = copy_of(con, location)
    _check_names(Path(copy.name), copy.columns)
    return (
        SourceFile(
            path=Path(copy.name),
            columns=copy.columns,
            n_bytes=copy.n_bytes,
            modified_ns=copy.content_hash,
            copy=copy.relation,
            n_rows=copy.n_rows,
        ),
    )


def open_location(location: str) -> tuple[SourceFile, ...]:
    """Find the files of a location, sorted by path, and read their headers.

    Raises:
        SourceError: there is no such file, kinds are mixed, or a header cannot be read.
    """
    if location.startswith(_KAGGLE):
        location = str(download_from_kaggle(location.removeprefix(_KAGGLE)))
    names = glob.glob(location, recursive=True)  # noqa: PTH207 - a location may be absolute
    names = [location] if Path(location).is_file() else names  # a file's name may hold brackets
    paths = sorted(Path(name).absolute() for name in names)
    paths = [path for path in paths if path.is_file()]
    if not paths:
        raise SourceError(
            f"no file at {Path(location).absolute()}; check the path, which a build takes from the "
            "dataset's var, as in --vars '{transactions_csv: /data/transactions.csv}'"
        )
    files = tuple(map(_open_file, paths))
    if len({(file.is_parquet, file.is_json) for file in files}) > 1:
        raise SourceError(f"{location} mixes kinds of files; give one kind per location")
    return files


def _open_file(path: Path) -> SourceFile:
    stat = path.stat()
    if stat.st_size == 0:
        raise SourceError(f"{path.name} is empty (0 bytes); expected a header line and records")
    if path.suffix == ".parquet":
        columns = _parquet_columns(path)
    elif _kind(path) in {".jsonl", ".json"}:
        columns = _json_columns(path)
    elif _kind(path) == ".csv":
        columns = _csv_columns(path)
    else:
        raise SourceError(
            f"{path.name}: unknown kind of file; known are .csv, .jsonl and .json, each also with "
            ".gz, and .parquet"
        )
    _check_names(path, columns)
    return SourceFile(path, columns, stat.st_size, stat.st_mtime_ns)


def _kind(path: Path) -> str:
    """Return the suffix of a file, but for `.gz`."""
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _check_names(path: Path, columns: Sequence[str]) -> None:
    """Refuse a header that does not name every column once.

    The message tells places, not names: a file without a header has data in its first line.
    """
    names = [name.lower() for name in columns]  # as DuckDB compares them
    first = next((n for n, name in enumerate(names) if not name or name in names[:n]), None)
    if first is None:
        return
    fault = "has the name of an earlier one" if names[first] else "has no name"
    raise SourceError(
        f"{path.name}: column {first + 1} {fault}; the first line must name every column once"
    )


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        return tuple(pq.read_schema(path).names)
    except _UNREADABLE:
        raise SourceError(f"{path.name} is no readable Parquet file") from None


def _json_columns(path: Path) -> tuple[str, ...]:
    try:
        return columns_of(path)
    except _UNREADABLE as error:
        raise SourceError(f"{path.name} cannot be read ({type(error).__name__})") from None


def _csv_columns(path: Path) -> tuple[str, ...]:
    try:
        with open_bytes(path) as file:
            head = file.read(_MAX_HEADER_BYTES)
    except _UNREADABLE as error:
        raise SourceError(f"{path.name} cannot be read ({type(error).__name__})") from None
    line, _, _ = head.partition(b"\n")
    try:
        text = line.decode("utf-8-sig").removesuffix("\r")
    except UnicodeDecodeError:
        raise SourceError(
            f"{path.name}: the header is not UTF-8; convert the file first, "
            "for example with iconv -t utf-8"
        ) from None
    if "\r" in text or "\0" in text:
        raise SourceError(
            f"{path.name}: the header holds carriage returns or NUL bytes; expected UTF-8 text "
            "whose lines end in LF or CRLF"
        )
    try:
        columns = next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise SourceError(f"{path.name}: the header has an unterminated quote") from None
    if not any(columns):
        raise SourceError(f"{path.name}: the first line is blank; expected the column names")
    return tuple(columns)


def require_columns(files: Sequence[SourceFile], expected: Sequence[str]) -> None:
    """Check that every file has the expected columns; order does not matter, others are ignored.

    Raises:
        SourceError: a column is missing; names it.
    """
    for file in files:
        missing = [name for name in expected if name not in file.columns]
        if missing:
            # header names that nobody expected could be data of a file without a header
            raise SourceError(
                f"{file.path.name}: {len(missing)} of {len(expected)} columns are missing from the "
                f"header: {', '.join(missing)}; rename them in the file or in the dataset's config"
            )


@cache  # a build looks at its location several times, and must see one version of the file
def download_from_kaggle(handle: str) -> Path:
    """Download `OWNER/DATASET/FILE` through kagglehub, which caches it outside the project."""
    parts = handle.split("/", 2)
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - the three parts of the handle
        raise SourceError("a Kaggle location is kaggle://OWNER/DATASET/FILE")
    try:
        import kagglehub  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise SourceError(
            "reading from Kaggle needs the extra `kaggle`: pip install 'sealtune[kaggle]'"
        ) from None
    owner, dataset, name = parts
    logging.getLogger("kagglehub").setLevel(logging.ERROR)  # it writes to stdout, which is ours
    try:
        return Path(kagglehub.dataset_download(f"{owner}/{dataset}", path=name))
    except Exception as error:  # noqa: BLE001 - whatever it is, its text stays here
        raise SourceError(
            f"Kaggle did not hand out {name} of {owner}/{dataset} ({type(error).__name__}); check "
            "the name, the network, and KAGGLE_USERNAME and KAGGLE_KEY"
        ) from None
