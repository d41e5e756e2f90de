"""How each entity is planted."""

from collections.abc import Mapping
from typing import Final

from python_stages.scrub.plants import national, numbers, words
from python_stages.scrub.plants.forms import Kind

KINDS: Final[Mapping[str, Kind]] = {**national.KINDS, **numbers.KINDS, **words.KINDS}
"""Entity -> values and phrases; the recall of one that is not here cannot be shown."""
