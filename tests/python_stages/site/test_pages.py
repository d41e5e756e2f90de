"""The pages: closed to the world, escaped, and true to the facts."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from python_stages.errors import StageError
from python_stages.site import (
    charts,
    data_docs,
    dbt_docs,
    model_charts,
    privacy_drawing,
    report_json,
    svg,
)
from python_stages.site.artifacts import Manifest
from python_stages.site.facts.change_log import ChangeLog
from python_stages.site.facts.dataset import Check
from python_stages.site.facts.report import Report
from python_stages.site.lineage import Lineage
from python_stages.site.pages import Link, Pages, dataset_page, model_page
from tests.python_stages.site.facts import CHECK, DATASET, MODEL, NOW, REPORT

EMPTY = {"metadata": {"project_name": "sealtune"}, "nodes": {}, "sources": {}}
SCHEMA = Path(__file__).parents[3] / "docs/report.schema.json"


def pages(report: Report = REPORT) -> dict[str, str]:
    lineage = Lineage(Manifest("sealtune", EMPTY), {})
    return Pages(report, lineage, (Link("JSON", "report.json", "for machines"),)).all()


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return pages()


class Tags(HTMLParser):
    """Collects tags and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.found.append((tag, dict(attrs)))


def test_there_is_a_page_for_the_whole_each_dataset_and_each_model(drawn: dict[str, str]) -> None:
    assert set(drawn) == {"index.html", "privacy.html", dataset_page(DATASET), model_page(MODEL)}


def test_every_page_forbids_all_but_its_own_style(drawn: dict[str, str]) -> None:
    for html in drawn.values():
        style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
        (policy,) = [
            one["content"] or ""
            for tag, one in Tags(html).found
            if tag == "meta" and one.get("http-equiv") == "Content-Security-Policy"
        ]
        assert len(style) == 1
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_no_page_has_a_script_a_style_attribute_or_an_address_elsewhere(
    drawn: dict[str, str],
) -> None:
    for html in drawn.values():
        for tag, attributes in Tags(html).found:
            assert tag not in {"script", "iframe", "object", "img"}
            assert not {one for one in attributes if one.startswith("on") or one == "style"}
            for name in ("href", "src", "xlink:href", "action"):
                assert not re.match(r"[a-z]+:(?!,)|//", attributes.get(name) or ""), tag


def test_a_model_leads_to_its_dataset_and_a_shadow_to_that_of_its_rows() -> None:
    name = REPORT.datasets[0].name
    for dataset, href in ((name, name), (f"{name}_shadow", name), ("gone", None)):
        model = replace(MODEL, dataset=dataset)
        page = pages(replace(REPORT, models=(model,)))[model_page(model)]
        (heading,) = re.findall(r"<h1>.*</h1>", page)
        assert ("href" in heading) is (href is not None)
        assert href is None or f'href="dataset-{href}.html"' in heading


def test_text_of_the_config_is_escaped() -> None:
    hostile = replace(DATASET, description="<script>alert(1)</script>")
    html = pages(replace(REPORT, datasets=(hostile,)))[dataset_page(hostile)]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_whatever_was_not_measured_says_so() -> None:
    bare = replace(
        DATASET, stages=(), masked=None, recalls=(), classes=(), tokens=None, checks=(), sealed=(),
        n_duplicates=None, is_split_disjoint=None, fingerprint=None,
        change_log=ChangeLog((), (), (), None),
    )  # fmt: skip
    model = replace(MODEL, curve=(), scores=(), classes=(), confusion=(), audit=None)
    drawn = pages(replace(REPORT, datasets=(bare,), models=(model,)))
    assert drawn[dataset_page(bare)].count("Not measured:") == 8
    assert drawn[model_page(model)].count("Not measured:") == 4
    empty = pages(replace(REPORT, datasets=(), models=(), changes=(), history=()))
    assert empty["index.html"].count("Not measured:") == 2


def test_a_dataset_says_what_changed_why_it_was_not_trained_again_and_which_model_is_in_use(
    drawn: dict[str, str],
) -> None:
    page = drawn[dataset_page(DATASET)]
    assert "Drift from the version before: moderate." in page
    assert "These lines: not retrained: drift 0.12 of 0.2" in page
    assert '<th scope="row">rejected</th><td>unknown_example</td>' in page
    assert f'In use: <a href="{model_page(MODEL)}">' in page


def test_a_dataset_with_noise_says_what_was_spent_and_what_is_not_covered(
    drawn: dict[str, str],
) -> None:
    page = drawn[dataset_page(DATASET)]
    for text in ("epsilon <b>3.750</b>", "noise of epsilon 0.250", "weight: as it is.", "2.500"):
        assert text in page
    bare = pages(replace(REPORT, datasets=(replace(DATASET, noise=None),)))
    assert 'id="noise"' not in bare[dataset_page(DATASET)]


def test_a_small_count_reads_few(drawn: dict[str, str]) -> None:
    cells = re.findall(r"<tr><th scope=\"row\">rare</th>(.*?)</tr>", drawn[dataset_page(DATASET)])
    assert cells == ["<td>train</td><td>few</td>", '<td>validation</td><td class="num">0</td>']


def test_all_pages_together_weigh_less_than_a_megabyte(drawn: dict[str, str]) -> None:
    assert sum(len(one.encode()) for one in drawn.values()) < 1_000_000


# ── charts ──


