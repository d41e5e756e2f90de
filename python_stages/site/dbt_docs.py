"""dbt's own documentation and lineage graph, as one page that makes no request.

`dbt docs generate --static` puts manifest and catalog into one HTML file. It is run as a command of
its own, since one process must not open the vault twice. The page gets a policy that forbids every
request: what telemetry is in it goes nowhere.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from python_stages import settings
from python_stages.errors import StageError

PAGE: Final = "dbt/index.html"
POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
)
# two slips of dbt's page, each a request that fails: AngularJS wants ng-attr where it fills in an
# address, and the address of the icon was never filled in
_BEFORE_ANGULAR: Final = re.compile(r'xlink:href(?=="\{\{)')
_FAVICON: Final = re.compile(r"\$\{require\('\./assets/favicons/favicon\.ico'\)\}")
# what keeps the page from WCAG AA: a window that cannot be enlarged, parts that scroll and that no
# key reaches, a pale grey, and links that only a pale green tells from the text
_MENDS: Final = (
    (re.compile(r"minimum-scale=1,maximum-scale=1,"), ""),
    (re.compile(r'(?=class="(?:detail-body|table-responsive)")'), 'tabindex="0" '),
    (re.compile(r"#8b969e", re.IGNORECASE), "#5b656c"),
    (re.compile(r"#0bb(?![0-9a-f])", re.IGNORECASE), "#007272"),
)
_STYLE: Final = "<style>p a{text-decoration:underline}</style>"
_HEAD: Final = "<head>"
_RUN: Final = "from dbt.cli.main import cli; cli()"
_PAGE_OF_DBT: Final = "static_index.html"
_SETTINGS: Final = ("dbt_project.yml", "profiles.yml")
_OF_A_RUN: Final = frozenset(
    {"created_at", "build_path", "compiled", "compiled_code", "compiled_path"}
    | {"extra_ctes", "extra_ctes_injected"}
)
_DESCRIBED: Final = "described.sha256"  # the build that the folder's page describes


def generate(
    target: Path, variables: str | None = None, columns: Sequence[tuple[str, ...]] = ()
) -> Path:
    """Run `dbt docs generate --static` on the project in this folder, unless nothing has changed.

    Args:
        target: folder of what dbt writes; what is there of the same build is left as it is.
        variables: what the build was given as `--vars`.
        columns: of every relation in the warehouse, which the page shows: relation, name and type.

    Returns:
        The folder, with manifest.json and static_index.html in it.

    Raises:
        StageError: dbt failed; what it printed is on stderr.
    """
    build, described = build_hash(variables, columns), target / _DESCRIBED
    is_there = (target / _PAGE_OF_DBT).exists() and described.exists()
    if build and is_there and described.read_text("ascii") == build:
        return target
    given = ["--vars", variables] if variables else []
    described.unlink(missing_ok=True)
    _dbt("docs", "generate", "--static", "--target-path", str(target), *given)
    if build:
        described.write_text(build, "ascii")
    return target


def build_hash(variables: str | None, columns: Sequence[tuple[str, ...]] = ()) -> str | None:
    """Return a hash of what the page shows: project, variables, dbt, relations; None without any.

    The manifest of the last build holds every node with its code and description; what only says
    which nodes a run compiled, and when, is left out.
    """
    path = settings.target_folder() / "manifest.json"
    if not path.exists():
        return None
    manifest = json.loads(path.read_text("utf-8"), object_hook=_without_run)
    version = manifest.pop("metadata")["dbt_version"]
    # vars and their defaults are in no manifest, and what they change is compiled code alone
    project = [one.read_text("utf-8") for one in map(Path, _SETTINGS) if one.is_file()]
    facts = json.dumps([version, variables, columns, project, manifest], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()


def _without_run(record: dict[str, object]) -> dict[str, object]:
    """Return a part of the manifest without what differs between runs of one project."""
    if isinstance(record.get("macros"), list):  # of a node: those that compiling it has met
        record["macros"] = None
    # a column may be called so, too, and is described by a record
    return {n: v for n, v in record.items() if n not in _OF_A_RUN or isinstance(v, dict)}


def page(static_index: str) -> str:
    """Return dbt's page with the policy in its head.

    Raises:
        StageError: it has no head, so that the policy cannot be put in front of everything.
    """
    mended = _BEFORE_ANGULAR.sub("ng-attr-xlink:href", _FAVICON.sub("data:,", static_index))
    for pale, clear in _MENDS:
        mended = pale.sub(clear, mended)
    before, head, after = mended.partition(_HEAD)
    if not head:
        raise StageError("dbt wrote a page that sealtune does not know; use the locked dbt-core")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return f"{before}{head}{meta}{_STYLE}{after}"


def _dbt(*args: str) -> None:
    command = [sys.executable, "-c", _RUN, "--quiet", *args]
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    done = subprocess.run(command, env=environment, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - our own words
    if done.returncode:
        raise StageError("dbt docs generate failed, see above; the site is as it was")
