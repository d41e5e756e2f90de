"""Words of a column's name, and what they say of it; see words.yml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml


@dataclass(frozen=True, slots=True)
class Words:
    """What is in words.yml: word -> entity, and sets of words."""

    direct: Mapping[str, str]
    people: frozenset[str]
    ids: frozenset[str]
    quasi: frozenset[str]
    sensitive: frozenset[str]
    labels: frozenset[str]
    answers: frozenset[str]
    taken: frozenset[str]


def _load() -> Words:
    read = yaml.safe_load(Path(__file__).with_name("words.yml").read_text("utf-8"))
    sets = {name: frozenset(map(str, words)) for name, words in read.items() if name != "direct"}
    return Words(direct=read["direct"], **sets)


WORDS: Final = _load()
