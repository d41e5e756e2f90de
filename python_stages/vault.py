"""The encrypted warehouse: how it is opened, and the functions that SQL has in it.

The vault is a DuckDB file encrypted with AES-256-GCM. DuckDB writes encrypted files only through
the OpenSSL of its httpfs extension, which is packaged, signed, and loaded from disk; the HTTP part
of it is switched off in the same breath. Temporary files are encrypted too. There is no fallback.

Functions for SQL:
    keyed_hmac(purpose, text)               hex HMAC-SHA256 under a key derived for that purpose
    pseudonymise(dataset, entity, value)    the pseudonym that the scrub stage gives that value
    encrypt_field(dataset, field, cell)     a token that `sealtune keys open-field` turns back
    source_sql(location)                    the SELECT that scans a source's files, for query()
    kept_sql(dataset, location, relation, config_hash)
                                            the same without the records that were rejected
    lenient_sql(location, column)           the SELECT of one column, as far as it can be read
    ledger_sql()                            the SELECT that lists the jobs of the ledger
    decisions_sql()                         the SELECT that lists when changed lines made no job
    check_settings(json)                    "ok", or an error that names a wrong setting
"""

import hmac
import json
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import pyarrow as pa
from duckdb.func import PythonUDFType

from python_stages import keys, names, noise
from python_stages.errors import VaultError
from python_stages.ingest import accounting as ingest
from python_stages.ingest.masked_files import MaskedFileSystem
from python_stages.ingest.scans import literal
from python_stages.ingest.sources import open_source
from python_stages.jobs import hooks as job_hooks
from python_stages.keys.fields import arrow_function as encrypt_function
from python_stages.keys.files import make_folder
from python_stages.scrub.pseudonym import arrow_function as pseudonymise_function

WAREHOUSE = "warehouse.duckdb"
# what httpfs brings besides OpenSSL: each would read and write elsewhere by itself
_REMOTE_FILE_SYSTEMS = "HTTPFileSystem,S3FileSystem,HuggingFaceFileSystem"
masked_files = MaskedFileSystem()


def open_vault(
    con: duckdb.DuckDBPyConnection, folder: Path, key: str, *, read_only: bool = False
) -> None:
    """Attach the encrypted warehouse in `folder` as `vault`, creating it where there is none.

    Args:
        con: what it is attached to.
        folder: where the warehouse lies.
        key: 64 hex digits.
        read_only: leave every file as it is, and the lock to other readers.

    Raises:
        VaultError: encryption cannot be had, the key is wrong, or another process holds the vault.
    """
    make_folder(folder)
    if folder.stat().st_mode & 0o077:
        raise VaultError(f"others can look into {folder}; run chmod 700 on it, or choose another")
    package = Path(duckdb_extension_httpfs.__file__).parent
    try:
        (extension,) = package.rglob("httpfs.duckdb_extension")
        con.execute(f"load {literal(extension)}")
        con.execute("set temp_file_encryption = true")
        con.execute(f"set temp_directory = {literal(folder / 'temp')}")
        con.execute("set autoinstall_known_extensions = false")
        con.execute("set autoload_known_extensions = false")
        con.execute(f"set disabled_filesystems = {literal(_REMOTE_FILE_SYSTEMS)}")
    except (duckdb.Error, ValueError) as error:
        raise VaultError(
            f"DuckDB cannot encrypt here ({type(error).__name__}); run make build to install the "
            "locked versions of duckdb and duckdb-extension-httpfs"
        ) from None
    path = folder / WAREHOUSE
    if read_only and not path.exists():
        raise VaultError(f"there is no warehouse in {folder} yet; run dbt build first")
    mode = ", read_only" if read_only else ""
    try:
        con.execute(
            f"attach if not exists {literal(path)} as vault (encryption_key {literal(key)}{mode})"
        )
    except duckdb.IOException as error:
        if "set lock on file" in str(error):
            raise VaultError(
                f"{path} is held by another process; wait until the other dbt or sealtune command "
                "ends"
            ) from None
        raise VaultError(
            f"{path} is no readable warehouse; put back a copy, or remove the vault folder to "
            "start anew"
        ) from None
    except duckdb.Error as error:
        raise VaultError(
            f"{path} does not open with this key ({type(error).__name__}); put back the keys it "
            "was made with, or remove the vault folder to start anew"
        ) from None
    if not read_only:
        path.chmod(0o600)
        # nobody else has it now, so what lies there is the encrypted spill of a killed process
        shutil.rmtree(folder / "temp", ignore_errors=True)
    # for every cursor: times without an offset are UTC, wherever the machine stands
    con.execute("set global timezone = 'UTC'")


