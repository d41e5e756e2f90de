"""A site takes nothing over from pages that somebody edited."""

from pathlib import Path

from python_stages.site import unedited

PAGES = {"index.html": "<p>2 of 3 passed</p>", "data-docs/notes.html": "<p>ä</p>"}


def site(folder: Path) -> tuple[Path, Path]:
    """Write a site; return it, and what is kept of it."""
    made, kept = folder / "site", folder / "pages.json"
    for path, html in PAGES.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(html, "utf-8")
    unedited.keep(PAGES, kept)
    return made, kept


def test_pages_are_found_as_they_were_written(tmp_path: Path) -> None:
    assert unedited.read(*site(tmp_path)) == PAGES


def test_an_edited_page_is_passed_over(tmp_path: Path) -> None:
    made, kept = site(tmp_path)
    (made / "index.html").write_text("<p>3 of 3 passed</p>", "utf-8")
    assert list(unedited.read(made, kept)) == ["data-docs/notes.html"]


def test_a_page_that_was_put_there_is_passed_over(tmp_path: Path) -> None:
    made, kept = site(tmp_path)
    (made / "dataset-more.html").write_text("<p>3 of 3 passed</p>", "utf-8")
    assert unedited.read(made, kept) == PAGES


def test_nothing_is_found_where_nothing_was_noted(tmp_path: Path) -> None:
    made, kept = site(tmp_path)
    kept.write_text('{"index', "utf-8")
    assert unedited.read(made, kept) == {}
    kept.unlink()
    assert unedited.read(made, kept) == {}
