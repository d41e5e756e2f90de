"""Write the frozen vectors of the sealed format, latest version; run once, then never again.

    python tests/python_stages/seal/vectors/make.py FOLDER

What is under `v2/` beside this script was made by it, and what is under `v1/` by what it was when
version 1 was the latest. Both stay as they are: every later sealtune must open `valid/` and refuse
`invalid/`. A new version of the format gets a folder of its own. The keys are throw-away keys that
protect nothing.

Each case is one file, `<valid|invalid>/<case>/<dataset>/<split>-<fingerprint>.sealed`; `cases.json`
says what each must yield.
"""

import hashlib
import json
import shutil
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from python_stages import keys, seal
from python_stages.keys import KeyRing
from python_stages.keys import datasets as dataset_keys
from python_stages.seal import sealed_format as fmt
from python_stages.seal.file_keys import open_content_key
from python_stages.seal.version import LATEST

SUITE_HASH = hashlib.sha256(b"the suite of the vectors").hexdigest()
CHUNK_BYTES = 16384 + 16
BODY_HEADER_BYTES = 56
PLAINTEXTS = {
    "empty": [],
    "one_recipient": [b'{"messages":[]}', b"", '{"text":"\u00e4\u20ac\U0001f512"}'.encode()],
    "two_recipients": [b"first", b"second"],
    "one_full_chunk": [b"x" * 16383],
    "several_chunks": [f"{number:05d} ".encode() * 20 for number in range(300)],
}


@dataclass(frozen=True, slots=True)
class Parts:
    """A sealed file taken apart, to be put together wrongly."""

    prologue: bytes
    body: bytes
    manifest: bytes
    signature: bytes

    @property
    def header(self) -> dict[str, Any]:
        """The header's JSON."""
        return dict(json.loads(self.prologue[fmt.PREFIX_BYTES :]))

    @property
    def fields(self) -> dict[str, Any]:
        """The manifest's JSON."""
        return dict(json.loads(self.manifest))

    def join(self) -> bytes:
        """Put the parts together again, with lengths that fit."""
        length = struct.pack(">I", len(self.manifest))
        return (
            self.prologue + self.body + self.manifest + self.signature + length + LATEST.end_magic
        )


def take_apart(sealed: bytes) -> Parts:
    (header_bytes,) = struct.unpack_from(">I", sealed, len(LATEST.magic))
    (manifest_bytes,) = struct.unpack_from(">I", sealed, len(sealed) - len(LATEST.end_magic) - 4)
    body_end = len(sealed) - fmt.SUFFIX_BYTES - manifest_bytes
    start = fmt.PREFIX_BYTES + header_bytes
    signed = sealed[body_end : body_end + manifest_bytes + fmt.SIGNATURE_BYTES]
    return Parts(
        sealed[:start],
        sealed[start:body_end],
        signed[:manifest_bytes],
        signed[manifest_bytes:],
    )


def flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def resign(parts: Parts, signing_key: Ed25519PrivateKey, text: bytes) -> bytes:
    return parts.prologue + parts.body + fmt.sign(text, signing_key)


def resign_fields(parts: Parts, signing_key: Ed25519PrivateKey, **changed: object) -> bytes:
    return resign(parts, signing_key, fmt.canonical_json({**parts.fields, **changed}))


def rehead(parts: Parts, signing_key: Ed25519PrivateKey, text: bytes) -> bytes:
    """Put another header before the body, and sign its hash."""
    prologue = LATEST.magic + struct.pack(">I", len(text)) + text
    hashed = sha256_hex(prologue)
    return resign_fields(replace(parts, prologue=prologue), signing_key, header_sha256=hashed)


def reencrypt(parts: Parts, content_key: bytes, plaintext: bytes) -> Parts:
    """Replace the content as a recipient can, who knows its key."""
    context = LATEST.body_context(hashlib.sha256(parts.prologue).digest())
    encryptor = Cobblestone256Encryptor(content_key, context)
    return replace(parts, body=encryptor.update(plaintext) + encryptor.finalize())


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def swap_chunks(body: bytes) -> bytes:
    start, middle = BODY_HEADER_BYTES, BODY_HEADER_BYTES + CHUNK_BYTES
    end = middle + CHUNK_BYTES
    return body[:start] + body[middle:end] + body[start:middle] + body[end:]


