"""Canaries: a source that holds them in every column, and the search for them in what was written.

A canary is a value that stands nowhere else. Those of text columns share two words, so that few
have to be searched for; a match names the word, and the file says where it came from.
"""

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from python_stages.generate import dirt, generate_transactions
from python_stages.generate.tables import HEADER
from tests.e2e.conftest import Project

N_ROWS = 300

# Every canary that is a text holds one of these two, so that few words have to be searched for.
STEM = "Qvexnurbal"
ACCENTED = "Žlůzkŷthvéř"
# Canaries of columns whose rules want something else than a text.
CARD_NUMBER = 4929817263540186
AMOUNT = 7318264.91
TIMESTAMP = datetime.fromisoformat("2024-10-11 07:43:19.804613+00:00")
# What stands in the columns that do not take any text as it is.
KEPT: dict[str, str] = {
    "card_number": str(CARD_NUMBER),
    "timestamp": "2024-10-11 07:43:19.804613+00:00",
    # a value may look like an error of ours
    "merchant": f'"ConfigError: {STEM} ""{ACCENTED}"" merchant"',
    "city": f"{STEM}ville {ACCENTED}",
    "amount": str(AMOUNT),
    "velocity_last_hour": f"\"{{'num_transactions': 5, 'note': '{STEM} velocity'}}\"",
}
# Columns that only take values out of a closed list: there a canary is always a reason to reject.
CLOSED = {
    "merchant_category",
    "currency",
    "card_present",
    "distance_from_home",
    "high_risk_merchant",
    "transaction_hour",
    "weekend_transaction",
    "is_fraud",
}


def spellings() -> dict[str, bytes]:
    """Return every canary in every encoding, by a name that says which one it is."""
    texts = {
        "stem": STEM,
        "accented": ACCENTED,
        "card": str(CARD_NUMBER),
        **{f"amount {i}": text for i, text in enumerate(_amounts())},
        **{f"timestamp {i}": text for i, text in enumerate(_timestamps())},
    }
    found = {f"{name}, {how}": raw for name, text in texts.items() for how, raw in encoded(text)}
    microseconds = round(TIMESTAMP.timestamp() * 1_000_000)
    for order in "<>":
        for name, kind, value in (
            ("card", "q", CARD_NUMBER),
            ("amount", "d", AMOUNT),
            ("timestamp", "q", microseconds),
        ):
            found[f"{name}, binary {order}"] = struct.pack(order + kind, value)
    return found


