"""Claims about JSON lines as a source: every line is a record, accounted for."""

import json
from pathlib import Path

import duckdb

from python_stages.ingest import accounting as ingest
from python_stages.ingest.masked_files import MaskedFileSystem

GOOD = [{"id": f"n{n}", "messages": [{"role": "user", "content": "a\nb"}]} for n in range(4)]


def account(path: Path) -> tuple[list[tuple[str, str | None, int | None]], list[tuple[str, ...]]]:
    """Return what became of the records, and the kept ones."""
    config = {"location": str(path), "columns": {"id": {}, "messages": {}}}
    spec = ingest.IngestSpec.from_config("notes", config)
    masked_files = MaskedFileSystem()
    with duckdb.connect(config={"threads": 1}) as con:
        con.register_filesystem(masked_files)
        table = ingest.account(con, spec, bytes(32), masked_files).read_all()
        con.register("ingested", table)
        sql = ingest.kept_sql(con, "notes", str(path), "ingested", spec.config_hash, masked_files)
        kept = con.execute(f"select id, messages from ({sql})").fetchall()  # noqa: S608 - ours
    rows = [
        (row["outcome"], row["reason"], row["line_number"] or row["n_rows"])
        for row in table.to_pylist()
    ]
    return rows, kept


def test_nested_values_are_their_json(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("\n".join(map(json.dumps, GOOD)) + "\n", encoding="utf-8")
    rows, kept = account(path)
    assert rows == [("read", None, 4), ("kept", None, 4)]
    assert [json.loads(messages) for _, messages in kept] == [one["messages"] for one in GOOD]


def test_lines_that_are_no_record_are_rejected_by_line(tmp_path: Path) -> None:
    bad = ["{broken", "", json.dumps({"id": "n9"}), "[]"]
    lines = [json.dumps(GOOD[0]), *bad, json.dumps(GOOD[1]), '{"id": "a\x1fb"}']
    path = tmp_path / "notes.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    rows, kept = account(path)
    assert rows == [
        ("read", None, 6),
        ("kept", None, 2),
        ("rejected", "no_json_object", 2),
        ("rejected", "messages_missing", 4),
        ("rejected", "no_json_object", 5),
        ("rejected", "unit_separator", 7),
    ]
    assert [name for name, _ in kept] == ["n0", "n1"]
