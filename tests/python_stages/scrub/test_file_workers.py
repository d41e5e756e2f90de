"""Files on workers: byte for byte what one process writes, whatever the format."""

import io
import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from python_stages.errors import ConfigError
from python_stages.scrub import Engine, Policy
from python_stages.scrub.files import Totals, Wanted, collect, open_format, scrub_file
from python_stages.scrub.pool import Executor, Inline
from tests.python_stages.scrub.engines import built
from tests.python_stages.scrub.pool_work import AtADesk

KEY = bytes(range(32))
MAILS = [f"{name}.{n % 25}@acme.com" for n in range(1_200) for name in ("ann", "bo")]


@pytest.fixture(scope="module")
def emails() -> Engine:
    return built("EMAIL_ADDRESS")


def policy_for(columns: Sequence[str]) -> Policy:
    rule = {"entities": ["EMAIL_ADDRESS"], "operator": "surrogate"}
    return Policy(
        Policy.from_config(dict.fromkeys(columns, rule)).rules if columns else {}, dataset="files"
    )


def scrubbed(content: bytes, form: str, engine: Engine, executor: Executor) -> tuple[bytes, Totals]:
    wanted = Wanted(policy_for, engine, KEY, executor=executor)
    sink = io.BytesIO()
    real = collect(io.BytesIO(content), open_format(None, form), wanted)
    totals = scrub_file(io.BytesIO(content), sink, open_format(None, form), wanted, real)
    return sink.getvalue(), totals


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"mail": MAILS, "n": range(len(MAILS))}), sink)
    return sink.getvalue()


CONTENTS = {
    "text": "\n\n".join(f"to {mail}" for mail in MAILS).encode(),
    "csv": "\n".join(["mail,note", *(f"{mail},n" for mail in MAILS)]).encode(),
    "jsonl": "\n".join(json.dumps({"a": [m], f"b{m[-20:-9]}": 1}) for m in MAILS[:1_100]).encode(),
    "parquet": parquet(),
}  # fmt: skip


@pytest.mark.parametrize("form", CONTENTS)
def test_workers_write_what_one_process_writes(emails: Engine, form: str) -> None:
    here, totals = scrubbed(CONTENTS[form], form, emails, Inline())
    assert scrubbed(CONTENTS[form], form, emails, AtADesk()) == (here, totals)
    assert totals.n_masked >= 3
    assert b"acme" not in here


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_that_holds_nothing_stays_so(emails: Engine, form: str) -> None:
    assert scrubbed(b"", form, emails, AtADesk()) == (b"", Totals())


def test_no_surrogate_is_a_value_of_the_file(emails: Engine) -> None:
    def made(mails: Sequence[str]) -> list[str]:
        content = "\n".join(["mail", *mails]).encode()
        return scrubbed(content, "csv", emails, Inline())[0].decode().split()[1:]

    first = made(MAILS[:50])
    second = made([*MAILS[:50], *first])
    assert not set(second) & set(first)
    assert second[:50] != first


def test_surrogates_need_the_values_of_the_file_first(emails: Engine) -> None:
    wanted = Wanted(policy_for, emails, KEY)
    with pytest.raises(ConfigError, match="which values are real"):
        scrub_file(io.BytesIO(b"to ann@acme.com\n"), io.BytesIO(), open_format(None), wanted)
