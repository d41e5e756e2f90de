"""New keys in place of old ones, at any point of which a crash leaves a folder that works.

Rotation gives the user a new identity and a new signing key. The old identity stays in
`identities/` and opens what was sealed for it; the old signature stays believed under
`signers/retired-*.pub`. Files change hands by `seal.reseal`; after it, both may be removed. The
vault and hmac keys do not rotate: every fingerprint and pseudonym hangs on the one, and the
warehouse that hangs on the other can be built anew.

    the order                                    what a crash before the next step leaves
    1. old identity -> identities/<old>          as before
    2. new identity -> identities/<new>          as before, and an identity that nobody seals for
    3. recipients/self.pub := new                files are sealed for the new one, which opens them
    4. identity := new                           only a second copy of the new one is left over
    5. old signer -> signers/retired-*.pub       believed twice
    6. signers/self.pub := new                   the old one still signs and is believed
    7. signing := new                            done
"""

from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from python_stages.errors import KeyFileError
from python_stages.keys import KeyRing, key_id, new_identity, new_signing, public_identity
from python_stages.keys import files as key_files
from python_stages.keys.files import encode
from python_stages.keys.providers import Providers, Words, load_providers


@dataclass(frozen=True, slots=True)
class Rotation:
    """Key ids of what was and of what is now."""

    old_identity: str
    new_identity: str
    old_signer: str
    new_signer: str


def rotate(ring: KeyRing) -> Rotation:
    """Make a new identity and a new signing key; keep the old ones for opening and believing.

    Raises:
        KeyFileError: a key cannot be read, or lies where sealtune cannot write.
    """
    folder = ring.folder
    providers = load_providers(folder)
    for slot in ("identity", "signing"):
        if providers.words_of(slot)[0].startswith(("env:", "cmd:")):
            raise KeyFileError(
                f"sealtune cannot write the {slot} key to {providers.words_of(slot)[0]} move it to "
                f"file: (`sealtune keys move {slot} file:`), rotate, and move it back"
            )
    old, new = providers.read("identity"), new_identity()
    old_id, new_id = (key_id(public_identity(raw)) for raw in (old, new))
    for name, raw in ((old_id, old), (new_id, new)):
        providers = _keep(providers, f"identities/{name}", raw)
    _publish(ring, "recipients", "self", "recipient", public_identity(new))
    providers.write("identity", new)
    providers = _drop(providers, f"identities/{new_id}")

    old_signing, new_signing_key = providers.read("signing"), new_signing()
    old_public, new_public = (_public_signer(raw) for raw in (old_signing, new_signing_key))
    _publish(ring, "signers", f"retired-{key_id(old_public)[:16]}", "signer", old_public)
    _publish(ring, "signers", "self", "signer", new_public)
    providers.write("signing", new_signing_key)
    return Rotation(old_id, new_id, key_id(old_public), key_id(new_public))


def _keep(providers: Providers, slot: str, raw: bytes) -> Providers:
    """Keep an identity in the same kind of place as the current one, under its own name."""
    words = _beside(providers.words_of("identity"), slot.removeprefix("identities/"))
    kept = replace(providers, words={**providers.words, slot: words})
    kept.write(slot, raw)
    kept.save()
    return kept


def _drop(providers: Providers, slot: str) -> Providers:
    """Remove a second copy of the current identity."""
    words = providers.words_of(slot)
    without = replace(
        providers, words={one: place for one, place in providers.words.items() if one != slot}
    )
    without.save()
    providers.place(slot, words).remove()
    return without


def _beside(words: Words, name: str) -> Words:
    """Return a place of the same kind for another key: a keyring entry or file with its name."""
    scheme, _, rest = words[0].partition(":")
    return (f"{scheme}:{rest}-{name}",) if scheme in {"keyring", "file"} and rest else words


def _publish(ring: KeyRing, folder: str, name: str, kind: str, raw: bytes) -> None:
    key_files.replace(ring.folder / folder / f"{name}.pub", encode(kind, raw))


def _public_signer(raw: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