def _require_askable(models: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Refuse noise on what no template shows, or on counts of classes that nobody names.

    Raises:
        ConfigError: there is such noise.
    """
    asked = {
        name: [
            one["settings"]
            for sections in models.values()
            if (one := sections.get(name, {})).get("settings") is not None
        ]
        for name in ("render", "check")
    }
    if not any(asked.values()):
        return
    from python_stages.check import CheckSpec  # noqa: PLC0415 - half a second, for few projects
    from python_stages.render import RenderSpec  # noqa: PLC0415 - the same

    for settings in asked["render"]:
        RenderSpec.from_config(settings)
    for settings in asked["check"]:
        CheckSpec.from_config(settings)


def register_functions(con: duckdb.DuckDBPyConnection, ring: keys.KeyRing) -> None:
    """Register sealtune's SQL functions and the masked file system with a connection."""
    con.register_filesystem(masked_files)
    key_of = lru_cache(ring.hmac_key)

    def keyed_hmac(purposes: pa.StringArray, texts: pa.StringArray) -> pa.StringArray:
        digests = [
            None
            if purpose is None or text is None
            else hmac.digest(key_of(purpose), text.encode(), "sha256").hex()
            for purpose, text in zip(purposes.to_pylist(), texts.to_pylist(), strict=True)
        ]
        return pa.array(digests, type=pa.string())

    def source_sql(location: str) -> str:
        with con.cursor() as cursor:  # the calling one is in the middle of binding a query
            files = open_source(cursor, location)
        return " union all by name ".join(ingest.scan_sql(files, [], "source", masked_files))

    def lenient_sql(location: str, column: str) -> str:
        with con.cursor() as cursor:
            return ingest.lenient_sql(cursor, location, column, masked_files)

    def kept_sql(dataset: str, location: str, relation: str, config_hash: str) -> str:
        with con.cursor() as cursor:
            return ingest.kept_sql(cursor, dataset, location, relation, config_hash, masked_files)

    def check_settings(text: str) -> str:
        models = json.loads(text)
        noise.check_asked(models)
        _require_askable(models)
        return names.check_settings(models)

    con.create_function(
        "keyed_hmac", keyed_hmac, ["VARCHAR", "VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW
    )
    con.create_function(
        "pseudonymise",
        pseudonymise_function(lambda dataset: ring.hmac_key(f"{dataset}.pseudonym")),
        ["VARCHAR"] * 3,
        "VARCHAR",
        type=PythonUDFType.ARROW,
    )
    con.create_function(
        "encrypt_field",
        encrypt_function(ring.make_dataset_key),
        ["VARCHAR"] * 3,
        "VARCHAR",
        type=PythonUDFType.ARROW,
    )
    con.create_function("ledger_sql", job_hooks.ledger_sql, [], "VARCHAR", side_effects=False)
    con.create_function("decisions_sql", job_hooks.decisions_sql, [], "VARCHAR", side_effects=False)
    con.create_function("check_settings", check_settings, ["VARCHAR"], "VARCHAR")
    con.create_function("source_sql", source_sql, ["VARCHAR"], "VARCHAR")
    con.create_function("lenient_sql", lenient_sql, ["VARCHAR"] * 2, "VARCHAR")
    con.create_function("kept_sql", kept_sql, ["VARCHAR"] * 4, "VARCHAR")
