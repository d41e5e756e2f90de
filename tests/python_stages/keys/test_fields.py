"""Cells that only their dataset's key opens."""

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from python_stages import keys
from python_stages.cli.main import app
from python_stages.errors import ConfigError, KeyFileError
from python_stages.keys import KeyRing, datasets
from python_stages.keys.fields import MARKER, FieldCipher, open_tokens
from python_stages.vault import register_functions

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
FROZEN = "enc1_3nO-lFH8nQ2WAKNx2SDQ26ogdk481wrZPwVvtSw"
cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def opened(tokens: list[str], dataset: str = "demo", field: str = "person") -> Result:
    arguments = ["keys", "open-field", dataset, field, "-"]
    return CliRunner().invoke(app, arguments, input="".join(f"{token}\n" for token in tokens))


@given(cells)
def test_every_cell_comes_back(cell: str) -> None:
    cipher = FieldCipher(KEY, "demo", "person")
    assert cipher.decrypt(cipher.encrypt(cell)) == cell


@given(cells, cells)
def test_equal_cells_and_no_others_have_equal_tokens(one: str, other: str) -> None:
    cipher = FieldCipher(KEY, "demo", "person")
    assert (cipher.encrypt(one) == cipher.encrypt(other)) == (one == other)


def test_a_token_is_frozen_for_every_later_version() -> None:
    token = FieldCipher(KEY, "demo", "person").encrypt("Anna Müller")
    assert token == FROZEN


@pytest.mark.parametrize(
    ("key", "dataset", "field"),
    [(OTHER_KEY, "demo", "person"), (KEY, "other", "person"), (KEY, "demo", "city")],
)
def test_another_key_dataset_or_field_opens_nothing(key: bytes, dataset: str, field: str) -> None:
    token = FieldCipher(KEY, "demo", "person").encrypt("Anna")
    with pytest.raises(KeyFileError, match="does not open"):
        FieldCipher(key, dataset, field).decrypt(token)


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    cipher = FieldCipher(KEY, "demo", "person")
    token = cipher.encrypt("Anna")
    # the last character holds spare bits, which no decoder looks at
    place = data.draw(st.integers(len(MARKER), len(token) - 2))
    letter = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda one: one != token[place]))
    with pytest.raises(KeyFileError):
        cipher.decrypt(token[:place] + letter + token[place + 1 :])


@pytest.mark.parametrize("text", ["", MARKER, "Anna", MARKER + "no base64 at all", "ä"])
def test_what_is_no_token_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        FieldCipher(KEY, "demo", "person").decrypt(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("name", ["", "Demo", "a b", "x/y"])
def test_names_must_be_words(name: str) -> None:
    with pytest.raises(ConfigError, match="lower-case words"):
        FieldCipher(KEY, name, "person")
    with pytest.raises(ConfigError, match="lower-case words"):
        FieldCipher(KEY, "demo", name)


def test_one_of_several_keys_is_enough() -> None:
    token = FieldCipher(KEY, "demo", "person").encrypt("Anna")
    assert list(open_tokens([token], [OTHER_KEY, KEY], "demo", "person")) == ["Anna"]
    assert list(open_tokens([token], [KEY, OTHER_KEY], "demo", "person")) == ["Anna"]


def test_sql_encrypts_what_the_command_opens(con: duckdb.DuckDBPyConnection, ring: KeyRing) -> None:
    register_functions(con, ring)
    rows = con.execute(
        "select encrypt_field('demo', 'person', who) from (values ('Anna'), (null), ('')) t(who)"
    ).fetchall()
    tokens = [token for (token,) in rows]
    assert tokens[1] is None
    done = opened([tokens[0], tokens[2]])
    assert [json.loads(line) for line in done.stdout.splitlines()] == ["Anna", ""]


def test_nothing_opens_any_more_once_the_dataset_is_shredded(
    con: duckdb.DuckDBPyConnection, ring: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALTUNE_VAULT_DIR", str(tmp_path / "vault"))
    register_functions(con, ring)
    ((token,),) = con.execute("select encrypt_field('demo', 'person', 'Anna')").fetchall()
    assert opened([token]).exit_code == 0
    assert CliRunner().invoke(app, ["shred", "demo", "--yes"]).exit_code == 0
    refused = opened([token])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "has no key here" in refused.stderr
    ring.make_dataset_key("demo")
    assert "does not open" in opened([token]).stderr


def test_whom_the_dataset_was_handed_to_can_open_its_cells(
    con: duckdb.DuckDBPyConnection,
    ring: KeyRing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    auditor = keys.create(tmp_path / "auditor")
    public = auditor.recipients()[0]
    register_functions(con, ring)
    ((token,),) = con.execute("select encrypt_field('demo', 'person', 'Anna')").fetchall()
    line = datasets.hand_over(ring.folder, "demo", public.key_id, public.public_key)
    datasets.receive(auditor.folder, line, auditor.identities())
    monkeypatch.setenv("SEALTUNE_KEYS_DIR", str(auditor.folder))
    assert opened([token]).stdout == '"Anna"\n'
