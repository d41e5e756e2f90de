"""Sealed files: every one is verified to the byte for the report, and held against the check."""

from itertools import product
from pathlib import Path
from typing import Final

from python_stages import keys
from python_stages.errors import SealtuneError
from python_stages.seal import fingerprint_dataset, verify
from python_stages.seal.sealed_format import Manifest
from python_stages.site.facts.dataset import SealedFile

_RESULTS: Final = "metrics_"  # results of a job, sealed beside the rows


def sealed_files(
    folder: Path,
    ring: keys.KeyRing,
    dataset: str,
    fingerprint: str | None,
) -> tuple[SealedFile, ...]:
    """Verify the sealed files of a dataset; those of the checked lines come first.

    Args:
        folder: of all sealed files.
        ring: whose signers are believed.
        dataset: name of the dataset.
        fingerprint: of the lines that were checked; None where none were.
    """
    names = {one.key_id: one.name for one in ring.recipients()}
    names |= {one.key_id: one.name for one in ring.signers()}
    verified: dict[Path, Manifest] = {}
    problems: dict[Path, str] = {}
    for path in sorted((folder / dataset).glob("*.sealed")):
        try:
            verified[path] = verify(path, keys=ring)
        except SealtuneError as error:
            problems[path] = str(error)
    current = _current(verified, ring, fingerprint)
    files = [
        SealedFile(
            path=f"{dataset}/{path.name}",
            split=one.split,
            n_rows=one.n_rows,
            n_bytes=one.n_bytes,
            fingerprint=one.fingerprint,
            recipients=tuple(names.get(key_id, key_id) for key_id in one.recipients),
            signer=names.get(one.signer, one.signer),
            is_verified=True,
            is_current=path in current,
            problem=None,
        )
        for path, one in verified.items()
    ]
    files += [
        SealedFile(
            path=f"{dataset}/{path.name}",
            split=path.stem.partition("-")[0],
            n_rows=None,
            n_bytes=None,
            fingerprint=None,
            recipients=(),
            signer=None,
            is_verified=False,
            is_current=False,
            problem=problem,
        )
        for path, problem in problems.items()
    ]
    return tuple(sorted(files, key=lambda one: (not one.is_current, one.is_verified, one.path)))


def _current(
    verified: dict[Path, Manifest], ring: keys.KeyRing, fingerprint: str | None
) -> frozenset[Path]:
    """Return the files whose splits together are exactly the lines that were checked.

    Files of earlier builds may lie beside them: what is sought is the one choice of a file, or
    none, per split whose fingerprints make the dataset's.
    """
    if fingerprint is None:
        return frozenset()
    key = ring.hmac_key("fingerprint")
    by_split: dict[str, list[Path]] = {}
    for path, one in verified.items():
        if not one.split.startswith(_RESULTS):
            by_split.setdefault(one.split, []).append(path)
    for chosen in product(*([None, *paths] for paths in by_split.values())):
        files = [one for one in chosen if one is not None]
        made = {verified[one].split: verified[one].fingerprint for one in files}
        if made and fingerprint_dataset(made, key) == fingerprint:
            return frozenset(files)
    return frozenset()
