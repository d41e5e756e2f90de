r"""Sentences and papers with slots: templates/*.txt, one a line, a line break written as \n.

A slot is a name in braces; a brace that stands for itself is doubled. Files whose name begins
with `negatives` name no person, place or organisation outside their slots.
"""

import re
import zlib
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from python_stages.errors import ConfigError

SLOT: Final = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}")
HELD_OUT_OF: Final = 10  # one template in so many is kept from training
NEGATIVES: Final = "negatives"


class Part(NamedTuple):
    """Literal text, or a slot."""

    text: str
    is_slot: bool


class Template(NamedTuple):
    """A template. What is held out is never trained on, in no variation of it."""

    parts: tuple[Part, ...]
    is_negative: bool
    is_held_out: bool


def parse(line: str, *, is_negative: bool = False) -> Template:
    """Return the template of a line."""
    parts: list[Part] = []
    line = line.replace("\\n", "\n")
    position = 0
    for match in SLOT.finditer(line):
        parts.append(Part(line[position : match.start()], is_slot=False))
        slot = match.group(1)
        parts.append(Part(slot, is_slot=True) if slot else Part(match.group()[0], is_slot=False))
        position = match.end()
    parts.append(Part(line[position:], is_slot=False))
    is_held_out = zlib.crc32(line.encode()) % HELD_OUT_OF == 0
    return Template(tuple(part for part in parts if part.text), is_negative, is_held_out)


@cache
def templates(known: frozenset[str]) -> tuple[Template, ...]:
    """Return every template, in an order that does not depend on the machine.

    Raises:
        ConfigError: a template has a slot that nothing fills.
    """
    folder = resources.files(__package__) / "templates"
    found: list[Template] = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        is_negative = path.name.startswith(NEGATIVES)
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [parse(line, is_negative=is_negative) for line in lines if line.strip()]
    slots = {part.text for template in found for part in template.parts if part.is_slot}
    if slots - known:
        unknown = ", ".join(sorted(slots - known))
        raise ConfigError(f"a template has slots that nothing fills ({unknown}): add a maker")
    return tuple(found)
