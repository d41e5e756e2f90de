"""Labelled sets: how they are read, what counts as found, and what the scores say."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_stages.errors import ConfigError, SourceError
from python_stages.scrub.evaluate import read, score
from python_stages.scrub.evaluate.labels import canonical, kin
from python_stages.scrub.evaluate.readers import Document, Label
from python_stages.scrub.evaluate.report import Report
from python_stages.scrub.evaluate.scores import Gold, Scores, shape
from python_stages.scrub.evaluate.span_f2 import Counts, count

TEXT = "Yesterday Anna Maria Smith called from Berlin."
ANNA = Gold("PERSON", 10, 26)
BERLIN = Gold("LOCATION", 39, 45)


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def only(path: Path, form: str = "auto") -> Document:
    (document,) = read(path, form).documents
    return document


def scored(text: str, gold: list[Gold], found: list[Gold], labelled: set[str]) -> Scores:
    return score([(text, gold)], lambda _: [found], frozenset(labelled))


# --- readers


@pytest.mark.parametrize("separator", ["\t", " ", "\tNNP\tB-NP\t"])
def test_conll_sentences_are_their_tokens_joined_by_spaces(tmp_path: Path, separator: str) -> None:
    rows = [("Anna", "B-PER"), ("Smith", "I-PER"), ("met", "O"), ("Bob", "B-PER")]
    lines = "\n".join(f"{word}{separator}{tag}" for word, tag in rows)
    document = only(write(tmp_path / "a.conll", f"-DOCSTART- -X- O\n\n{lines}\n\n"))
    assert document == Document("Anna Smith met Bob", (Label("PER", 0, 10), Label("PER", 15, 18)))


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["B-A", "B-A", "O"], [(0, 1), (2, 3)]),  # BIO
        (["I-A", "I-A", "B-A"], [(0, 3), (4, 5)]),  # IOB1
        (["B-A", "E-A", "S-A"], [(0, 3), (4, 5)]),  # BIOES
        (["B-A", "L-A", "U-A"], [(0, 3), (4, 5)]),  # BILOU
        (["A_", "A_", "O"], [(0, 3)]),  # bare
        (["I-A", "I-B", "O"], [(0, 1), (2, 3)]),
    ],
)
def test_every_tagging_of_spans_is_understood(
    tmp_path: Path, tags: list[str], spans: list[tuple[int, int]]
) -> None:
    rows = "\n".join(f"{word}\t{tag}" for word, tag in zip("xyz", tags, strict=True))
    document = only(write(tmp_path / "a.conll", rows))
    assert [(label.start, label.end) for label in document.labels] == spans


def test_a_number_sign_is_a_token_and_not_a_comment_where_tabs_separate(tmp_path: Path) -> None:
    content = "# text = a comment\n#\tO\nfail\tO\n"
    assert only(write(tmp_path / "a.conll", content)).text == "# fail"


def test_a_folder_is_read_file_by_file_without_its_licence(tmp_path: Path) -> None:
    write(tmp_path / "b.conll", "x\tO\n")
    write(tmp_path / "a.conll", "y\tO\n")
    write(tmp_path / "LICENSE", "do what you like")
    assert [document.text for document in read(tmp_path).documents] == ["y", "x"]


def test_presidio_research_json_is_read_with_whatever_else_it_holds(tmp_path: Path) -> None:
    record = {
        "full_text": "I am Anna.",
        "masked": "I am {{name}}.",
        "spans": [
            {
                "entity_type": "PERSON",
                "entity_value": "Anna",
                "start_position": 5,
                "end_position": 9,
            }
        ],
        "template_id": 3,
        "metadata": None,
    }
    path = write(tmp_path / "set.json", json.dumps([record]))
    expected = Document("I am Anna.", (Label("PERSON", 5, 9),))
    assert only(path) == only(path, "presidio") == expected


@pytest.mark.parametrize(
    "spans",
    [
        [{"start": 5, "end": 9, "label": "PERSON"}],
        [{"start": 5, "end": 9, "entity": "PERSON"}],
        [[5, 9, "PERSON"]],
    ],
)
def test_json_lines_name_spans_in_several_ways(tmp_path: Path, spans: object) -> None:
    path = write(tmp_path / "set.jsonl", json.dumps({"text": "I am Anna.", "spans": spans}) + "\n")
    assert only(path).labels == (Label("PERSON", 5, 9),)


def test_a_label_without_a_place_stands_wherever_its_value_is_a_word(tmp_path: Path) -> None:
    record = {"text": "Ann, Anna, Ann", "NER": [{"entity": "Ann", "label": "P"}, {"label": "Q"}]}
    found = read(write(tmp_path / "set.json", json.dumps([record])))
    assert found.documents[0].labels == (Label("P", 0, 3), Label("P", 11, 14))
    assert found.n_left_out == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.conll", "Secret words of prose\n"),
        ("a.json", '[{"text": "Secret", "spans": [[0, 99, "PERSON"]]}]'),
        ("a.json", '[{"text": "Secret", "spans": [7]}]'),
        ("a.jsonl", '{"text": "Secret"\n'),
        ("a.jsonl", '{"words": "Secret"}\n'),
        ("a.jsonl", ""),
        ("a.jsonl", "[]"),
    ],
)
def test_what_cannot_be_read_is_refused_without_quoting_it(
    tmp_path: Path, name: str, content: str
) -> None:
    with pytest.raises(SourceError) as caught:
        read(write(tmp_path / name, content))
    assert "Secret" not in str(caught.value)


# --- labels


def test_labels_of_other_projects_have_our_names() -> None:
    names = ["GPE", "first_name", "corporation", "Driver-License", "DRIVER_LICENSE_NUM", "SSN"]
    assert canonical(names, {}) == {
        "GPE": "LOCATION",
        "first_name": "PERSON",
        "corporation": "ORGANIZATION",
        "Driver-License": "DRIVER_LICENSE",
        "DRIVER_LICENSE_NUM": "DRIVER_LICENSE",
        "SSN": "US_SSN",
    }


def test_what_is_not_personal_is_set_aside() -> None:
    assert canonical(["product", "creative-work"], {}) == {"product": None, "creative-work": None}


def test_an_unknown_label_is_an_error_that_lists_the_known_ones_until_it_is_mapped() -> None:
    with pytest.raises(ConfigError, match=r"unknown label blub: .*--map.*GPE"):
        canonical(["blub"], {})
    assert canonical(["blub"], {"blub": "PERSON"}) == {"blub": "PERSON"}
    assert canonical(["blub"], {"BLUB": "ignore"}) == {"blub": None}
    with pytest.raises(ConfigError, match="which is no entity"):
        canonical(["blub"], {"blub": "PERSONN"})


def test_kin_of_an_account_is_every_number_and_no_name() -> None:
    found = kin(["ACCOUNT_NUMBER"])
    assert {"US_BANK_NUMBER", "ACCOUNT_NUMBER", "US_SSN"} <= found
    assert not found & {"PERSON", "URL", "DATE_TIME"}


# --- span F2


def at(text: str, gold: list[Gold], found: list[Gold]) -> list[tuple[int, int, int]]:
    """Return labelled, predicted and found at IoU 0.9 and 0.7."""
    return [(c.n_labelled, c.n_predicted, c.n_found) for c in count(text, gold, found)]


def test_a_span_is_found_whatever_its_entity() -> None:
    assert at(TEXT, [ANNA], [Gold("LOCATION", 10, 26)]) == [(1, 1, 1)] * 2


def test_a_span_three_quarters_right_is_found_at_the_lower_threshold_only() -> None:
    assert at(TEXT, [ANNA], [Gold("PERSON", 15, 26)]) == [(1, 1, 0), (1, 1, 1)]


def test_pieces_that_make_up_a_span_are_one_prediction() -> None:
    pieces = [Gold("PERSON", 10, 14), Gold("NRP", 15, 20), Gold("PERSON", 21, 26)]
    assert at(TEXT, [ANNA], pieces) == [(1, 1, 1)] * 2


def test_a_prediction_in_vain_counts_against_precision() -> None:
    assert at(TEXT, [ANNA], [ANNA, BERLIN]) == [(1, 2, 1)] * 2


def test_punctuation_and_words_that_do_not_count_make_no_difference() -> None:
    text = "The Smith of Berlin, Mr. Smith's"
    assert at(text, [Gold("PERSON", 25, 30)], [Gold("PERSON", 21, 32)]) == [(1, 1, 1)] * 2
    assert at(text, [], [Gold("PERSON", 0, 3)]) == [(0, 0, 0)] * 2


def test_neighbours_of_one_entity_are_one_span() -> None:
    text = "12 Main Street, Springfield"
    parts = [Gold("LOCATION", 0, 14), Gold("LOCATION", 16, 27)]
    assert at(text, parts, [Gold("LOCATION", 0, 27)]) == [(1, 1, 1)] * 2


def test_f2_counts_recall_twice() -> None:
    assert Counts(n_labelled=10, n_predicted=5, n_found=5).f2 == pytest.approx(5 / 9)
    assert Counts(n_labelled=5, n_predicted=10, n_found=5).f2 == pytest.approx(5 / 6)
    assert Counts().f2 is None


words = st.lists(st.sampled_from(["Anna", "met", "Bob", "in", "Rome", "12-34"]), min_size=1)


@given(words, st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=4))
def test_what_is_labelled_is_found_by_itself(
    parts: list[str], places: list[tuple[int, int]]
) -> None:
    text = " ".join(parts)
    spans = [
        Gold("PERSON", start, min(start + length, len(text)))
        for start, length in places
        if start < len(text)
    ]
    for counts in count(text, spans, spans):
        assert counts.n_labelled == counts.n_predicted == counts.n_found


# --- characters, documents, entities


def test_characters_are_counted_without_space_and_without_punctuation_at_the_ends() -> None:
    wider = [Gold("PERSON", 9, 27), Gold("LOCATION", 38, 46)]  # spaces, a full stop
    scores = scored(TEXT, [ANNA, BERLIN], wider, {"PERSON", "LOCATION"})
    assert scores.char_recall == 1
    assert scores.clean_documents == 1
    assert scores.n_labelled_characters == len("AnnaMariaSmithBerlin")
    assert scores.char_precision == 1


def test_a_document_is_clean_only_without_a_character_left() -> None:
    scores = scored(TEXT, [ANNA], [Gold("PERSON", 10, 25)], {"PERSON"})
    assert scores.clean_documents == 0
    assert scores.char_recall == pytest.approx(13 / 14)


def test_documents_without_labels_say_nothing_about_cleanness() -> None:
    assert scored(TEXT, [], [], {"PERSON"}).clean_documents is None


def test_an_entity_is_recalled_under_whatever_name_it_is_covered() -> None:
    scores = scored(TEXT, [ANNA], [Gold("NRP", 10, 26)], {"PERSON"})
    assert scores.entities["PERSON"].recall == 1
    assert scores.entities["NRP"].precision == 1


def test_a_find_of_what_the_set_never_labels_counts_only_where_it_touches_a_label() -> None:
    found = [ANNA, Gold("URL", 30, 34), BERLIN]
    scores = scored(TEXT, [ANNA], found, {"PERSON", "LOCATION"})
    assert scores.n_set_aside == 1
    assert "URL" not in scores.entities
    assert scores.entities["LOCATION"].precision == 0


def test_false_persons_are_counted_in_documents_without_labels() -> None:
    found = [ANNA, BERLIN]
    scores = score(
        [(TEXT, []), (TEXT, []), (TEXT, [ANNA])], lambda texts: [found] * len(texts), frozenset()
    )
    assert scores.false_person_per_100 == 100
    assert scored(TEXT, [ANNA], found, {"PERSON"}).false_person_per_100 is None


@pytest.mark.parametrize(
    ("value", "look"),
    [
        ("anna", "one word, lower case"),
        ("Anna Smith", "two words, capitalised"),
        ("ANNA VON TRAPP", "three words, upper case"),
        ("12 Main Street", "three words, with digits"),
        ("555-1234", "one word, digits"),
        ("Åsa", "one word, beyond ascii"),
        ("***", "one word, no letters"),
    ],
)
def test_an_error_is_told_by_the_look_of_its_value(value: str, look: str) -> None:
    assert shape(value) == look


def test_the_json_begins_with_the_scores_that_were_promised() -> None:
    scores = scored(TEXT, [ANNA, BERLIN], [ANNA], {"PERSON", "LOCATION"})
    answer = Report(scores, ("PERSON",), 0).as_json()
    assert list(answer)[:5] == [
        "span_f2",
        "char_recall",
        "char_precision",
        "clean_documents",
        "entities",
    ]
    assert answer["span_f2"] == {"0.9": 0.5556, "0.7": 0.5556}
    assert answer["entities"] == {
        "LOCATION": {"n": 1, "recall": 0.0, "precision": None},
        "PERSON": {"n": 1, "recall": 1.0, "precision": 1.0},
    }
    json.dumps(answer)
