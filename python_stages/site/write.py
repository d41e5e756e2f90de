"""The whole site: everything is written into a folder beside it, which then takes its place."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from python_stages import settings
from python_stages.errors import ConfigError
from python_stages.keys.files import make_folder
from python_stages.site import (
    data_docs,
    dbt_docs,
    gather,
    lineage,
    pdf,
    report_json,
    svg,
    unedited,
    warehouse,
)
from python_stages.site.facts.report import Report
from python_stages.site.pages import Link, Pages

_MARK: Final = ".sealtune-site"
_LINKS: Final = (
    Link("dbt docs", dbt_docs.PAGE, "models, tests, columns and the lineage graph, by dbt"),
    Link("JSON", report_json.REPORT, "this report for machines"),
    Link("JSON Schema", report_json.SCHEMA, "what the fields of that file mean"),
)
_PDF: Final = Link("PDF", pdf.REPORT, "this report on paper")
_WRITTEN: Final = "pages.json"  # in the vault: hashes of the pages as they were written

Say = Callable[[str], None]


def write_site(folder: Path, say: Say, *, variables: str | None = None) -> Report:
    """Write the site of the project in this folder.

    Args:
        folder: the site; what an earlier site left there is replaced, anything else is refused.
        say: takes a line on what is done next.
        variables: what the build was given as `--vars`.

    Returns:
        What the pages say.

    Raises:
        ConfigError: the folder holds something else.
        SealtuneError: vault, keys or dbt do not do their part.
    """
    _require_ours(folder)
    say("reading models and their lineage (dbt docs)")
    make_folder(settings.vault_folder())  # dbt would make it for others to look into
    target = dbt_docs.generate(settings.vault_folder() / "docs", variables, warehouse.columns())
    read = lineage.read_once(target / "manifest.json", target / "lineage.json")
    say("reading vault, ledger and sealed files")
    report = gather.gather(read)
    with _replacing(folder) as new:
        (new / _MARK).touch()
        _write(new / report_json.REPORT, report_json.dump(report))
        _write(new / report_json.SCHEMA, report_json.schema())
        static = (target / "static_index.html").read_text("utf-8")
        _write(new / dbt_docs.PAGE, dbt_docs.page(static))
        say("drawing pages")
        chromium = pdf.find()
        links = (*_LINKS, _PDF) if chromium else _LINKS
        has_docs = data_docs.are_possible(report.datasets)
        earlier = unedited.read(folder, target / _WRITTEN)
        with svg.taken_over(earlier.values()):
            pages = Pages(report, read, links, has_docs).all()
        for path, html in pages.items():
            _write(new / path, html)
        with ThreadPoolExecutor() as printer:
            printed = None
            if chromium:  # which takes seconds, on a processor of its own
                say("printing the PDF")
                printed = printer.submit(pdf.write, new, sorted(new.glob("*.html")), chromium)
            drawn = data_docs.pages(
                report.datasets, Path("expectations/suites"), report.written_at, earlier=earlier
            )
            for path, html in drawn.items():
                _write(new / path, html)
        if printed is not None and not printed.result():
            say(f"Chromium printed nothing, so the site has no {pdf.REPORT}")
        unedited.keep(pages | drawn, target / _WRITTEN)
    return report


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _require_ours(folder: Path) -> None:
    """Raise ConfigError unless the folder is missing, empty, or a site."""
    if folder.exists() and not (folder / _MARK).exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} holds something else than a site; name another folder")


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Give a folder to write to; it takes the place of `folder` when all went well."""
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
    try:
        new, old = work / "new", work / "old"
        new.mkdir(mode=0o755)
        yield new
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
