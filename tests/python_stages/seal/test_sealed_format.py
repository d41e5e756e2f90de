"""The sealed format: frozen vectors, its documentation, and what its parser refuses."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages import keys, seal
from python_stages.errors import KeyFileError, SealError, TamperedError
from python_stages.keys import KeyRing
from python_stages.keys.files import WRAPPED_BYTES
from python_stages.seal import sealed_format as fmt
from python_stages.seal.version import LATEST

VECTORS = Path(__file__).parent / "vectors"
VERSIONS = ("v1", "v2")
VALID = sorted(VECTORS.glob("*/valid/*/*/*.sealed"))
INVALID = sorted(VECTORS.glob("*/invalid/*/*/*.sealed"))
CASES: dict[str, dict[str, Any]] = {
    f"{version}-{case}": found
    for version in VERSIONS
    for case, found in json.loads((VECTORS / version / "cases.json").read_text()).items()
}
DOCUMENT = Path(__file__).parents[3] / "docs" / "sealed-format.md"

# Why each is refused: a vector that fails for another reason than its own proves nothing.
REASONS = {
    case: reason
    for reason, cases in {
        "no sealed file of version 1 or 2": "no_bytes other_magic",
        # the version after the first is known by now, and ends otherwise
        "no sealed file of version 1 or 2|cut short or was added to": "later_version",
        "cut short or was added to": (
            "cut_in_body cut_in_header cut_in_manifest flipped_end huge_header_length "
            "trailing_byte earlier_version"
        ),
        "no trusted signer": (
            "flipped_manifest flipped_signature signed_by_stranger forged_and_signed_by_stranger"
        ),
        "header is not the one": (
            "flipped_header flipped_header_length flipped_wrapped_key swapped_header "
            "swapped_manifest"
        ),
        "content is not what was signed": (
            "flipped_body forged_by_recipient swapped_chunks cut_after_first_chunk"
        ),
        "not well formed": (
            "header_doubled_recipient header_no_recipients header_not_canonical "
            "header_short_wrapped_key header_unknown_key signed_deep_nesting signed_duplicate_key "
            "signed_later_format signed_negative_rows signed_no_json signed_no_recipients "
            "signed_other_signer signed_path_as_split signed_space signed_true_as_rows "
            "signed_unknown_key signed_earlier_format signed_no_dataset_key header_no_dataset_key"
        ),
        "header and manifest disagree": (
            "signed_other_dataset signed_other_file_id signed_other_dataset_key"
        ),
        "another name than its own": "other_name",
        "wrapped file key does not open": "header_key_of_other_file",
        "does not open with its key": (
            "signed_swapped_chunks signed_cut_chunks signed_body_of_other_header"
        ),
        "has not the rows": "signed_wrong_rows signed_wrong_bytes",
    }.items()
    for case in cases.split()
}


def case_of(path: Path) -> str:
    return f"{version_of(path)}-{path.parents[1].name}"


def version_of(path: Path) -> str:
    return path.parents[3].name


def reason_of(path: Path) -> str:
    return REASONS[path.parents[1].name]


def vector(case: str) -> Path:
    return next(one for one in VALID if case_of(one) == case)


Rings = dict[str, dict[str, KeyRing]]


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Rings:
    """The vectors' throw-away keys by version, with the modes that a checkout does not keep."""
    root = tmp_path_factory.mktemp("vector-keys")
    for version in VERSIONS:
        shutil.copytree(VECTORS / version / "keys", root / version)
    for path in root.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return {
        version: {path.name: keys.load(path) for path in (root / version).iterdir()}
        for version in VERSIONS
    }


def test_the_vectors_are_all_there() -> None:
    assert sorted(map(case_of, VALID)) == sorted(CASES)
    only_later = {
        "earlier_version",
        "signed_earlier_format",
        "signed_other_dataset_key",
        "signed_no_dataset_key",
        "header_no_dataset_key",
    }
    v1 = {f"v1-{case}" for case in REASONS.keys() - only_later}
    assert {case_of(one) for one in INVALID} == v1 | {f"v2-{case}" for case in REASONS}


