"""Where a dataset's rows come from: a location, its files, and the SQL that scans them as text.

A location is a path, a glob, or `kaggle://OWNER/DATASET/FILE` (optional extra `kaggle`). Files are
CSV, gzipped CSV, JSON lines or Parquet, all of one kind. Every column is scanned as VARCHAR: what a
value means is decided, and counted, by the ingest stage, never by a reader that drops what it
cannot cast.
"""

import csv
import glob
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from python_stages.errors import SourceError
from python_stages.ingest.json_lines import columns_of, count_json_lines
from python_stages.ingest.lines import MAX_LINE_BYTES, LineCount, count_lines, open_bytes
from python_stages.ingest.records import count_records

_KAGGLE = "kaggle://"
_MAX_HEADER_BYTES = 1 << 20
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)  # what gzip and pyarrow raise


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input file and what was seen of it.

    `columns` are the names in file order; `n_bytes` and `modified_ns` tell whether the file is
    still the one whose rows were counted.
    """

    path: Path
    columns: tuple[str, ...]
    n_bytes: int
    modified_ns: int

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet."""
        return self.path.suffix == ".parquet"

    @property
    def is_json(self) -> bool:
        """Whether the file is JSON lines; what is neither is CSV, gzipped or not."""
        return self.path.suffix == ".jsonl"

    def count(self, *, is_multiline: bool = False) -> LineCount:
        """Count the records without the reader that loads them: by line ends, or the footer.

        Args:
            is_multiline: whether a record may span lines, inside of quotes.

        Raises:
            SourceError: the file cannot be read to its end.
        """
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
            f"no file at {location}; set the dataset's location variable, for example "
            "--vars '{transactions_csv: /data/transactions.csv}'"
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
    elif path.suffix == ".jsonl":
        columns = columns_of(path)
    elif path.suffixes[-1:] == [".csv"] or path.suffixes[-2:] == [".csv", ".gz"]:
        columns = _csv_columns(path)
    else:
        raise SourceError(
            f"{path.name}: unknown kind of file; known are .csv, .csv.gz, .jsonl and .parquet"
        )
    _check_names(path, columns)
    return SourceFile(path, columns, stat.st_size, stat.st_mtime_ns)


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


def csv_sql(url: Path | str, columns: Sequence[str]) -> str:
    """Return the SELECT that scans one CSV file as text, with nothing left to detection."""
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
    # a masked file, which is a URL, is served decompressed
    source = _exact(url) if isinstance(url, Path) else literal(url)
    is_gzip = isinstance(url, Path) and url.suffix == ".gz"
    return (
        f"select * from read_csv({source}, columns = {{{types}}}, header = true, "
        "auto_detect = false, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
        # a quarter of DuckDB's default buffer takes 50 MB less memory and no more time
        f"max_line_size = {MAX_LINE_BYTES}, buffer_size = {4 * MAX_LINE_BYTES}, "
        f"compression = '{'gzip' if is_gzip else 'none'}')"
    )


def json_sql(url: Path | str, columns: Sequence[str]) -> str:
    """Return the SELECT that scans one file of JSON lines as text, a column for each name."""
    source = _exact(url) if isinstance(url, Path) else literal(url)
    values = ", ".join(
        f"case when json_valid(line) then line ->> {literal(_json_path(name))} end "
        f"as {identifier(name)}"
        for name in columns
    )
    return (
        f"select {values} from read_csv({source}, columns = {{'line': 'VARCHAR'}}, header = false, "
        "auto_detect = false, delim = '\x1f', quote = '', escape = '', strict_mode = true, "
        f"max_line_size = {MAX_LINE_BYTES}, buffer_size = {4 * MAX_LINE_BYTES}) where line <> ''"
    )


def _json_path(name: str) -> str:
    return '$."' + name.replace('"', '\\"') + '"'


def lenient_sql(location: str, column: str) -> str:
    """Return the SELECT of one column of a location, named value, as far as it can be read.

    It is for looking for values, not for counting them: records that cannot be read are passed
    over, and a file that cannot be read has none.
    """
    try:
        files = open_location(location)
        require_columns(files, [column])
    except SourceError:
        return "select null::varchar as value where false"
    name = identifier(column)
    return " union all ".join(
        f"select {name}::varchar as value from read_parquet({_exact(file.path)})"
        if file.is_parquet
        else f"select {name} as value from ({json_sql(file.path, [column])})"
        if file.is_json
        else f"select {name} as value from read_csv({_exact(file.path)}, all_varchar = true, "
        "header = true, delim = ',', quote = '\"', escape = '\"', strict_mode = false, "
        "ignore_errors = true, null_padding = true, parallel = false)"
        for file in files
    )


def parquet_sql(path: Path, columns: Sequence[str], without_rows: Sequence[int] = ()) -> str:
    """Return the SELECT that scans one Parquet file as text, without some 0-based row numbers."""
    nested = {field.name for field in pq.read_schema(path) if pa.types.is_nested(field.type)}
    casts = ", ".join(
        f"to_json({identifier(name)})::varchar as {identifier(name)}"
        if name in nested
        else f"{identifier(name)}::varchar as {identifier(name)}"
        for name in columns
    )
    scan = f"select {casts} from read_parquet({_exact(path)}, file_row_number = true)"
    if not without_rows:
        return scan
    return f"{scan} where file_row_number not in ({', '.join(map(str, without_rows))})"


def _exact(path: Path) -> str:
    """Quote a path that may hold glob characters, which DuckDB would expand."""
    return literal(glob.escape(str(path)))


def literal(value: object) -> str:
    """Quote a value as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


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
