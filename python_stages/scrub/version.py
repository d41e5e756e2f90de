"""Which engine it is: what has to be the same for a text to be scrubbed the same again."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from python_stages.code_version import hash_code
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


@lru_cache(1)
def engine_version() -> str:
    """Return the hex SHA-256 of all that a scrubbed text depends on, besides policy and key."""
    folder = Path(__file__).parent
    # a scrubbed row is kept as it was cut to its budget
    fit = folder.parent / "render" / "fit.py"
    return hash_code(folder, besides=[fit], ignored=["evaluate"], libraries=LIBRARIES)


def is_repeatable(policy: Policy) -> bool:
    """Return whether a row that was scrubbed by the policy would be scrubbed the same today.

    Not where a surrogate may be no value of any other row, which new rows can change; nor where a
    model of the user's own is asked, which may be another one under the same name.
    """
    return not policy.has_surrogates and Setting.read(policy.ner).path == SHIPPED