def encoded(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield the encodings of a text, each with its name."""
    for case, cased in (("", text), (", upper", text.upper()), (", lower", text.lower())):
        yield f"UTF-8{case}", cased.encode()
    for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        yield codec, text.encode(codec)
    if not text.isascii():
        yield "Latin-1 of UTF-8", text.encode().decode("latin-1").encode()
        yield "decomposed and stripped", text.encode("ascii", "xmlcharrefreplace")
    raw = text.encode()
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "JSON", json.dumps(text)[1:-1].encode()
    yield "JSON, all escaped", "".join(f"\\u{ord(c):04x}" for c in text).encode()
    yield "JSON, all ESCAPED", "".join(f"\\u{ord(c):04X}" for c in text).encode()
    yield "bytes literal", repr(raw)[2:-1].encode()
    yield "bytes literal, all escaped", "".join(f"\\x{byte:02x}" for byte in raw).encode()
    yield "URL", quote(text).encode()
    for before in range(3):
        for name, encode in (
            ("base64", base64.b64encode),
            ("base64, URL-safe", base64.urlsafe_b64encode),
        ):
            # the characters that the bytes in front and behind have no part in
            start, end = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
            yield f"{name} at {before}", encode(b"\0" * before + raw + b"\0" * 3)[start:end]


def _amounts() -> list[str]:
    whole, cents = divmod(round(AMOUNT * 100), 100)
    grouped = f"{whole:,}"
    points = [grouped.replace(",", mark) for mark in (",", ".", " ", "\u00a0", "\u202f", "'")]
    return [f"{whole}.{cents}", f"{whole},{cents}", *points]


def _timestamps() -> list[str]:
    microseconds = round(TIMESTAMP.timestamp() * 1_000_000)
    return [
        f"{TIMESTAMP:%Y-%m-%d %H:%M:%S.%f}",
        f"{TIMESTAMP:%Y-%m-%dT%H:%M:%S.%f}",
        f"{TIMESTAMP:%H:%M:%S.%f}",
        str(microseconds),
    ]


SPELLINGS = spellings()


def leaks_in(data: bytes) -> list[str]:
    """Return which canaries some bytes hold, in which encodings."""
    return [name for name, raw in SPELLINGS.items() if raw in data]


def write_source(path: Path) -> None:
    """Write a source whose every column holds canaries, kept where rules allow, and rejected.

    Every eighth good record holds a canary in each column that takes one. Each rejected record has
    one canary, in a cell that breaks a rule of its column or, where it has none, in a line that is
    broken in another way.
    """
    generate_transactions(path, n_rows=N_ROWS, seed=5, n_workers=1)
    header, *lines = path.read_text("ascii").splitlines()
    rows = [dirt.fields(line) for line in lines]
    rejected = []
    for place, name in enumerate(HEADER):
        row = rows[place * 10 + 1].copy()
        row[place] = f"{STEM} {ACCENTED} bad {name}"
        line = ",".join(row)
        if name not in CLOSED | KEPT.keys() or name in {"merchant", "city"}:
            line = BREAKS[place % len(BREAKS)](line)
        rejected.append(line)
    for row in rows[::8]:
        row[:] = [
            cell if name in CLOSED else KEPT.get(name, f"{STEM} {name}")
            for name, cell in zip(HEADER, row, strict=True)
        ]
    good = [",".join(row) for row in rows]
    repeated = good[0]
    mixed = [header, *good[:100], *rejected[:12], *good[100:], *rejected[12:], repeated, ""]
    path.write_text("\n".join(mixed), "utf-8", errors="surrogateescape")


BREAKS = (
    lambda line: line.replace(STEM, f'"{STEM}', 1),  # an unterminated quote
    lambda line: line.replace(STEM, f"{STEM}\udcff", 1),  # no UTF-8
    lambda line: f"{line},{STEM}",  # too many columns
    lambda line: re.sub(r"(bad \w+).*", r"\1", line),  # missing columns
    lambda line: line.replace(STEM, f"{STEM}\r", 1),  # a stray carriage return
    lambda line: line.replace(STEM, f"{STEM}\0", 1),  # a NUL byte
)


def search(project: Project, *, outputs: bool = True) -> list[str]:
    """Return every place, outside the source, where a command left a canary readable.

    Looks into all files under the test's folder, at their names, and at what commands printed.
    """
    found = []
    n_files = 0
    for path in sorted(project.root.rglob("*")):
        data = bytes(path.relative_to(project.root))
        if path.is_file() and not path.is_symlink():
            data += b"\n" + path.read_bytes()
            n_files += 1
        found += [f"{path.relative_to(project.root)}: {name}" for name in leaks_in(data)]
    for number, text in enumerate(project.outputs if outputs else []):
        data = text.encode("utf-8", "surrogateescape")
        found += [f"output {number}: {name}" for name in leaks_in(data)]
    if not n_files:
        pytest.fail("there is nothing to search: the commands wrote elsewhere")
    return found


def spills(root: Path) -> list[Path]:
    """Return DuckDB's temporary files under a folder."""
    return [path for path in root.rglob("duckdb_temp*") if path.stat().st_size]


def is_noise(paths: list[Path]) -> bool:
    """Say whether no file holds anything that could be compressed: plaintext could."""
    sizes = [(len(data), len(zlib.compress(data))) for data in map(Path.read_bytes, paths)]
    return bool(sizes) and all(compressed > 0.999 * size for size, compressed in sizes)
