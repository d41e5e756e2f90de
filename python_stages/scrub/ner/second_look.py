"""A second look at what the network found, letter by letter.

The network reads context and the shape of words, and now and then takes a plain word for a name
(`belong`, `Receipt`, `UTC`), or a shop or a country for a person. Word lists know better: a find
that is written like a plain word stays only where a list says that it is a name as well. Lower-case
names in chat (`emma`) do, `dumb` does not. Several capitalised words, which no list can know, are
left alone, unless they begin or end as firms do.

`names.txt` holds the words of the names that Faker lists in its locales of Latin script, and our
own; `python -m python_stages.scrub.ner.second_look` writes it. Plain words are those that stand in
lower case, outside of slots, in the templates that the network is trained on, and their plurals and
the like.

Nobody is meant by the parties in the title of a decided case that is cited (`Smith v Jones [1999] 1
AC 1`), nor by whom a doctrine is called after (`the Brady violation`): both are published law.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from python_stages.scrub.ner.generate import lists
from python_stages.scrub.ner.generate.labelled import LOCATION, NRP, ORGANIZATION, PERSON
from python_stages.scrub.recognizers import words

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span

NAME: Final = "sealtune_second_look"

_NAMES: Final = Path(__file__).parent / "names.txt"
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SLOT: Final = re.compile(r"\{\{|\}\}|\{[a-z_]+\}")
_PLAIN: Final = re.compile(r"\b[a-z][a-z']+\b")
_NO_NAME: Final = re.compile(r"[0-9@/_#]|www\.")
_ACRONYM: Final = 5  # letters at most
_ENDINGS: Final = (
    *(("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e")),
)
_PARTY: Final = (
    r"(?:(?!vs?\.?[ ])(?:\(?[^\W\d_a-z][^\s]{0,40}|&(?:amp;)?|\(in|\d{1,4}\)|"
    r"(?:of|for|the|and|in|re|ex|etc|liq|liquidation|matter|parte|trading|as|d[ei]|van|der|von|to)"
    r"[,;)]{0,2})[ ]){1,14}"
)
_CITED: Final = (
    r"(?:\(No[.]?[ ]\d+\)[ ])?(?:\[[12]\d{3}\]|\([12]\d{3}\)[ ]\d|\(unreported,[^()\n]{0,80}\)|"
    r"\d{1,4}[ ][A-Z][\w.']*[ ](?:[\w.']+[ ]){0,3}\d)"
)
_OF_A_CASE: Final = (
    r"(?:[Ii]n[ ])?(?:[Rr]e|[Ee]x[ ]parte)[ ]|"
    r"[^\W\d_a-z][\w'\u2019-]{0,40},[ ]"
    r"(?:(?:[Ee]x[ ]parte|[Rr]e);?|[Ii]n[ ]the[ ][Mm]atter[ ]of)[ ]"
)
_CASE: Final = re.compile(
    rf"\b(?:{_PARTY}vs?\.?[ ]|{_OF_A_CASE}){_PARTY}?{_CITED}"
    r"(?:[ ]?\d*[ ](?:[A-Z][\w.'\u2019]*[ ]){1,4}\d+)?"
)
_CITING: Final = re.compile(
    r"[ ]vs?\.?[ ]|\b[Rr]e[ ;]|[Ee]x[ ]parte[ ;]|[ ][Ii]n[ ]the[ ][Mm]atter[ ]of[ ]"
)
_ARTICLE: Final = re.compile(r"\b(?:[Tt]he|[Aa]n?)[ ]\Z|[.;:\n][ ]?\Z")
_LONGEST_ARTICLE: Final = 5
_DOCTRINE: Final = re.compile(
    r"(?:'s|\u2019s)?[ ](?:analysis|criteria|deference|direction|doctrine|estoppel|exception|"
    r"factors?|guidelines|immunity|injunctions?|offers?|presumption|principles?|rule|standard|test|"
    r"violations?|warnings?|"
    r"orders?[ ](?:is|are|was|were)[ ](?:discharged|granted|made))\b"
)
_BRAND_LISTS: Final = ("brands", "court_names", "merchants")
_GROUP_LISTS: Final = ("nationalities", "nationality_nouns", "political_groups", "religions")
_PLACE_LISTS: Final = ("cities", "countries", "regions")
_FIRST_NAME_LISTS: Final = ("common_first_names", "nicknames")
_NAME_LISTS: Final = (
    *_FIRST_NAME_LISTS,
    "common_last_names",
    "romanised_first_names",
    "romanised_last_names",
)


@dataclass(frozen=True, slots=True)
class Lists:
    """Words in lower case: of any name, of frequent first names, plain ones; and so on."""

    names: frozenset[str]
    first_names: frozenset[str]
    plain: frozenset[str]
    places: frozenset[str]
    countries: frozenset[str]
    brands: frozenset[str]
    firm_endings: frozenset[str]
    groups: frozenset[str]

    def label(self, text: str, label: str) -> str | None:
        """Return the label that a find should bear, or None where it is no find."""
        found = _WORD.findall(text)
        spoken = [word.lower() for word in found]
        if label == PERSON:
            if text.lower() in self.countries:
                return LOCATION
            if self._is_firm(spoken):
                return ORGANIZATION
            return PERSON if self._is_person(text, found, spoken) else None
        if label in {LOCATION, ORGANIZATION} and found:
            if text == text.lower():
                is_kept = label == LOCATION and text in self.places
            elif len(found) == 1:
                is_kept = found[0].isupper() or self._is_new(spoken[0])
            else:
                is_kept = True
            return label if is_kept else None
        if label == NRP and spoken and text.lower() not in self.groups:
            return None if all(word in self.plain for word in spoken) else label
        return label

    def _is_firm(self, spoken: list[str]) -> bool:
        """Tell whether words begin with a brand, or end with what no person is called."""
        starts = (" ".join(spoken[:n]) for n in range(1, len(spoken) + 1))
        return bool(spoken) and (
            any(start in self.brands for start in starts) or spoken[-1] in self.firm_endings
        )

    def _is_person(self, text: str, found: list[str], spoken: list[str]) -> bool:
        if not found or _NO_NAME.search(text):
            return False
        is_plain = all(map(self._is_plain, spoken))
        if text == text.lower():
            return not is_plain and all(word in self.names for word in spoken)
        if all(word in self.first_names for word in spoken):
            return True
        if len(found) > 1:
            return not is_plain or any(word in self.first_names for word in spoken)
        is_acronym = found[0].isupper() and len(found[0]) <= _ACRONYM
        return not is_plain and len(found[0]) > 1 and (not is_acronym or spoken[0] in self.names)

    def _is_plain(self, word: str) -> bool:
        """Tell whether a word is a plain one, or a form of one that is no name."""
        return word in self.plain or (
            word not in self.names
            and any(
                word.endswith(ending) and word.removesuffix(ending) + begin in self.plain
                for ending, begin in _ENDINGS
            )
        )

    def _is_new(self, word: str) -> bool:
        return word not in self.plain or word in self.places


@cache
def known() -> Lists:
    """Read the lists."""
    from spacy.lang.en.stop_words import STOP_WORDS  # noqa: PLC0415  # takes seconds

    folder = resources.files(f"{__package__}.generate") / "templates"
    plain = {*STOP_WORDS, *lists.values("words")}
    for path in folder.iterdir():
        for line in path.read_text(encoding="utf-8").splitlines():
            plain.update(_PLAIN.findall(_SLOT.sub("|", line.replace("\\n", "\n"))))
    countries = {country.lower() for country in (*words.countries(), *lists.values("countries"))}
    first_names = _lowered(*_FIRST_NAME_LISTS) | {name.lower() for name in words.FIRST_NAMES}
    brands = {" ".join(_WORD.findall(brand)) for brand in _lowered(*_BRAND_LISTS)} - first_names
    return Lists(
        names=frozenset(_NAMES.read_text(encoding="utf-8").split()),
        first_names=first_names,
        plain=frozenset(plain),
        places=_lowered(*_PLACE_LISTS) | countries,
        countries=frozenset(countries),
        firm_endings=_lowered("firm_endings"),
        groups=_lowered(*_GROUP_LISTS),
        brands=frozenset(brands | {brand.removesuffix("'s") for brand in brands}),
    )


def add_to(nlp: "Language") -> "Language":
    """Add the second look to a pipeline that sets `doc.ents`; return it."""
    from spacy.language import Language  # noqa: PLC0415  # takes seconds

    if not Language.has_factory(NAME):
        Language.component(NAME, func=_look_again)
    nlp.add_pipe(NAME, last=True)
    return nlp


def _look_again(doc: "Doc") -> "Doc":
    from spacy.tokens import Span  # noqa: PLC0415  # it is loaded by now

    kept: list[Span] = []
    text = doc.text  # spaCy puts it together each time
    cases = _cases(text)
    for entity in doc.ents:
        label = known().label(entity.text, entity.label_)
        if label == PERSON and _is_of_the_law(entity, text, cases):
            continue
        if label == entity.label_:
            kept.append(entity)
        elif label:
            kept.append(Span(doc, entity.start, entity.end, label))
    doc.set_ents(kept)
    return doc


def _cases(text: str) -> list[tuple[int, int]]:
    """Return where a text cites decided cases."""
    if _CITING.search(text) is None:
        return []
    return [match.span() for match in _CASE.finditer(text)]


def _is_of_the_law(entity: "Span", text: str, cases: list[tuple[int, int]]) -> bool:
    """Tell whether a name is but part of the title of a case, or of the name of a doctrine."""
    start, end = entity.start_char, entity.end_char
    if any(first <= start and end <= last for first, last in cases):
        return True
    return _DOCTRINE.match(text, end) is not None and (
        start == 0 or _ARTICLE.search(text, max(0, start - _LONGEST_ARTICLE), start) is not None
    )


def _lowered(*names: str) -> frozenset[str]:
    return frozenset(value.lower() for name in names for value in lists.values(name))


def write_names() -> None:
    """Write names.txt anew."""
    from python_stages.scrub.ner.generate.locales import (  # noqa: PLC0415  # needs Faker's locales
        LATIN,
        pool,
    )

    pools = [pool(locale) for locale in LATIN]
    values = [name for each in pools for name in (*each.first_names, *each.last_names)]
    values += [value for name in _NAME_LISTS for value in lists.values(name)]
    found = {word.lower() for value in values for word in _WORD.findall(value)}
    text = "\n".join(sorted(word for word in found if len(word) > 1))
    _NAMES.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_names()
