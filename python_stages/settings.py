"""Where things are and what the environment says; the only reader of environment variables.

Everything that belongs to a dataset is dbt model config, and everything that belongs to a run is a
dbt var (dbt_project.yml); what remains for the environment is where keys and vault lie, and the
providers' secrets, which may stand in no file and no argument.

    SEALTUNE_KEYS_DIR             folder of the keys (default: the user's config directory)
    SEALTUNE_VAULT_DIR            folder of warehouse, sealed files and ledger (default: vault/)
    SEALTUNE_BASES_DIR            folder of models, one folder each, that backend local may tune
    SEALTUNE_OPENAI_API_KEY       key of backend openai, else OPENAI_API_KEY
    SEALTUNE_AZURE_API_KEY        key of backend azure, else AZURE_OPENAI_API_KEY; none for Entra ID
    SEALTUNE_COMPATIBLE_API_KEY   key of backend compatible
    SEALTUNE_AZURE_STORAGE_KEY    key of the storage account that files go through to Azure
    SEALTUNE_API_KEY              key of whichever backend has none of its own
"""

import os
from pathlib import Path
from typing import Final

from platformdirs import user_config_path

# A provider's own name for its key is read for that provider alone: it must not reach another host.
_OWN_NAMES: Final = {"openai": "OPENAI_API_KEY", "azure": "AZURE_OPENAI_API_KEY"}


def keys_folder() -> Path:
    """Return the folder that holds the keys; it need not exist yet."""
    override = os.environ.get("SEALTUNE_KEYS_DIR")
    return Path(override).expanduser() if override else user_config_path("sealtune") / "keys"


def vault_folder() -> Path:
    """Return the folder of warehouse, sealed files and ledger; it need not exist yet."""
    return Path(os.environ.get("SEALTUNE_VAULT_DIR") or "vault").expanduser().absolute()


def target_folder() -> Path:
    """Return the folder that dbt writes artifacts to."""
    return Path(os.environ.get("DBT_TARGET_PATH") or "target").expanduser().absolute()


def bases_folder() -> Path | None:
    """Return the folder of the user's own base models, or None where the environment names none."""
    folder = os.environ.get("SEALTUNE_BASES_DIR")
    return Path(folder).expanduser().absolute() if folder else None


def api_key(backend: str | None = None) -> str | None:
    """Return the API key of a backend, or None where the environment holds none.

    Args:
        backend: its name; None for the key that belongs to no backend in particular.
    """
    names = ["SEALTUNE_API_KEY"]
    if backend is not None:
        names.insert(0, f"SEALTUNE_{backend.upper()}_API_KEY")
        names.extend(name for name in [_OWN_NAMES.get(backend)] if name)
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def azure_storage_key() -> str | None:
    """Return the key of the storage account, or None where the environment holds none."""
    return os.environ.get("SEALTUNE_AZURE_STORAGE_KEY") or None
