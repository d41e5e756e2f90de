"""What dbt-duckdb needs to know: opens the vault, registers functions, receives the hooks.

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
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import duckdb
import duckdb_extension_httpfs
import pyarrow as pa
from dbt.adapters.duckdb.environments import local
from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig
from dbt.adapters.events.logging import AdapterLogger
from dbt.flags import get_flags
from dbt_common.events.event_manager_client import add_callback_to_manager
from dbt_common.exceptions import DbtRuntimeError
from duckdb.func import PythonUDFType

from python_stages import hooks, keys, names, noise, progress, query_progress, running, settings
from python_stages.backends.local import launch
from python_stages.errors import KeyFileError, SealtuneError, VaultError
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
_log = AdapterLogger("sealtune")


def open_keys(warehouse: Path) -> keys.KeyRing:
    """Load the keys; create them where neither keys nor a warehouse exist yet.

    Raises:
        KeyFileError: keys are missing though there is a warehouse that they would open.
    """
    folder = settings.keys_folder()
    if folder.exists():
        return keys.load(folder, project=Path.cwd())
    if warehouse.exists():
        raise KeyFileError(
            f"there are no keys in {folder}, but {warehouse} was made with some; put them back, "
            "set SEALTUNE_KEYS_DIR to where they are, or remove the vault folder to start anew"
        )
    ring = keys.create(folder, project=Path.cwd())
    _log.info(f"sealtune: made new keys in {folder}; keep a copy, without them nothing opens")
    return ring


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


# What these errors say is about SQL and names in it; of every other kind the text may quote a row,
# as those about casts, constraints and lines of a CSV file do.
_ABOUT_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
# How an error of ours arrives that was raised in a function called by SQL; from the beginning of
# the text on, so that no cell can pass for one.
_OUR_SENTENCE = re.compile(
    r"Invalid Input Error: Python exception occurred while executing the UDF: "
    r"(?:SourceError|LedgerError|KeyFileError|ConfigError): ([^\n]*)"
)


@contextmanager
def _as_dbt_error() -> Iterator[None]:
    """Hand errors to dbt as its own kind, without a traceback and without values.

    dbt copies the text of every error into logs and artifacts.
    """
    try:
        yield
    except SealtuneError as error:
        raise DbtRuntimeError(str(error)) from None
    except _ABOUT_SQL:
        raise
    except duckdb.Error as error:
        ours = _OUR_SENTENCE.match(str(error))
        raise DbtRuntimeError(
            ours.group(1)
            if ours
            else f"DuckDB stopped with {type(error).__name__}; its message may hold data and is "
            "not shown"
        ) from None


class ValueFreeCursor(DuckDBCursorWrapper):
    """dbt-duckdb's cursor, whose errors hold no values, and whose progress is told."""

    def execute(self, sql: str, bindings: Any = None) -> Self:
        """Run SQL; raise what `_as_dbt_error` makes of its errors."""
        with _as_dbt_error(), query_progress.told(self._cursor):
            super().execute(sql, bindings)  # type: ignore[no-untyped-call]  # dbt-duckdb
        return self

    # a large result is computed while it is fetched, and fails there

    def fetchone(self) -> Any:
        """Return the next row."""
        with _as_dbt_error():
            return self._cursor.fetchone()

    def fetchmany(self, size: int = 1) -> Any:
        """Return the next rows."""
        with _as_dbt_error():
            return self._cursor.fetchmany(size)

    def fetchall(self) -> Any:
        """Return all rows that are left."""
        with _as_dbt_error():
            return self._cursor.fetchall()


def say(line: str) -> None:
    """Write a line to dbt's log; it holds no value."""
    _log.info(f"sealtune: {line}")


def is_full_refresh() -> bool:
    """Return whether dbt was told to build everything anew."""
    return bool(getattr(get_flags(), "FULL_REFRESH", False))  # type: ignore[no-untyped-call]  # dbt's


class Plugin(BasePlugin):
    """The one place where sealtune meets dbt-duckdb."""

    _con: duckdb.DuckDBPyConnection

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Open the vault and register the functions; dbt calls this once per process."""
        # dbt-duckdb offers no way to choose the cursor, and this is where all SQL of dbt passes
        vars(local)["DuckDBCursorWrapper"] = ValueFreeCursor
        launch.tether()
        with _as_dbt_error():
            flags = get_flags()  # type: ignore[no-untyped-call]  # dbt's
            names.require_vars(getattr(flags, "VARS", None) or {}, Path.cwd())
            folder = settings.vault_folder()
            ring = open_keys(folder / WAREHOUSE)
            open_vault(conn, folder, ring.vault_key())
            register_functions(conn, ring)
        self._con = conn
        found = running.Running()
        add_callback_to_manager(found.hear)
        progress.listen(found.count)
        running.publish(found, folder)

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Let DuckDB tell how far the queries of a cursor are."""
        query_progress.measure(cursor)

    def store(self, target_config: TargetConfig) -> None:
        """Run one of the hooks of a model; see macros/seal.sql, submit.sql and refresh_jobs.sql."""
        with _as_dbt_error(), self._con.cursor() as cursor:
            say(hooks.run(cursor, dict(target_config.config), say))
