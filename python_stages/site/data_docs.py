"""Great Expectations' own pages (Data Docs) of a check, closed to the world.

The check keeps its outcome in `*_checked`, so that no result of Great Expectations lies on disk.
Here that outcome is put back into its classes and drawn by its renderer. The page that comes asks
six hosts for styles, scripts and fonts: all of that is taken out, and Bootstrap, which it is
written for, is put in from vendor/ (bootstrap 4.3.1 as npm has it, MIT). What is left has no
script, no address elsewhere, and a policy that forbids both.
"""

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from python_stages.check.imports import import_great_expectations
from python_stages.code_version import hash_code
from python_stages.errors import StageError
from python_stages.site.facts.dataset import Check, Dataset

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
BOOTSTRAP: Final = "vendor/bootstrap-4.3.1.min.css"
BOOTSTRAP_SHA256: Final = "f9ddd1e64827cb0fa09d74aa581ecfd468212261fa170ec9baddbd678389b342"
_ICONS: Final = (
    ".fa-check-circle::before{content:'\\2713'}.fa-times::before{content:'\\2717'}"
    ".fas{font-style:normal}.collapse{display:block}"
)
# Bootstrap's blue is too pale for WCAG AA, on white and under it
_CLEAR: Final = "a{color:#0056b3}.btn-primary{background:#0056b3;border-color:#0056b3}"
_OUTCOME: Final = '<meta name="outcome" content="{}">'
_LEFT_OUT: Final = frozenset({"script", "link", "form", "iframe", "object", "nav", "footer"})
_SCROLLS: Final = "table-responsive"
_EMPTY: Final = frozenset({"link", "img", "input", "meta", "br", "hr", "base"})

# of every expectation, by suite, kind and column
_Arguments = dict[tuple[str, str, str | None], Mapping[str, Any]]


def are_possible(datasets: Sequence[Dataset]) -> bool:
    """Return whether there is a page of any dataset."""
    return any(one.checks for one in datasets)


def pages(
    datasets: Sequence[Dataset], suites: Path, at: datetime, *, earlier: Mapping[str, str]
) -> dict[str, str]:
    """Return a page for each dataset that was checked, by its path in the site.

    Args:
        datasets: facts of the datasets.
        suites: folder of the suites, which say what an expectation's arguments are.
        at: when the report was written.
        earlier: pages of the site that is there, as they were written; one of the same outcome is
            handed on as it is.

    Raises:
        StageError: Great Expectations cannot draw them.
    """
    checked = [one for one in datasets if one.checks]
    if not checked:
        return {}
    arguments = _arguments(suites)
    code = hash_code(Path(__file__).parent, libraries=("great_expectations",))
    drawn: dict[str, str] = {}
    try:
        for one in checked:
            path, outcome = page_of(one.name), _hash_outcome(one, arguments, code)
            page = earlier.get(path, "")
            # so drawing it can be spared
            is_same = _OUTCOME.format(outcome) in page
            drawn[path] = page if is_same else _page(one, arguments, at, outcome)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is Great Expectations'
        raise StageError(
            f"great expectations cannot draw its pages ({type(error).__name__}); use the locked "
            "version"
        ) from None
    return drawn


