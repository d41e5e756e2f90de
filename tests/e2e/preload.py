"""What every dbt command loads, for the fork server to load once: modules, and no user's data.

An engine is built and dropped, because the patterns that it compiles stay compiled. The project is
parsed and dropped, because dbt writes code for its classes when it first needs them, which takes
longer than the parsing.
"""

import tempfile
from pathlib import Path

from dbt.adapters.factory import reset_adapters
from dbt.cli.main import dbtRunner

from python_stages.check.imports import import_great_expectations
from python_stages.scrub.engine import Engine

_CHECKOUT = str(Path(__file__).parents[2])

import_great_expectations()
Engine(["all"])
with tempfile.TemporaryDirectory() as _folder:
    _places = ("--project-dir", _CHECKOUT, "--profiles-dir", _CHECKOUT)
    _written = ("--target-path", _folder, "--log-path", _folder)
    # the static parser has threads of its own, without which it stands still in a fork
    if (
        not dbtRunner()
        .invoke(["--quiet", "--no-static-parser", "parse", *_places, *_written])
        .success
    ):
        raise RuntimeError("the project does not parse")
reset_adapters()  # type: ignore[no-untyped-call]  # dbt's
