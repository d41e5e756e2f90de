"""Make the shipped vocabulary again: `python -m python_stages.training.vocabulary.build`.

A tokenizer that saw private rows keeps them: a secret seen often becomes a token of its own, which
anyone can read in the vocabulary file. So this one sees public text only, and all of it comes out
of this repository and of packages that requirements.lock pins by hash:

- the English docstrings of openai (Apache-2.0), pandas and scikit-learn (BSD-3-Clause);
- the names of shops, cities and cards in `generate/tables.py`, in a few sentences about payments;
- the names of countries, currencies, months and days of Unicode CLDR as Babel ships it
  (BSD-3-Clause, Unicode-3.0), and dates and amounts written by its rules from a counter.

Beside it stands how often each token comes in those docstrings: training with differential privacy
has to know, of no private row, which tokens are common words (`steps.py`).

The same versions give the same bytes; PROVENANCE.json beside the vocabulary names them, with the
hashes of the text and of the results.
"""

import ast
import hashlib
import importlib.util
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from python_stages.generate import tables
from python_stages.training.tokenizer import COUNTS_PATH, N_TEXT_TOKENS, VOCABULARY_PATH

PROVENANCE_PATH: Final = VOCABULARY_PATH.with_name("PROVENANCE.json")
_PACKAGES: Final = {"openai": "openai", "pandas": "pandas", "sklearn": "scikit-learn"}
_LICENCES: Final = {
    "openai": "Apache-2.0",
    "pandas": "BSD-3-Clause",
    "scikit-learn": "BSD-3-Clause",
    "babel": "BSD-3-Clause, data: Unicode-3.0",
}
_DOCSTRING_CHARACTERS: Final = 400_000  # per package: no package's jargon outweighs the others
_LOCALES: Final = ("en_US", "en_GB", "de_DE", "fr_FR", "es_MX", "pt_BR", "ja_JP", "ru_RU")
_NAME_REPEATS: Final = 8  # a list names everything once, prose does not
_SHOP_REPEATS: Final = 400
_N_MOMENTS: Final = 3_000


def corpus() -> Iterator[str]:
    """Yield the text, always in the same order."""
    yield from prose()
    yield from _names()
    yield from _payments()
    yield from _dates_and_amounts()


def prose() -> Iterator[str]:
    """Yield the docstrings, always in the same order."""
    for module in _PACKAGES:
        yield from _docstrings(module)


def build() -> tuple[str, str, dict[str, Any]]:
    """Return the text of the vocabulary, that of the counts of its tokens, and their provenance."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: PLC0415 - a script

    texts = list(corpus())
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=N_TEXT_TOKENS,
            special_tokens=[],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, indent=1) + "\n"
    counts = [0] * N_TEXT_TOKENS
    for encoding in tokenizer.encode_batch(list(prose())):
        for token in encoding.ids:
            counts[token] += 1
    counted = json.dumps(counts) + "\n"
    names = [*_PACKAGES.values(), "babel", "tokenizers"]
    digest = hashlib.sha256()
    for piece in texts:
        digest.update(piece.encode())
    return (
        text,
        counted,
        {
            "script": "python -m python_stages.training.vocabulary.build",
            "versions": {name: version(name) for name in names},
            "licences": _LICENCES,
            "n_characters": sum(map(len, texts)),
            "corpus_sha256": digest.hexdigest(),
            "vocabulary_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "counts_sha256": hashlib.sha256(counted.encode()).hexdigest(),
        },
    )


def main() -> None:
    """Write the vocabulary, the counts and their provenance."""
    text, counts, provenance = build()
    VOCABULARY_PATH.write_text(text, encoding="utf-8")
    COUNTS_PATH.write_text(counts, encoding="utf-8")
    PROVENANCE_PATH.write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")


def _docstrings(module: str) -> Iterator[str]:
    """Yield the docstrings of a package's files, parsed and never imported."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    n_characters = 0
    root = Path(spec.origin).parent
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        if "tests" in path.parts:
            continue
        tree = ast.parse(path.read_bytes())
        for node in ast.walk(tree):
            match node:
                case ast.Expr(ast.Constant(str(text))) if n_characters < _DOCSTRING_CHARACTERS:
                    n_characters += len(text)
                    yield text


def _names() -> Iterator[str]:
    from babel import Locale  # noqa: PLC0415 - a script

    locale = Locale.parse("en")
    groups: list[list[str]] = [
        [str(name) for _, name in sorted(locale.territories.items())],
        [str(name) for _, name in sorted(locale.currencies.items())],
        sorted(str(code) for code in locale.currencies),
        [str(name) for _, name in sorted(locale.months["format"]["wide"].items())],
        [str(name) for _, name in sorted(locale.days["format"]["wide"].items())],
    ]
    for _ in range(_NAME_REPEATS):
        for group in groups:
            yield "\n".join(f"in {name}, {name}." for name in group)


def _payments() -> Iterator[str]:
    shops = [
        (category, shop)
        for category, kinds in tables.MERCHANTS.items()
        for group in kinds.values()
        for shop in group
    ]
    places = [(city, country) for country in tables.COUNTRIES for city in tables.US_CITIES]
    for i in range(_SHOP_REPEATS):
        for j, (category, shop) in enumerate(shops):
            city, country = places[(i + j) % len(places)]
            card = tables.CARD_TYPES[(i + j) % len(tables.CARD_TYPES)]
            if (i + j) % 2:
                yield f"{category}\n{shop}: your {card} card paid in {city}, {country}"
            else:
                yield f"A customer paid {shop} by {card}; the merchant category is {category}."


def _dates_and_amounts() -> Iterator[str]:
    from babel.dates import format_datetime  # noqa: PLC0415 - a script
    from babel.numbers import format_currency  # noqa: PLC0415 - a script

    start = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall clock to be written, no instant
    currencies = ("USD", "EUR", "GBP", "JPY", "BRL", "CAD")
    for i in range(_N_MOMENTS):
        locale = _LOCALES[i % len(_LOCALES)]
        moment = start + timedelta(hours=77 * i)
        date = format_datetime(moment, ("long", "short")[i % 2], locale=locale)
        amount = format_currency(i * i / 100, currencies[i % len(currencies)], locale=locale)
        yield f"{amount} on {date}, {moment:%Y-%m-%d %H:%M} UTC: {amount}."


if __name__ == "__main__":
    main()
