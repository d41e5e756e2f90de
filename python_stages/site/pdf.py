"""The report on paper: page behind page, printed by a Chromium that has no network."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

REPORT: Final = "report.pdf"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_TIMEOUT_SECONDS: Final = 120
_MAIN: Final = re.compile(r"<main[^>]*>(.*)</main>", re.DOTALL)
_BREAK: Final = '<hr class="page">'


def find() -> Path | None:
    """Return a Chromium of this machine; None where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return None if found is None else Path(found)


def write(folder: Path, pages: Sequence[Path], chromium: Path) -> bool:
    """Print pages into `report.pdf`; return whether Chromium did.

    Args:
        folder: of the site.
        pages: what is printed; index.html comes first.
        chromium: the program.
    """
    ordered = sorted(pages, key=lambda one: (one.name != "index.html", one.name))
    texts = [one.read_text("utf-8") for one in ordered]
    bodies = [found.group(1) for found in map(_MAIN.search, texts) if found]
    whole = _MAIN.sub(lambda _: f"<main>{_BREAK.join(bodies)}</main>", texts[0], count=1)
    # links between pages lead nowhere on paper
    whole = re.sub(r'<a (?:class="n" )?href="(?!#)[^"]*"[^>]*>(.*?)</a>', r"\1", whole)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch, "report.html")
        page.write_text(whole, "utf-8")
        command = [
            str(chromium),
            "--headless=new",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={scratch}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={folder.absolute() / REPORT}",
            page.as_uri(),
        ]
        if _is_root():
            command.insert(1, "--no-sandbox")  # Chromium refuses root in a sandbox
        try:
            subprocess.run(  # noqa: S603 - our own words
                command,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TIMEOUT_SECONDS,
            )
        except (OSError, subprocess.SubprocessError):
            return False
    return (folder / REPORT).exists()


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
