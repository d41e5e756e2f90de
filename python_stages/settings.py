"""Where things are and what the environment says; the only reader of environment variables.

Everything that belongs to a dataset is dbt model config, and everything that belongs to a run is a
dbt var (dbt_project.yml); what remains for the environment is where keys and vault lie, and the
provider's secret, which may stand in no file and no argument.

    SEALTUNE_KEYS_DIR    folder of the keys (default: the user's config directory)
    SEALTUNE_VAULT_DIR   folder of warehouse, sealed files and ledger (default: vault/)
    SEALTUNE_API_KEY     API key of the backend that jobs are submitted to
"""

import os
from pathlib import Path

from platformdirs import user_config_path


def keys_folder() -> Path:
    """Return the folder that holds the keys; it need not exist yet."""
    override = os.environ.get("SEALTUNE_KEYS_DIR")
    return Path(override).expanduser() if override else user_config_path("sealtune") / "keys"


def vault_folder() -> Path:
    """Return the folder of warehouse, sealed files and ledger; it need not exist yet."""
    return Path(os.environ.get("SEALTUNE_VAULT_DIR") or "vault").expanduser().absolute()


def api_key() -> str | None:
    """Return the provider's API key, or None where the environment holds none."""
    return os.environ.get("SEALTUNE_API_KEY") or None