def _hash_outcome(dataset: Dataset, arguments: _Arguments, code: str) -> str:
    """Return the hex SHA-256 of all that a page shows, but for when it was drawn."""
    checks = [repr(one) for one in dataset.checks]
    facts = [code, dataset.name, checks, sorted((repr(k), repr(v)) for k, v in arguments.items())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def page_of(dataset: str) -> str:
    """Return the path of a dataset's page in the site."""
    return f"data-docs/{dataset}.html"


def _arguments(suites: Path) -> _Arguments:
    """Return the arguments of every expectation, by suite, kind and column."""
    found: _Arguments = {}
    for path in sorted(suites.glob("*.json")):
        for one in json.loads(path.read_text("utf-8"))["expectations"]:
            found[path.stem, one["type"], one["kwargs"].get("column")] = one["kwargs"]
    return found


def _page(dataset: Dataset, arguments: _Arguments, at: datetime, outcome: str) -> str:
    gx = import_great_expectations()
    from great_expectations.core.expectation_validation_result import (  # noqa: PLC0415 - seconds
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.expectations.expectation_configuration import (  # noqa: PLC0415 - the same
        ExpectationConfiguration,
    )
    from great_expectations.render.renderer.page_renderer import (  # noqa: PLC0415 - the same
        ValidationResultsPageRenderer,
    )
    from great_expectations.render.view.view import DefaultJinjaPageView  # noqa: PLC0415 - the same

    def result(one: Check) -> Any:
        kwargs = dict(arguments.get((one.suite, one.expectation, one.column), {}))
        return ExpectationValidationResult(
            success=one.is_success,
            expectation_config=ExpectationConfiguration(
                type=one.expectation, kwargs=kwargs, description=one.description
            ),
            result={
                "element_count": one.n_checked or 0,
                "unexpected_count": one.n_failed or 0,
                "unexpected_percent": 100 * (one.n_failed or 0) / (one.n_checked or 1),
            },
            meta={},
            exception_info={
                "raised_exception": False,
                "exception_traceback": None,
                "exception_message": None,
            },
        )

    n_good = sum(one.is_success for one in dataset.checks)
    n_all = len(dataset.checks)
    whole = ExpectationSuiteValidationResult(
        success=n_good == n_all,
        results=[result(one) for one in dataset.checks],
        suite_name=dataset.name,
        statistics={
            "evaluated_expectations": n_all,
            "successful_expectations": n_good,
            "unsuccessful_expectations": n_all - n_good,
            "success_percent": 100 * n_good / n_all,
        },
        meta={
            "run_id": {"run_name": dataset.name, "run_time": at.isoformat()},
            "great_expectations_version": gx.__version__,
            "active_batch_definition": {},
            "batch_spec": {},
        },
    )
    document = ValidationResultsPageRenderer(run_info_at_end=False).render(whole)
    view: Any = DefaultJinjaPageView()
    return closed(view.render(document), dataset.name, outcome)


@cache
def bootstrap() -> str:
    """Return Bootstrap's style.

    Raises:
        StageError: it is not the file that was vendored.
    """
    data = files("python_stages.site").joinpath(BOOTSTRAP).read_bytes()
    if hashlib.sha256(data).hexdigest() != BOOTSTRAP_SHA256:
        raise StageError(f"{BOOTSTRAP} was changed; install sealtune anew")
    return data.decode()


def closed(page: str, name: str, outcome: str = "") -> str:
    """Return a page without scripts, forms and addresses elsewhere, in Bootstrap's style.

    Args:
        page: what Great Expectations drew.
        name: of the dataset, for the title.
        outcome: hash of what it shows.
    """
    cleaner = _Closed()
    cleaner.feed(page)
    cleaner.close()
    _, _, body = "".join(cleaner.out).partition("<body>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"{_OUTCOME.format(outcome)}"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Data Docs of {html.escape(name)}</title>"
        f'<link rel="icon" href="data:,"><style>{bootstrap()}{_ICONS}{_CLEAR}</style></head><body>'
        f'<main><h1 class="h4 px-3 pt-3">Data Docs of {html.escape(name)}</h1><p class="px-3">'
        f'<a href="../dataset-{html.escape(name)}.html">Back to the report</a></p>'
        f"{body.replace('</body>', '</main></body>')}"
    )


class _Closed(HTMLParser):
    """Writes a page again without what could run or ask."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._depth = 0  # inside how many elements that are left out

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write a tag with the attributes that are harmless."""
        if tag in _LEFT_OUT:
            self._depth += tag not in _EMPTY
        elif not self._depth and tag not in {"img", "meta", "base", "input", "head", "html"}:
            kept = "" if tag == "body" else "".join(_attribute(*one) for one in attrs)
            # what scrolls on a narrow screen has to be reached by keys
            focus = ' tabindex="0"' if _SCROLLS in (dict(attrs).get("class") or "") else ""
            self.out.append(f"<{tag}{kept}{focus}>")

    def handle_endtag(self, tag: str) -> None:
        """Write the end of a tag."""
        if tag in _LEFT_OUT:
            self._depth -= tag not in _EMPTY
        elif not self._depth and tag not in _EMPTY:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Write text as it is."""
        if not self._depth:
            self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        """Write an entity as it is."""
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """Write a character as it is."""
        self.handle_data(f"&#{name};")


def _attribute(name: str, value: str | None) -> str:
    """Return an attribute, or nothing where it runs or leads somewhere else."""
    leads = name in {"href", "src", "action", "xlink:href"} and not (value or "").startswith("#")
    if leads or name.startswith("on"):
        return ""
    return f" {name}" if value is None else f' {name}="{html.escape(value)}"'
