"""What dbt-duckdb needs to know: the vault is opened, hooks are received, errors hold no values."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import duckdb
from dbt.adapters.duckdb.environments import local
from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig
from dbt.adapters.events.logging import AdapterLogger
from dbt.flags import get_flags
from dbt_common.events.event_manager_client import add_callback_to_manager
from dbt_common.exceptions import DbtRuntimeError

from python_stages import hooks, keys, names, progress, query_progress, running, settings
from python_stages.backends.local import launch
from python_stages.errors import KeyFileError, SealtuneError
from python_stages.vault import WAREHOUSE, open_vault, register_functions

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


# What these errors say is about SQL and names in it; of every other kind the text may quote a row,
# as those about casts, constraints and lines of a CSV file do.
_ABOUT_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
# How an error of ours arrives that was raised in a function called by SQL, or in a stream that a
# stage hands over; from the beginning of the text on, so that no cell can pass for one.
_OUR_SENTENCE = re.compile(
    r"Invalid Input Error: (?:Python exception occurred while executing the UDF: "
    r"(?:SourceError|LedgerError|KeyFileError|ConfigError): (?P<called>[^\n]*)"
    r"|arrow_scan: get_next failed\(\): [\w ]+: (?:Unknown error: )?(?P<streamed>[^\n]*)"
    r"\. Detail: Python exception: Traceback .*\npython_stages\.errors\.\w+: (?P=streamed)\s*$)",
    re.DOTALL,
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
            ours["called"] or ours["streamed"]
            if ours
            else f"DuckDB stopped with {type(error).__name__}; its message may hold data and is "
            "not shown"
        ) from None


# What these errors say is about the code of a model, and not about its rows.
_ABOUT_CODE = (AttributeError, ImportError, NameError, SyntaxError)
_run_python_job = local.LocalEnvironment.run_python_job


def run_python_job(*job: Any) -> None:
    """Run a Python model as dbt-duckdb does, whose error is a sentence and no traceback.

    Raises:
        DbtRuntimeError: the model failed; what may quote a row is not told.
    """
    try:
        _run_python_job(*job)
    except DbtRuntimeError as failed:  # its text is a traceback, with the text of the error
        error = failed.__context__
    else:
        return
    if isinstance(error, DbtRuntimeError):
        raise error from None
    if isinstance(error, (*_ABOUT_SQL, *_ABOUT_CODE)):
        raise DbtRuntimeError(f"{type(error).__name__}: {error}") from None
    with _as_dbt_error():
        if isinstance(error, SealtuneError | duckdb.Error):
            raise error
    raise DbtRuntimeError(
        f"the model stopped with {type(error).__name__}; its message may hold data and is not shown"
    )


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
        local.LocalEnvironment.run_python_job = staticmethod(run_python_job)  # type: ignore[assignment,method-assign]  # the same
        launch.tether()
        with _as_dbt_error():
            flags = get_flags()  # type: ignore[no-untyped-call]  # dbt's
            names.require_vars(getattr(flags, "VARS", None) or {}, Path.cwd())
            folder = settings.vault_folder()
            ring = open_keys(folder / WAREHOUSE)
            open_vault(conn, folder, ring.vault_key())
            register_functions(conn, ring)
        self._con = conn
        # what dbt has parsed stays to the end: looking through it for garbage costs a build seconds
        gc.freeze()
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
