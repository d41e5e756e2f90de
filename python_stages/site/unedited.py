"""Pages of an earlier site that are as they were written, from which drawings may be taken over.

Whoever may write to a site is not to say what the next one shows. So the hashes of the pages are
kept in the vault, and a page that is another by now is passed over.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def keep(pages: Mapping[str, str], kept: Path) -> None:
    """Note what is written.

    Args:
        pages: HTML by path in the site.
        kept: file in the vault.
    """
    hashes = {path: _hash(html.encode()) for path, html in pages.items()}
    kept.write_text(json.dumps(hashes), "utf-8")


def read(site: Path, kept: Path) -> dict[str, str]:
    """Return the pages that nobody has edited since, by path; none where nothing was noted."""
    try:
        hashes = dict(json.loads(kept.read_text("utf-8")))
    except (OSError, ValueError, TypeError):  # none, or half a file
        return {}
    found: dict[str, str] = {}
    for path, written in hashes.items():
        with suppress(OSError):
            page = (site / path).read_bytes()
            if _hash(page) == written:
                found[path] = page.decode()
    return found


def _hash(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()
