"""Find lines that two dataset folders of models/ have in common: `python -m tests.duplicates`.

What is written twice belongs into a macro or a stage. Compared are SQL and Python, where each
folder's own name, blanks and comments do not count. A run of lines in common is reported from
LEAST on, which no two models need: the lines that name their parents and call one macro or stage
are fewer. YAML declares, and has no logic to share.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LEAST: Final = 10
_FRAME: Final = re.compile(r"[(),;]*|select|from \w+|with \w+ as \(|\w+ as \(|select \* from \w+")


def main(models: Path = Path("models")) -> int:
    """Print the places; return how many there are."""
    found = list(duplicates(models))
    for places, lines in found:
        print(*places, sep="\n")  # noqa: T201 - what a linter is for
        print(*(f"    {line}" for line in lines), sep="\n")  # noqa: T201 - the same
    return len(found)


def duplicates(models: Path) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Yield places (`path:line`) in several folders, and the lines that they have in common."""
    runs: defaultdict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(models.glob("*/*")):
        if path.suffix in {".sql", ".py"}:
            numbered = list(_lines(path))
            for at in range(len(numbered) - LEAST + 1):
                window = numbered[at : at + LEAST]
                lines = tuple(line for _, line in window)
                runs[lines].append((path.parent.name, f"{path}:{window[0][0]}"))
    for lines, places in runs.items():
        if len({folder for folder, _ in places}) > 1:
            yield [place for _, place in places], lines


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that say something."""
    text = path.read_text("utf-8").replace(path.parent.name, "DATASET")
    for number, line in enumerate(text.splitlines(), 1):
        plain = " ".join(line.split())
        if plain and not plain.startswith(("--", "#", "{#")) and not _FRAME.fullmatch(plain):
            yield number, plain


if __name__ == "__main__":
    sys.exit(main() > 0)
