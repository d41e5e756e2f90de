"""Which engine it is: whatever changes what comes out of the scrub stage is another one."""

import ast
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

from python_stages import code_version
from python_stages.scrub import Policy
from python_stages.scrub import version as versions
from python_stages.scrub.version import engine_version, is_repeatable

PACKAGE = Path(versions.__file__).parent
# what reads and writes rows, spreads work over processes, or is the command that trains our model
_NO_PART = frozenset({"pyarrow", "ray", "PyYAML", "cryptography", "threadpoolctl", "typer", "rich"})
# models of the user's own, after which nothing is taken over
_OWN_MODELS = frozenset({"transformers", "torch", "gliner", "spacy-curated-transformers"})


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the packages that count, which is looked at in their place."""
    kept = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.npz")
    for name in ("scrub", "render"):
        shutil.copytree(PACKAGE.parent / name, tmp_path / name, ignore=kept)
    monkeypatch.setattr(versions, "__file__", str(tmp_path / "scrub" / "version.py"))
    return tmp_path


def now() -> str:
    return engine_version.__wrapped__()


def test_it_is_the_same_from_call_to_call_and_wherever_the_package_lies(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = now()
    shutil.copytree(copy, tmp_path / "elsewhere")
    monkeypatch.setattr(versions, "__file__", str(tmp_path / "elsewhere" / "scrub" / "version.py"))
    assert now() == here


@pytest.mark.parametrize(
    "file",
    [
        "scrub/engine.py",
        "scrub/recognizers/__init__.py",
        "scrub/presidio.py",  # the seconds that a pattern gets
        "scrub/version.py",
        "render/fit.py",
    ],
)
def test_any_change_of_what_finds_replaces_or_cuts_is_another_engine(copy: Path, file: str) -> None:
    before = now()
    with (copy / file).open("a", encoding="utf-8") as opened:
        opened.write("# a remark\n")
    assert now() != before


def test_data_that_the_engine_reads_counts_and_so_does_a_file_that_moved(copy: Path) -> None:
    found = {now()}
    (copy / "scrub" / "ner" / "more.txt").write_text("a name\n")
    found.add(now())
    (copy / "scrub" / "ner" / "more.txt").rename(copy / "scrub" / "more.txt")
    found.add(now())
    (copy / "scrub" / "more.txt").unlink()
    found.add(now())
    assert len(found) == 3


@pytest.mark.parametrize(
    "file", ["scrub/evaluate/more.py", "scrub/__pycache__/engine.pyc", "render/more.py"]
)
def test_what_takes_no_part_in_it_does_not_count(copy: Path, file: str) -> None:
    before = now()
    (copy / file).parent.mkdir(exist_ok=True)
    (copy / file).write_text("x = 1\n")
    assert now() == before


def test_another_version_of_a_library_is_another_engine(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = now()
    assert all(version(name) for name in versions.LIBRARIES)
    monkeypatch.setattr(code_version, "_version", lambda name: f"{version(name)}.post1")
    assert now() != before
    del copy


def test_every_library_that_the_engine_imports_counts() -> None:
    distributions = packages_distributions()
    found = {
        name
        for top in imported()
        for name in distributions.get(top, [])
        if top not in sys.stdlib_module_names and top != "python_stages"
    }
    normal = {name.lower().replace("_", "-") for name in found - _NO_PART - _OWN_MODELS}
    assert normal <= set(versions.LIBRARIES)


def imported() -> Iterator[str]:
    """Yield the first name of every import of the package, but for what only measures it."""
    for path in PACKAGE.rglob("*.py"):
        if "evaluate" in path.relative_to(PACKAGE).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (one.name.partition(".")[0] for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"user_text": {"entities": ["PERSON"]}}, True),
        ({"ner": "sealtune", "user_text": {"entities": ["PERSON"]}}, True),
        ({"user_text": {"entities": ["EMAIL_ADDRESS"], "operator": "pseudonym"}}, True),
        ({"user_text": {"entities": ["EMAIL_ADDRESS"], "operator": "surrogate"}}, False),
        ({"user_text": {"entities": ["PERSON"]}, "ner": "en_core_web_lg"}, False),
        ({"user_text": {"entities": ["PERSON"]}, "ner": {"kind": "spacy", "path": "own"}}, False),
    ],
)
def test_rows_are_taken_over_where_no_other_row_and_no_other_model_decides(
    policy: dict[str, object], *, expected: bool
) -> None:
    assert is_repeatable(Policy.from_config(policy, dataset="demo")) is expected
