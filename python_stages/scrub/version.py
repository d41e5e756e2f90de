"""Which engine it is: what has to be the same for a text to be scrubbed the same again."""

import hashlib
import platform
import unicodedata
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from python_stages.scrub.ner.loading import SHIPPED, Setting
from python_stages.scrub.policy import Policy

# What finds and replaces, besides this package; not what it is built and shown with.
LIBRARIES: Final = (
    "babel",
    "faker",
    "numpy",
    "phonenumbers",
    "presidio-analyzer",
    "presidio-anonymizer",
    "python-stdnum",
    "regex",
    "spacy",
    "thinc",
    "tldextract",
)
_IGNORED: Final = frozenset({"__pycache__", "evaluate"})


@lru_cache(1)
def engine_version() -> str:
    """Return the hex SHA-256 of every file of this package, of what cuts, and of what is below.

    Any change counts, of a comment too: better to scrub once more than to keep what a better engine
    would have found.
    """
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    # a scrubbed row is kept as it was cut to its budget
    for path in [*sorted(folder.rglob("*")), folder.parent / "render" / "fit.py"]:
        if path.is_file() and not _IGNORED & set(path.relative_to(folder.parent).parts):
            content = path.read_bytes()
            digest.update(
                f"{path.relative_to(folder.parent).as_posix()}\0{len(content)}\0".encode()
            )
            digest.update(content)
    for name in LIBRARIES:
        digest.update(f"{name}\0{_version(name)}\0".encode())
    digest.update(f"{platform.python_version()}\0{unicodedata.unidata_version}".encode())
    return digest.hexdigest()


def is_repeatable(policy: Policy) -> bool:
    """Return whether a row that was scrubbed by the policy would be scrubbed the same today.

    Not where a surrogate may be no value of any other row, which new rows can change; nor where a
    model of the user's own is asked, which may be another one under the same name.
    """
    return not policy.has_surrogates and Setting.read(policy.ner).path == SHIPPED


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
