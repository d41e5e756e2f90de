"""Sealed files: lines go in once they are checked, and come out for their recipients only.

    seal         write lines into an encrypted, signed file; do nothing where it is there already
    verify       check that a sealed file is what a trusted signer sealed; needs no private key
    open_sealed  check a whole file, then release its plaintext, block by block
    read_sealed  the same, line by line
    unseal       the same, into a file or stream
    reseal       seal what is sealed for the keys and recipients of today
    fingerprint_lines, fingerprint_dataset
                 the keyed names of lines and datasets, by which a PASS finds its lines

What the bytes mean is in `sealed_format` and docs/sealed-format.md.
"""

from python_stages.seal.fingerprint import fingerprint_dataset, fingerprint_lines
from python_stages.seal.reader import OpenedFile, open_sealed, read_sealed, unseal, verify
from python_stages.seal.reseal import Left, reseal, sealed_datasets
from python_stages.seal.sealed_format import Manifest
from python_stages.seal.writer import SealedFile, seal

__all__ = [
    "Left",
    "Manifest",
    "OpenedFile",
    "SealedFile",
    "fingerprint_dataset",
    "fingerprint_lines",
    "open_sealed",
    "read_sealed",
    "reseal",
    "seal",
    "sealed_datasets",
    "unseal",
    "verify",
]