@pytest.mark.parametrize("path", VALID, ids=case_of)
def test_a_valid_vector_opens_to_what_was_sealed(path: Path, rings: Rings) -> None:
    case = CASES[case_of(path)]
    plaintext = io.BytesIO()
    owner = rings[version_of(path)]["owner"]
    manifest = seal.unseal(path, plaintext, keys=owner)
    assert hashlib.sha256(plaintext.getvalue()).hexdigest() == case["plaintext_sha256"]
    assert {name: getattr(manifest, name) for name in case if name != "plaintext_sha256"} == {
        **{name: value for name, value in case.items() if name != "plaintext_sha256"},
        "recipients": tuple(case["recipients"]),
    }
    lines = list(seal.read_sealed(path, keys=owner))
    assert b"".join(line + b"\n" for line in lines) == plaintext.getvalue()
    assert len(lines) == case["n_rows"]
    fingerprint = seal.fingerprint_lines(lines, owner.hmac_key("fingerprint"))
    assert fingerprint == case["fingerprint"]


@pytest.mark.parametrize("path", INVALID, ids=case_of)
def test_an_invalid_vector_is_refused_and_releases_nothing(
    path: Path, rings: Rings, tmp_path: Path
) -> None:
    stream, owner = io.BytesIO(), rings[version_of(path)]["owner"]
    with pytest.raises(TamperedError, match=reason_of(path)):
        seal.unseal(path, stream, keys=owner)
    with pytest.raises(TamperedError):
        seal.unseal(path, tmp_path / "plaintext", keys=owner)
    with pytest.raises(TamperedError):
        next(seal.read_sealed(path, keys=owner))
    assert stream.getvalue() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", INVALID, ids=case_of)
def test_an_invalid_vector_is_refused_without_a_private_key_where_one_cannot_help(
    path: Path, rings: Rings
) -> None:
    # What a trusted signer signed to be so shows only when it is decrypted.
    needs_decryption = {
        "signed_swapped_chunks",
        "signed_cut_chunks",
        "signed_wrong_rows",
        "signed_wrong_bytes",
        "signed_body_of_other_header",
        "header_key_of_other_file",
    }
    owner = rings[version_of(path)]["owner"]
    if path.parents[1].name in needs_decryption:
        assert seal.verify(path, keys=owner)
    else:
        with pytest.raises(TamperedError):
            seal.verify(path, keys=owner)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_for_two_opens_for_both_and_for_no_third(version: str, rings: Rings) -> None:
    path, people = vector(f"{version}-two_recipients"), rings[version]
    for name in ("friend", "stranger"):
        keys.add_signer(people[name].folder, "owner", people["owner"].public_signer())
    assert list(seal.read_sealed(path, keys=people["friend"])) == [b"first", b"second"]
    with pytest.raises(KeyFileError, match="not sealed for this identity"):
        list(seal.read_sealed(path, keys=people["stranger"]))


def documented_opener() -> str:
    return DOCUMENT.read_text().partition("```python\n")[2].partition("```")[0]


