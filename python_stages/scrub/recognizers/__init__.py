"""What can be recognised, and the Presidio recognisers that do it.

    catalogue.py    the names of all entities, and their groups
    building.py     entity -> its recognisers; entity -> its gate
    stock.py        Presidio's own recognisers, and how some are altered
    shapes.py       a recogniser as a value; what keeps its expressions linear
    national.py documents.py secrets.py phones.py web.py dates.py addresses.py people.py places.py
    words.py        the word lists of people.py and places.py

Patterns, checksums and word lists only: no language model, so nothing is downloaded. Presidio and
spaCy take seconds to import; they are imported when recognisers are built.

A score says how sure a match is: 0.4 and more stands on its own (an e-mail address), 1.0 has a
checksum that fits (a card number), and the vague ones (nine digits) stay below 0.4 until a context
word stands within five words before them. Hence the usual `min_score` of 0.4.
"""

from typing import Any

from python_stages.scrub.recognizers.building import build, gates
from python_stages.scrub.recognizers.catalogue import (
    ENTITIES,
    GROUPS,
    IDENTIFIERS,
    NER_ENTITIES,
)

GATES: dict[str, Any]
"""Entity -> what every match of its recognisers contains, compiled."""

__all__ = ["ENTITIES", "GATES", "GROUPS", "IDENTIFIERS", "NER_ENTITIES", "build"]


def __getattr__(name: str) -> Any:
    """Return GATES, compiled when they are first asked for: most commands need none."""
    if name == "GATES":
        return gates()
    raise AttributeError(name)
