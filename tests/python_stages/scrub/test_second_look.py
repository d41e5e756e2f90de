"""The second look: plain words are no people, and names stay names."""

from typing import Any

import pytest

from python_stages.scrub.ner import second_look


@pytest.mark.parametrize(
    "text",
    [
        "belong",
        "Receipt",
        "dumb",
        "humans",
        "UTC",
        "X",
        "http://t.co/ab",
        "@someone",
        "R2D2",
        "the payment",
        "The Report",
        "\u00a3\u00a3",
    ],
)
def test_what_is_written_like_a_plain_word_is_no_person(text: str) -> None:
    assert second_look.known().label(text, "PERSON") is None


@pytest.mark.parametrize(
    "text",
    ["emma", "Emma", "EMMA", "emma miller", "Will", "Grace Hope", "Zorblax Quentley", "O'Brien"],
)
def test_what_is_a_name_or_may_be_one_stays_a_person(text: str) -> None:
    assert second_look.known().label(text, "PERSON") == "PERSON"


def test_a_country_is_no_person() -> None:
    assert second_look.known().label("Brazil", "PERSON") == "LOCATION"


@pytest.mark.parametrize("text", ["Red Lobster", "Morton's", "Morton", "Walmart", "WESTIN"])
def test_a_shop_is_no_person(text: str) -> None:
    assert second_look.known().label(text, "PERSON") == "ORGANIZATION"


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("paris", "LOCATION", "LOCATION"),
        ("movie", "LOCATION", None),
        ("kindergarten", "ORGANIZATION", None),
        ("Category", "ORGANIZATION", None),
        ("FDA", "ORGANIZATION", "ORGANIZATION"),
        ("Acme", "ORGANIZATION", "ORGANIZATION"),
        ("12 main street", "STREET_ADDRESS", "STREET_ADDRESS"),
        ("french", "NRP", "NRP"),
        ("Sometimes", "NRP", None),
    ],
)
def test_other_finds_in_lower_case_or_of_a_plain_word_need_a_list(
    text: str, label: str, expected: str | None
) -> None:
    assert second_look.known().label(text, label) == expected


@pytest.fixture(scope="module")
def looked() -> Any:
    """Return a pipeline whose model names everything in capitals, and the second look."""
    import spacy  # noqa: PLC0415  # takes seconds

    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": name} for name in ("Hofer", "Lindqvist")])
    return second_look.add_to(nlp)


@pytest.mark.parametrize(
    "text",
    [
        "Hofer v Lindqvist [2011] FCA 99 was followed.",
        "See Hofer v. Lindqvist, 512 F.3d 881 (2008).",
        "Re Hofer (1988) 12 IR 3",
        "Hofer (Aust) Pty Ltd (in liq) v Bakers (NSW) Ltd (No 2) [2002] FCA 224",
        "Ex parte Hofer; Re Lindqvist and Sons (2001) 207 CLR 291",
        "Hofer, Re; Ex parte Natural Gas Ltd (1992) 37 FCR 194",
        "Hofer, in the matter of Estate Holdings Limited (Administrators Appointed) [2007] FCA 935",
        "F Hofer &amp; Co v Lindqvist (unreported, NSWSC, 27 October 2003)",
        "The Lindqvist factors were weighed.",
        "A Hofer injunction was refused.",
    ],
)
def test_whom_published_law_is_called_after_is_no_person(looked: Any, text: str) -> None:
    assert looked(text).ents == ()


@pytest.mark.parametrize(
    "text",
    [
        "Please call Hofer v. soon",
        "Hofer wrote to Lindqvist in (2011) and",
        "re Hofer: he called again",
        "Hofer spoke in the matter of parking spaces",
        "Tell Hofer standard delivery is free",
    ],
)
def test_who_is_written_about_stays_a_person(looked: Any, text: str) -> None:
    assert "Hofer" in {entity.text for entity in looked(text).ents}