def run_opener(path: Path, ring: KeyRing, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    script = folder / "open.py"
    script.write_text(documented_opener())
    names = ("identity.key", "datasets/transactions.key", "signers/self.pub")
    arguments = [path, *(ring.folder / name for name in names)]
    return subprocess.run(
        [sys.executable, "-I", script, *arguments], capture_output=True, check=False, cwd=folder
    )


def test_the_documented_opener_is_short_and_needs_cryptography_alone() -> None:
    opener = documented_opener()
    assert 0 < len(opener.splitlines()) <= 34
    imported = {
        line.split()[1].partition(".")[0] for line in opener.splitlines() if "import" in line
    }
    assert imported == {"base64,", "pathlib", "cryptography"}


@pytest.mark.parametrize(
    "path", [one for one in VALID if version_of(one) == VERSIONS[-1]], ids=case_of
)
def test_the_documented_opener_opens_what_sealtune_opens(
    path: Path, rings: Rings, tmp_path: Path
) -> None:
    opened = run_opener(path, rings["v2"]["owner"], tmp_path)
    assert (opened.returncode, opened.stderr) == (0, b"")
    assert hashlib.sha256(opened.stdout).hexdigest() == CASES[case_of(path)]["plaintext_sha256"]


def test_the_documented_opener_refuses_a_flipped_byte(rings: Rings, tmp_path: Path) -> None:
    path = vector("v2-one_recipient")
    data = path.read_bytes()
    spoiled = tmp_path / "transactions" / path.name
    spoiled.parent.mkdir()
    for position in range(3, len(data), len(data) // 12):
        spoiled.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        refused = run_opener(spoiled, rings["v2"]["owner"], tmp_path)
        assert refused.returncode != 0
        assert refused.stdout == b""


names = st.from_regex(fmt.NAME, fullmatch=True)
hexes = st.binary(min_size=32, max_size=32).map(bytes.hex)
ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
manifests = st.builds(
    fmt.Manifest,
    dataset=names,
    split=names,
    file_id=ids,
    fingerprint=hexes,
    n_rows=st.integers(0, fmt.MAX_COUNT - 1),
    n_bytes=st.integers(0, fmt.MAX_COUNT - 1),
    suite_hash=hexes,
    recipients=st.lists(ids, min_size=1, max_size=5, unique=True).map(
        lambda one: tuple(sorted(one))
    ),
    signer=st.just(""),
    header_sha256=hexes,
    body_sha256=hexes,
    dataset_key=ids,
    format=st.just(LATEST.name),
)


@given(manifest=manifests)
def test_a_manifest_is_read_as_it_was_written(manifest: fmt.Manifest, rings: Rings) -> None:
    signing_key = rings["v2"]["owner"].signing_key()
    fields = {name: getattr(manifest, name) for name in fmt.Manifest.__dataclass_fields__}
    signed = fmt.Manifest(**{**fields, "signer": fmt.signer_id(signing_key)})
    trailer = fmt.encode_manifest(signed, signing_key)
    text, suffix = trailer[: -fmt.SUFFIX_BYTES], trailer[-fmt.SUFFIX_BYTES :]
    signature = suffix[: fmt.SIGNATURE_BYTES]
    assert fmt.parse_manifest(text, signature, rings["v2"]["owner"].signers()) == signed


@given(
    dataset=names,
    split=names,
    file_id=ids,
    wrapped=st.dictionaries(
        ids,
        st.binary(min_size=WRAPPED_BYTES, max_size=WRAPPED_BYTES),
        min_size=1,
        max_size=3,
    ),
)
def test_a_header_is_read_as_it_was_written(
    dataset: str, split: str, file_id: str, wrapped: dict[str, bytes]
) -> None:
    header = fmt.Header(dataset, split, file_id, tuple(sorted(wrapped.items())), file_id)
    assert fmt.parse_header(fmt.encode_header(header)[fmt.PREFIX_BYTES :]) == header


@given(text=st.binary(max_size=200))
def test_bytes_that_are_no_header_are_refused(text: bytes) -> None:
    with pytest.raises(TamperedError):
        fmt.parse_header(text)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    ),
    key=st.sampled_from(["dataset", "dataset_key", "file_id", "format", "recipients", "split"]),
)
def test_a_header_with_a_value_of_another_type_is_refused(value: object, key: str) -> None:
    entry = {"key_id": "0" * 32, "wrapped_key": "A" * 1556 + "AA=="}
    fields = {
        "dataset": "d",
        "dataset_key": "0" * 32,
        "file_id": "0" * 32,
        "format": LATEST.name,
        "recipients": [entry],
        "split": "s",
    }
    if key in {"dataset", "split"} and isinstance(value, str) and fmt.NAME.fullmatch(value):
        return
    with pytest.raises(TamperedError):
        fmt.parse_header(fmt.canonical_json({**fields, key: value}))


def test_more_recipients_than_a_header_holds_are_refused() -> None:
    wrapped = tuple((f"{number:032x}", bytes(WRAPPED_BYTES)) for number in range(700))
    with pytest.raises(SealError, match="too many recipients"):
        fmt.encode_header(fmt.Header("d", "s", "0" * 32, wrapped, "0" * 32))
