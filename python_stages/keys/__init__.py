"""Who may open, sign and count. `rings` says what a keys folder holds, in words and in code.

Arrows point down this list, never up.

    rotation.py    new keys in place of old ones
    rings.py       the keys of one user
    fields.py      cells that only a dataset's key opens
    datasets.py, public.py   the one secret of each dataset; for whom, and whose signature counts
    providers.py, stores.py, files.py   the places that keep a private key
"""

from python_stages.keys.public import Recipient, Signer, key_id
from python_stages.keys.rings import (
    OWNER,
    KeyRing,
    OwnerRing,
    add_recipient,
    add_signer,
    create,
    load,
    new_identity,
    new_signing,
    public_identity,
)

__all__ = [
    "OWNER",
    "KeyRing",
    "OwnerRing",
    "Recipient",
    "Signer",
    "add_recipient",
    "add_signer",
    "create",
    "key_id",
    "load",
    "new_identity",
    "new_signing",
    "public_identity",
]