def broken_files(sealed: bytes, other: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what anybody can do to a file, having another file of the same signer."""
    parts, others = take_apart(sealed), take_apart(other)
    n_magic = len(LATEST.magic)
    yield "no_bytes", b""
    yield "other_magic", b"age-encryption.org/v1\n" + sealed
    yield "later_version", sealed.replace(LATEST.magic, b"sealtune-sealed-3\n", 1)
    yield "earlier_version", sealed.replace(LATEST.magic, b"sealtune-sealed-1\n", 1)
    yield "flipped_header_length", flip(sealed, n_magic + 3)
    yield "huge_header_length", sealed[:n_magic] + b"\xff" * 4 + sealed[n_magic + 4 :]
    yield "flipped_header", flip(sealed, fmt.PREFIX_BYTES + 40)
    yield "flipped_wrapped_key", flip(sealed, len(parts.prologue) - 200)
    yield "flipped_body", flip(sealed, len(parts.prologue) + BODY_HEADER_BYTES + 20)
    yield "flipped_manifest", replace(parts, manifest=flip(parts.manifest, 30)).join()
    yield "flipped_signature", replace(parts, signature=flip(parts.signature, 10)).join()
    yield "flipped_end", flip(sealed, len(sealed) - 2)
    yield "cut_in_header", sealed[:100]
    yield "cut_in_body", sealed[: len(parts.prologue) + 70]
    yield "cut_in_manifest", sealed[:-100]
    yield "trailing_byte", sealed + b"\n"
    signed = replace(others, manifest=parts.manifest, signature=parts.signature)
    yield "swapped_manifest", signed.join()
    yield "swapped_header", replace(parts, prologue=others.prologue).join()


def broken_chunks(sealed: bytes, signing_key: Ed25519PrivateKey) -> Iterator[tuple[str, bytes]]:
    """Yield what can be done to a content of several chunks, unsigned and signed."""
    parts = take_apart(sealed)
    swapped = replace(parts, body=swap_chunks(parts.body))
    cut = replace(parts, body=parts.body[: BODY_HEADER_BYTES + CHUNK_BYTES])
    yield "swapped_chunks", swapped.join()
    yield "cut_after_first_chunk", cut.join()
    for name, one in (("signed_swapped_chunks", swapped), ("signed_cut_chunks", cut)):
        yield name, resign_fields(one, signing_key, body_sha256=sha256_hex(one.body))


def forged_files(sealed: bytes, ring: KeyRing, stranger: KeyRing) -> Iterator[tuple[str, bytes]]:
    """Yield what a recipient, who knows the file key, and a stranger can make together."""
    parts = take_apart(sealed)
    header = fmt.parse_header(parts.prologue[fmt.PREFIX_BYTES :])
    content_key = open_content_key(header, ring)
    forged = reencrypt(parts, content_key, b"forged by a recipient\n")
    strange = stranger.signing_key()
    yield "forged_by_recipient", forged.join()
    other_header = replace(parts, prologue=parts.prologue + b" ")
    moved = reencrypt(other_header, content_key, b"below another header\n")
    moved_fields = {"n_rows": 1, "n_bytes": 21, "body_sha256": sha256_hex(moved.body)}
    yield (
        "signed_body_of_other_header",
        resign_fields(replace(parts, body=moved.body), ring.signing_key(), **moved_fields),
    )
    yield "signed_by_stranger", resign(parts, strange, parts.manifest)
    changed = {"body_sha256": sha256_hex(forged.body), "signer": fmt.signer_id(strange)}
    yield "forged_and_signed_by_stranger", resign_fields(forged, strange, **changed)


def malformed_manifests(sealed: bytes, trusted: Ed25519PrivateKey) -> Iterator[tuple[str, bytes]]:
    """Yield manifests that a trusted signer signed and that this format does not allow."""
    parts = take_apart(sealed)
    yield "signed_wrong_rows", resign_fields(parts, trusted, n_rows=1)
    yield "signed_wrong_bytes", resign_fields(parts, trusted, n_bytes=1)
    yield "signed_true_as_rows", resign_fields(parts, trusted, n_rows=True)
    yield "signed_negative_rows", resign_fields(parts, trusted, n_rows=-1)
    yield "signed_unknown_key", resign_fields(parts, trusted, note="")
    yield "signed_other_signer", resign_fields(parts, trusted, signer="0" * 32)
    yield "signed_other_dataset", resign_fields(parts, trusted, dataset="payments")
    yield "signed_path_as_split", resign_fields(parts, trusted, split="../train")
    yield "signed_other_file_id", resign_fields(parts, trusted, file_id="0" * 32)
    yield "signed_later_format", resign_fields(parts, trusted, format="sealtune-sealed-3")
    yield "signed_earlier_format", resign_fields(parts, trusted, format="sealtune-sealed-1")
    yield "signed_other_dataset_key", resign_fields(parts, trusted, dataset_key="0" * 32)
    yield "signed_no_dataset_key", resign_fields(parts, trusted, dataset_key=None)
    yield "signed_no_recipients", resign_fields(parts, trusted, recipients=[])
    yield "signed_space", resign(parts, trusted, parts.manifest.replace(b'":', b'": ', 1))
    doubled = parts.manifest.replace(b'"n_rows"', b'"n_rows":1,"n_rows"', 1)
    yield "signed_duplicate_key", resign(parts, trusted, doubled)
    yield "signed_deep_nesting", resign(parts, trusted, b"[" * 20_000)
    yield "signed_no_json", resign(parts, trusted, b"\xff\xfe")


def malformed_headers(
    sealed: bytes, other: bytes, trusted: Ed25519PrivateKey
) -> Iterator[tuple[str, bytes]]:
    """Yield headers whose hash a trusted signer signed and that this format does not allow."""
    parts, others = take_apart(sealed), take_apart(other)
    text, fields = parts.prologue[fmt.PREFIX_BYTES :], parts.header
    entry = fields["recipients"][0]
    short = {**entry, "wrapped_key": "AAAA"}
    changes: dict[str, dict[str, Any]] = {
        "header_unknown_key": {"note": ""},
        "header_doubled_recipient": {"recipients": [entry, entry]},
        "header_short_wrapped_key": {"recipients": [short]},
        "header_key_of_other_file": {"recipients": others.header["recipients"]},
        "header_no_recipients": {"recipients": []},
        "header_no_dataset_key": {"dataset_key": None},
    }
    for name, changed in changes.items():
        yield name, rehead(parts, trusted, fmt.canonical_json({**fields, **changed}))
    yield "header_not_canonical", rehead(parts, trusted, text.replace(b'":', b'": ', 1))


def seal_case(name: str, folder: Path, ring: KeyRing) -> Path:
    return seal.seal(
        PLAINTEXTS[name],
        dataset="transactions",
        split="train",
        suite_hash=SUITE_HASH,
        folder=folder,
        keys=ring,
        expected_fingerprint=None,
    ).path


def make(folder: Path) -> None:
    """Write all vectors into a folder that must not exist."""
    folder.mkdir()
    with TemporaryDirectory() as scratch:
        rings = {one: keys.create(Path(scratch) / one) for one in ("owner", "friend", "stranger")}
        valid = {
            case: seal_case(case, Path(scratch) / case, rings["owner"])
            for case in PLAINTEXTS
            if case != "two_recipients"
        }
        invalid = dict(make_invalid({one: path.read_bytes() for one, path in valid.items()}, rings))
        friend = rings["friend"].public_recipient()
        added = keys.add_recipient(rings["owner"].folder, "friend", friend)
        grant = dataset_keys.hand_over(
            rings["owner"].folder, "transactions", added.key_id, added.public_key
        )
        dataset_keys.receive(rings["friend"].folder, grant, rings["friend"].identities())
        two = seal_case("two_recipients", Path(scratch) / "two_recipients", rings["owner"])
        valid["two_recipients"] = two

        cases = {}
        for case, path in valid.items():
            manifest = seal.verify(path, keys=rings["owner"])
            place(folder / "valid" / case / manifest.path, path.read_bytes())
            plaintext = b"".join(line + b"\n" for line in PLAINTEXTS[case])
            cases[case] = {**asdict(manifest), "plaintext_sha256": sha256_hex(plaintext)}
        for case, sealed in invalid.items():
            # Each under the name that its manifest says, so that it is refused for what it is.
            of = valid["several_chunks" if "chunk" in case else "one_recipient"]
            place(folder / "invalid" / case / "transactions" / of.name, sealed)
        (folder / "cases.json").write_text(json.dumps(cases, indent=1, sort_keys=True) + "\n")
        for name, ring in rings.items():
            shutil.copytree(ring.folder, folder / "keys" / name)


def make_invalid(valid: dict[str, bytes], rings: dict[str, KeyRing]) -> Iterator[tuple[str, bytes]]:
    """Yield one file of every kind that must be refused."""
    trusted = rings["owner"].signing_key()
    sealed, other = valid["one_recipient"], valid["empty"]
    yield from broken_files(sealed, other)
    yield from broken_chunks(valid["several_chunks"], trusted)
    yield from forged_files(sealed, rings["owner"], rings["stranger"])
    yield from malformed_manifests(sealed, trusted)
    yield from malformed_headers(sealed, other, trusted)
    # Authentic, and under the name of another file.
    yield "other_name", other


def place(path: Path, sealed: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(sealed)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
