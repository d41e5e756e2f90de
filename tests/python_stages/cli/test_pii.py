"""The commands on personal data: what they print, what they write, and what they never do."""

import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from python_stages import keys
from python_stages.cli.main import app
from python_stages.scrub import engine, files  # noqa: F401 - files names Engine in types, which a function cannot be
from tests.python_stages.scrub.engines import built

CARD = "4111 1111 1111 1111"
MAIL = "anna@example.com"


@pytest.fixture(autouse=True)
def _one_engine_of_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build each engine once for all tests: it takes as long as a test."""

    def engine_of(entities: Iterable[str], *, ner: str | None = None) -> engine.Engine:
        return built(*entities, ner=ner)

    import_module("python_stages.scrub.files")  # names the class in annotations as it is loaded
    monkeypatch.setattr(engine, "Engine", engine_of)


@pytest.fixture
def keys_folder(tmp_path: Path) -> Path:
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


def run(*words: str | Path, stdin: str | bytes | None = None, folder: Path | None = None) -> Result:
    """Run a command that must end well."""
    result = attempt(*words, stdin=stdin, folder=folder)
    assert result.exit_code == 0, result.stderr
    return result


def attempt(
    *words: str | Path, stdin: str | bytes | None = None, folder: Path | None = None
) -> Result:
    env = {"SEALTUNE_KEYS_DIR": str(folder)} if folder else {}
    return CliRunner(env=env).invoke(app, [str(word) for word in words], input=stdin)


def write(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


# --- scan


def test_scan_counts_by_column_and_entity_and_prints_no_value(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", f"who,note\n{MAIL},card {CARD}\nx,mail {MAIL}\n")
    result = run("scan", path, "--entities", "identifiers", "--json")
    assert json.loads(result.stdout) == {
        "n_rows": 2,
        "columns": {
            "note": {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1},
            "who": {"EMAIL_ADDRESS": 1},
        },
        "not_looked_into": {},
    }
    table = run("scan", path, "--entities", "CREDIT_CARD,EMAIL_ADDRESS").stdout
    assert "CREDIT_CARD" in table
    for value in (MAIL, CARD):
        assert value not in result.output
        assert value not in table


def test_scan_shows_values_only_when_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", json.dumps({"a": {"b": [MAIL, "x"]}}))
    assert MAIL in run("scan", path, "--entities", "identifiers", "--show").stdout
    shown = run("scan", path, "--entities", "identifiers", "--show", "--json").stdout
    assert json.loads(shown)["values"] == {"a.b": {"EMAIL_ADDRESS": {MAIL: 1}}}


def test_scan_reads_pipes_and_numbers_of_json() -> None:
    words = ("scan", "-", "--entities", "identifiers", "--json")
    found = json.loads(run(*words, stdin=f"write to {MAIL}").stdout)["columns"]
    assert found == {"text": {"EMAIL_ADDRESS": 1}}
    record = json.dumps({"card": int(CARD.replace(" ", ""))})
    found = json.loads(run(*words, "--format", "jsonl", stdin=record).stdout)["columns"]
    assert found == {"card": {"CREDIT_CARD": 1}}


def test_scan_says_which_columns_it_could_not_look_into(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [MAIL], "tags": [["x"]]}), tmp_path / "x.parquet")
    result = run("scan", tmp_path / "x.parquet", "--entities", "identifiers")
    assert "not looked into: tags" in result.stderr
    assert "EMAIL_ADDRESS" in result.stdout


# --- scrub


def test_scrub_passes_a_pipe_through_without_what_is_personal() -> None:
    result = run("scrub", "-", "--preset", "identifiers", stdin=f"write to {MAIL},\r\nplease\r\n")
    assert result.stdout_bytes == b"write to [EMAIL_ADDRESS],\r\nplease\r\n"
    assert "replaced 1 in 1" in result.stderr


def test_scrub_writes_a_csv_with_the_columns_it_had(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", f'row_id,label;2,note\n{MAIL},{MAIL},"a ""b"", {CARD}"\n')
    out = tmp_path / "y.csv"
    run("scrub", path, "--preset", "identifiers", "-o", out)
    expected = 'row_id,label;2,note\n[EMAIL_ADDRESS],[EMAIL_ADDRESS],"a ""b"", [CREDIT_CARD]"\n'
    assert out.read_text() == expected
    assert out.stat().st_mode & 0o777 == 0o600


def test_scrub_of_some_columns_keeps_the_others_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", f"a,b\n{MAIL},{MAIL}\n")
    words = ("scrub", path, "--preset", "identifiers", "--column", "b")
    assert run(*words).stdout == f"a,b\n{MAIL},[EMAIL_ADDRESS]\n"
    refused = attempt("scrub", path, "--preset", "identifiers", "--column", "c")
    assert refused.exit_code == 1
    assert "the text columns are a, b" in refused.stderr


def test_scrub_of_json_lines_reaches_every_string(tmp_path: Path) -> None:
    record = {"label": MAIL, "n": 1.5, "messages": [{"content": MAIL}, {"content": "é"}, MAIL]}
    path = write(tmp_path / "x.jsonl", json.dumps(record) + "\n" + json.dumps({"late": MAIL}))
    lines = run("scrub", path, "--preset", "identifiers").stdout.splitlines()
    mask = "[EMAIL_ADDRESS]"
    assert [json.loads(line) for line in lines] == [
        {"label": mask, "n": 1.5, "messages": [{"content": mask}, {"content": "é"}, mask]},
        {"late": mask},
    ]


def test_scrub_of_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 2], "text": [MAIL, None]})
    pq.write_table(table, tmp_path / "x.parquet")
    out = tmp_path / "y.parquet"
    run("scrub", tmp_path / "x.parquet", "--preset", "identifiers", "-o", out)
    assert pq.read_table(out).to_pydict() == {"n": [1, 2], "text": ["[EMAIL_ADDRESS]", None]}
    assert pq.read_schema(out) == table.schema


def test_a_column_that_cannot_be_read_passes_or_goes_only_if_a_rule_says_so(tmp_path: Path) -> None:
    path, out = tmp_path / "x.parquet", tmp_path / "y.parquet"
    pq.write_table(pa.table({"text": [MAIL], "tags": [["x"]], "more": [["y"]]}), path)
    refused = attempt("scrub", path, "--preset", "identifiers", "-o", out)
    assert refused.exit_code == 1
    assert "cannot look into tags (list<" in refused.stderr
    rules = "text: {preset: identifiers}\ntags: {operator: keep}\nmore: {operator: drop}\n"
    run("scrub", path, "--policy", write(tmp_path / "p.yml", rules), "-o", out)
    assert pq.read_table(out).to_pydict() == {"text": ["[EMAIL_ADDRESS]"], "tags": [["x"]]}


def test_scrub_follows_a_policy_that_looks_at_sibling_columns(tmp_path: Path) -> None:
    policy = write(
        tmp_path / "policy.yml",
        "name: {operator: drop}\nlabel: {operator: keep}\n"
        "notes: {entities: [EMAIL_ADDRESS], operator: mask, deny_from: {name: PERSON}}\n",
    )
    record = {"name": "Zoltan", "label": MAIL, "notes": ["zoltan called", f"or {MAIL}", "ZOLTAN"]}
    path = write(tmp_path / "x.json", json.dumps(record))
    result = json.loads(run("scrub", path, "--policy", policy).stdout)
    masked = ["****** called", f"or {'*' * len(MAIL)}", "******"]
    assert result == {"label": MAIL, "notes": masked}
    path = write(tmp_path / "y.json", json.dumps({"notes": "no name"}))
    assert json.loads(run("scrub", path, "--policy", policy).stdout) == {"notes": "no name"}


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_column_that_never_occurs_is_refused_and_nothing_is_written(
    tmp_path: Path, form: str
) -> None:
    path = write(tmp_path / f"x.{form}", json.dumps({"messages": [{"content": MAIL}]}))
    words = ("scrub", path, "--preset", "identifiers", "--column")
    refused = attempt(*words, "messages.contnet", "-o", tmp_path / "y")
    assert refused.exit_code == 1
    assert "did you mean messages.content?" in refused.stderr
    assert not (tmp_path / "y").exists()
    piped = attempt(*words, "messages.contnet")
    assert (piped.exit_code, piped.stdout) == (1, "")


def test_a_column_that_occurs_late_or_without_text_is_no_typo() -> None:
    lines = '{"b": "x"}\n' * 1200 + '{"a": null}\n'
    words = ("scrub", "-", "--format", "jsonl", "--preset", "identifiers", "--column", "a")
    assert run(*words, stdin=lines).stdout == lines
    assert run(*words, stdin="").stdout == ""


def test_a_deny_list_of_a_column_that_never_occurs_is_refused(tmp_path: Path) -> None:
    rules = (
        "notes: {entities: [EMAIL_ADDRESS], deny_from: {nmae: PERSON}}\nname: {operator: drop}\n"
    )
    policy = write(tmp_path / "policy.yml", rules)
    path = write(tmp_path / "x.json", json.dumps({"name": "Zoltan", "notes": "zoltan"}))
    refused = attempt("scrub", path, "--policy", policy)
    assert refused.exit_code == 1
    assert "did you mean name?" in refused.stderr


@pytest.mark.parametrize(
    ("preset", "record"),
    [
        ("identifiers", {"score": {MAIL: 0.93}}),
        ("identifiers", {"score": {MAIL: True}}),
        ("identifiers", {"score": {CARD.replace(" ", ""): {}}}),
        ("identifiers", {"score": [{MAIL: None}]}),
        ("gdpr", {"balances": {"Alice Johnson": "ok"}}),
    ],
)
def test_keys_that_are_data_are_refused(preset: str, record: object) -> None:
    words = ("scrub", "-", "--format", "json", "--preset", preset)
    refused = attempt(*words, stdin=json.dumps(record))
    assert refused.exit_code == 1
    assert "keys of json must be names" in refused.stderr
    assert refused.stdout == ""


def test_a_first_row_of_a_name_and_an_address_is_no_header(tmp_path: Path) -> None:
    content = "Alice Johnson,12 Main Street Springfield\nBob Stone,3 Oak Avenue Denver\n"
    path = write(tmp_path / "x.csv", content)
    refused = attempt("scrub", path, "--preset", "gdpr")
    assert refused.exit_code == 1
    assert "--no-header" in refused.stderr
    assert "Alice" not in refused.output


@pytest.mark.parametrize("number", ["4111111111111111.0", "4.111111111111111e15"])
def test_a_card_number_written_as_a_decimal_is_found(number: str) -> None:
    words = ("scrub", "-", "--format", "json", "--preset", "identifiers")
    result = run(*words, stdin=f'{{"phone": {number}, "score": 0.930}}').stdout
    assert result == '{"phone": "[CREDIT_CARD]", "score": 0.930}\n'


DENY = (
    "users.name: {operator: keep}\n"
    "users.note: {entities: [EMAIL_ADDRESS], operator: mask, deny_from: {users.name: PERSON}}\n"
)


def test_a_text_is_compared_with_every_denied_value_of_its_record(tmp_path: Path) -> None:
    policy = write(tmp_path / "policy.yml", DENY)
    users = [{"note": "Zoltan or Bertil"}, {"name": "Zoltan", "note": "zoltan"}, {"name": "Bertil"}]
    other = [{"note": "Zoltan"}]
    path = write(tmp_path / "x.json", json.dumps([{"users": users}, {"users": other}]))
    first, second = json.loads(run("scrub", path, "--policy", policy).stdout)
    assert [user.get("note") for user in first["users"]] == ["****** or ******", "******", None]
    assert [user.get("name") for user in first["users"]] == [None, "Zoltan", "Bertil"]
    assert second["users"] == other


def test_texts_beside_a_denied_value_that_cannot_be_read_are_unreadable(tmp_path: Path) -> None:
    policy = write(tmp_path / "policy.yml", DENY.replace("keep", "drop"))
    record = '{"users": [{"note": "x"}, {"name": "\\ud800"}]}'
    path = write(tmp_path / "x.json", record)
    result = json.loads(run("scrub", path, "--policy", policy).stdout)
    assert result == {"users": [{"note": "[UNREADABLE]"}, {}]}


def test_more_denied_values_than_can_be_compared_are_refused(tmp_path: Path) -> None:
    policy = write(tmp_path / "policy.yml", DENY)
    users = [{"name": f"Name {number}", "note": "x"} for number in range(1_001)]
    path = write(tmp_path / "x.json", json.dumps({"users": users}))
    refused = attempt("scrub", path, "--policy", policy)
    assert refused.exit_code == 1
    assert "more than 1,000 values of users.name" in refused.stderr


def test_a_name_like_those_of_the_stage_is_a_column_like_others() -> None:
    record = dict.fromkeys(("label", "column label", "value 0 of a", "n_masked"), MAIL)
    words = ("scrub", "-", "--format", "json", "--preset", "identifiers")
    result = json.loads(run(*words, stdin=json.dumps(record)).stdout)
    assert result == dict.fromkeys(record, "[EMAIL_ADDRESS]")


def test_a_column_without_a_rule_stops_the_scrub(tmp_path: Path) -> None:
    policy = write(tmp_path / "policy.yml", "a: {entities: [identifiers]}\n")
    path = write(tmp_path / "x.csv", f"a,b\n{MAIL},{MAIL}\n")
    result = attempt("scrub", path, "--policy", policy, "-o", tmp_path / "y.csv")
    assert result.exit_code == 1
    assert "column b has no scrub settings" in result.stderr
    assert not (tmp_path / "y.csv").exists()


def test_pseudonyms_take_the_key_and_agree_across_files(tmp_path: Path, keys_folder: Path) -> None:
    words = ("scrub", "-", "--preset", "identifiers", "--operator", "pseudonym")
    text = run(*words, stdin=f"to {MAIL}\n", folder=keys_folder).stdout
    table = run(*words, "--format", "csv", stdin=f"a\n{MAIL}\n", folder=keys_folder).stdout
    other = run(*words, "--dataset", "other", stdin=f"to {MAIL}\n", folder=keys_folder).stdout
    assert text.startswith("to [EMAIL_ADDRESS_")
    assert table == "a\n" + text.removeprefix("to ")
    assert other != text
    refused = attempt(*words, stdin="x", folder=tmp_path / "nowhere")
    assert refused.exit_code == 1
    assert "sealtune keys init" in refused.stderr


@pytest.mark.parametrize("is_piped", [False, True])
def test_surrogates_are_no_values_of_what_is_scrubbed(
    tmp_path: Path, keys_folder: Path, *, is_piped: bool
) -> None:
    def surrogates(*mails: str) -> list[str]:
        content = "\n".join(["mail", *mails, ""])
        path = write(tmp_path / "in.csv", content)
        words = ["--format", "csv", "--preset", "identifiers", "--operator", "surrogate"]
        result = (
            run("scrub", "-", *words, stdin=content, folder=keys_folder)
            if is_piped
            else run("scrub", path, *words, folder=keys_folder)
        )
        return result.stdout.split()[1:]

    (made,) = surrogates("jo.doe@acme.com")
    both = surrogates("jo.doe@acme.com", made)
    assert made not in both


def test_what_cannot_be_read_as_text_is_masked_whole_and_counted() -> None:
    result = run("scrub", "-", "--format", "lines", "--preset", "identifiers", stdin=b"\xff a\nb\n")
    assert result.stdout_bytes == b"[UNREADABLE]\nb\n"
    assert "1 of them unreadable" in result.stderr
    record = '{"a": "\\ud800 x", "b": "\\ud800"}'
    words = ("scrub", "-", "--format", "jsonl", "--preset", "identifiers", "--column", "a")
    assert json.loads(run(*words, stdin=record).stdout) == {"a": "[UNREADABLE]", "b": "\ud800"}


def test_a_csv_whose_first_row_is_data_is_refused_until_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", f"{MAIL},1\n")
    result = attempt("scrub", path, "--preset", "identifiers")
    assert result.exit_code == 1
    assert "--no-header" in result.stderr
    assert MAIL not in result.output
    words = ("scrub", path, "--preset", "identifiers", "--no-header")
    assert run(*words).stdout == "[EMAIL_ADDRESS],1\n"


def test_no_file_is_replaced_and_none_is_left_half(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", f"a,b\n{MAIL},1\nbroken\n")
    taken = write(tmp_path / "taken.csv", "mine")
    result = attempt("scrub", path, "--preset", "identifiers", "-o", taken)
    assert (result.exit_code, taken.read_text()) == (1, "mine")
    assert "exists" in result.stderr
    result = attempt("scrub", path, "--preset", "identifiers", "-o", tmp_path / "y.csv")
    assert result.exit_code == 1
    assert "row 3 has 1 cells" in result.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["taken.csv", "x.csv"]


def test_a_policy_and_a_preset_at_once_are_a_usage_error(tmp_path: Path) -> None:
    policy = write(tmp_path / "policy.yml", "text: {operator: keep}\n")
    assert attempt("scrub", "-", "--policy", policy, "--preset", "gdpr", stdin="x").exit_code == 2


# --- pii-eval


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    text = f"write to {MAIL} or pay with {CARD}"
    spans = [[9, 9 + len(MAIL), "EMAIL"], [len(text) - 4, len(text), "card"]]
    return write(tmp_path / "set.jsonl", json.dumps({"text": text, "spans": spans}))


def test_pii_eval_prints_json_for_programs(labelled: Path) -> None:
    answer = json.loads(run("pii-eval", labelled, "--json").stdout)
    assert answer["span_f2"] == {"0.9": 0.5, "0.7": 0.5}
    assert answer["char_recall"] == 1
    assert answer["clean_documents"] == 1
    assert answer["entities"]["EMAIL_ADDRESS"] == {"n": 1, "recall": 1, "precision": 1}
    assert answer["entities"]["CREDIT_CARD"] == {"n": 1, "recall": 1, "precision": 0}


def test_pii_eval_scores_presidio_out_of_the_box_to_compare_with(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    key = "AKIA" + "Q3EXAMPLEQ3EXAMP"
    labels = [{"start": 4, "end": 4 + len(key), "label": "API_KEY"}]
    path.write_text(json.dumps({"text": f"key {key} of a@example.com", "spans": labels}) + "\n")
    ours, stock = (
        json.loads(run("pii-eval", path, "--json", *options).stdout)["entities"]["API_KEY"]
        for options in ((), ("--stock",))
    )
    assert (ours["recall"], stock["recall"]) == (1.0, 0.0)


def test_pii_eval_lists_errors_without_values_unless_asked(tmp_path: Path) -> None:
    record = {"text": f"write to {MAIL} or Blorgl", "spans": [[9, 25, "EMAIL"], [29, 35, "EMAIL"]]}
    path = write(tmp_path / "set.jsonl", json.dumps(record))
    listed = run("pii-eval", path, "--errors", "3").stdout
    assert "EMAIL_ADDRESS missed: one word, capitalised" in listed
    assert "Blorgl" not in listed
    assert "Blorgl" in run("pii-eval", path, "--errors", "3", "--show").stdout


def test_pii_eval_asks_for_the_meaning_of_a_label_it_does_not_know(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", json.dumps({"text": "x", "spans": [[0, 1, "blub"]]}))
    refused = attempt("pii-eval", path)
    assert refused.exit_code == 1
    assert "unknown label blub" in refused.stderr
    run("pii-eval", path, "--map", "blub=CREDIT_CARD")
    assert attempt("pii-eval", path, "--map", "blub").exit_code == 1