def test_every_chart_is_one_image_with_one_sentence_and_the_theme_s_ink() -> None:
    assert DATASET.masked
    assert DATASET.tokens
    assert MODEL.audit
    svgs = [
        charts.funnel(DATASET.stages),
        charts.found(DATASET.masked.found, 5),
        charts.recall(DATASET.recalls),
        charts.balance(DATASET.classes, 5),
        charts.tokens(DATASET.tokens, 5),
        model_charts.curve(MODEL.curve, "loss"),
        model_charts.scores(MODEL.scores, "accuracy"),
        model_charts.confusion(MODEL.confusion, "tuned"),
        model_charts.exposure(MODEL.audit.rows),
        model_charts.epsilon(8.0, 0.4, 4.2),
        privacy_drawing.draw(DATASET.flows, "where columns go"),
    ]
    for drawing in svgs:
        root = ET.fromstring(drawing)  # noqa: S314 - drawn a moment ago
        spoken = [one for one in root.iter() if "aria-label" in one.attrib or "role" in one.attrib]
        assert spoken == [root]
        assert root.attrib["aria-label"]
        texts = [one for one in root.iter() if one.tag.endswith("text") and one.text]
        assert texts
        assert any(one.get("fill") == "currentColor" for one in texts)
        assert "style" not in {name for one in root.iter() for name in one.attrib}


def test_the_funnel_marks_what_was_lost() -> None:
    assert [one.state for one in DATASET.stages if charts.is_loss(one)] == ["rejected"]


def test_the_drawing_says_in_words_where_a_column_ends() -> None:
    drawing = privacy_drawing.draw(DATASET.flows, "x")
    texts = [one.text for one in ET.fromstring(drawing).iter() if one.tag.endswith("text")]  # noqa: S314 - the same
    for flow, end in zip(DATASET.flows, ("stops", "scrubbed", "arrives"), strict=True):
        start = texts.index(flow.column)
        assert texts[start + 2] == end


# ── for machines ──


def test_a_report_reads_back_as_it_was_written() -> None:
    assert report_json.load(report_json.dump(REPORT)) == REPORT


def test_a_report_keeps_to_its_schema() -> None:
    jsonschema.validate(json.loads(report_json.dump(REPORT)), json.loads(report_json.schema()))


def test_the_schema_in_the_documentation_is_that_of_the_code() -> None:
    assert SCHEMA.read_text("utf-8") == report_json.schema()


def test_every_field_of_the_schema_is_described() -> None:
    schema = json.loads(report_json.schema())
    for name, one in {**schema["$defs"], "Report": schema}.items():
        assert one["description"], name
        for field, described in one.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"


# ── dbt's page ──


def test_the_policy_stands_before_everything_that_dbt_put_into_its_head() -> None:
    page = dbt_docs.page("<html><head><script>1</script></head></html>")
    assert page.startswith("<html><head><meta http-equiv=")


def test_a_page_without_a_head_is_refused() -> None:
    with pytest.raises(StageError, match="does not know"):
        dbt_docs.page("<html><script>1</script></html>")


def test_a_drawing_of_the_same_is_taken_from_an_earlier_page() -> None:
    drawn = charts.funnel(DATASET.stages)
    page = f"<p>before</p>{drawn.replace('</svg>', '<desc>old</desc></svg>')}<svg></svg>"
    fewer = DATASET.stages[:-1]
    with svg.taken_over([page]):
        assert charts.funnel(DATASET.stages) == drawn.replace("</svg>", "<desc>old</desc></svg>")
        assert "old" not in charts.funnel(fewer)
    assert charts.funnel(DATASET.stages) == drawn


# ── Great Expectations' pages ──

OPEN_PAGE = """<!DOCTYPE html><html><head><link href="https://a.example/x.css" rel="stylesheet">
<script src="https://a.example/x.js"></script></head><body onload="go()">
<nav><a href="https://a.example">logo</a></nav><img src="https://a.example/x.png">
<form action="https://a.example"><input name="mail"></form>
<a href="https://a.example">left</a> <a href="#there" onclick="go()">kept &amp; safe</a>
<script>var x = "</p>";</script><p id="there" style="color:red">checked</p></body></html>"""


def test_a_page_of_great_expectations_keeps_its_text_and_nothing_that_asks() -> None:
    page = data_docs.closed(OPEN_PAGE, "notes")
    assert "a.example" not in page
    assert "go()" not in page
    assert "<script" not in page
    assert "<form" not in page
    assert '<a href="#there">kept &amp; safe</a>' in page
    assert '<p id="there" style="color:red">checked</p>' in page
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_every_check_is_on_the_page_of_great_expectations() -> None:
    failed = replace(CHECK, is_success=False, description="a rule that failed", n_failed=3)
    dataset = replace(DATASET, checks=(CHECK, failed))
    suites = Path(__file__).parents[3] / "expectations/suites"
    (html,) = data_docs.pages([dataset], suites, NOW, earlier={}).values()
    assert "a rule that failed" in html
    assert CHECK.description in html
    for tag, attributes in Tags(html).found:
        assert tag not in {"script", "iframe", "form", "img"}
        assert not re.match(r"https?:|//", attributes.get("href") or "")


def test_a_page_of_great_expectations_is_drawn_anew_when_its_outcome_is_another() -> None:
    suites = Path(__file__).parents[3] / "expectations/suites"
    dataset = replace(DATASET, checks=(CHECK,))
    ((path, html),) = data_docs.pages([dataset], suites, NOW, earlier={}).items()
    earlier = {path: html.replace(CHECK.description, "as it was drawn")}

    def drawn(*checks: Check) -> str:
        again = replace(DATASET, checks=checks)
        return data_docs.pages([again], suites, NOW, earlier=earlier)[path]

    assert "as it was drawn" in drawn(CHECK)
    assert "as it was drawn" not in drawn(replace(CHECK, n_checked=(CHECK.n_checked or 0) + 1))
    assert "as it was drawn" not in drawn(CHECK, CHECK)
