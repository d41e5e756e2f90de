"""Facts in, HTML out: one page for the whole, one per dataset, one per model. Touches no file.

Every page stands alone: its style is in it, its charts are SVG in it, and its policy allows that
style by its hash, nothing else, and no request to anywhere.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from python_stages.site import charts, data_docs, model_charts, privacy_drawing, rows
from python_stages.site.facts.dataset import Dataset, Passage
from python_stages.site.facts.model import Model
from python_stages.site.facts.report import Report
from python_stages.site.flows import reached_raw
from python_stages.site.lineage import Lineage

INDEX: Final = "index.html"
PRIVACY: Final = "privacy.html"


@dataclass(frozen=True, slots=True)
class Link:
    """A page beside the report."""

    name: str
    href: str
    what: str


@dataclass(frozen=True, slots=True)
class Pages:
    """Draws the pages of one report.

    Args:
        report: what they say.
        lineage: what the columns are made of, and dbt's manifest.
        elsewhere: what else the site has: lineage, documentation, files for machines.
        has_data_docs: whether the pages of Great Expectations lie beside these.
    """

    report: Report
    lineage: Lineage
    elsewhere: tuple[Link, ...] = ()
    has_data_docs: bool = False

    def all(self) -> dict[str, str]:
        """Return the HTML of each page, by its path in the site."""
        pages = {INDEX: self.index()}
        pages[PRIVACY] = self.privacy()
        pages |= {dataset_page(one): self.dataset(one) for one in self.report.datasets}
        pages |= {model_page(one): self.model(one) for one in self.report.models}
        return pages

    def index(self) -> str:
        """Return the first page."""
        heads, history = rows.history(self.report.history)
        return self.render(
            "index.html.j2",
            INDEX,
            change_rows=rows.changes(self.report.changes),
            has_before=len({one.built_at for one in self.report.history}) > 1,
            history_heads=heads,
            history_rows=history,
        )

    def dataset(self, dataset: Dataset) -> str:
        """Return the page of a dataset."""
        small = self.report.small_count
        drawn = {
            "funnel": charts.funnel(dataset.stages) if dataset.stages else "",
            "found": (
                charts.found(dataset.masked.found, small)
                if dataset.masked and dataset.masked.found
                else ""
            ),
            "recall": charts.recall(dataset.recalls) if dataset.recalls else "",
            "balance": charts.balance(dataset.classes, small) if dataset.classes else "",
            "tokens": charts.tokens(dataset.tokens, small) if dataset.tokens else "",
        }
        return self.render(
            "dataset.html.j2",
            dataset_page(dataset),
            d=dataset,
            data_docs=data_docs.page_of(dataset.name) if self.has_data_docs else None,
            jobs=[one for one in self.report.models if one.dataset == dataset.name],
            in_use=next(
                (m for m in self.report.models if m.job_key == dataset.change_log.in_use), None
            ),
            charts={name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704 - drawn by us
            **rows.dataset(dataset),
        )

    def model(self, model: Model) -> str:
        """Return the page of a model."""
        names = {one.name for one in self.report.datasets}
        return self.render(
            "model.html.j2",
            model_page(model),
            j=model,
            home=model.home if model.home in names else None,
            charts=_drawn(model),
            **rows.model(model),
        )

    def privacy(self) -> str:
        """Return the page of the privacy lineage."""
        return self.render(
            "privacy.html.j2",
            PRIVACY,
            drawings=[
                {
                    "name": one.name,
                    "sentence": flow_sentence(one),
                    "svg": _flow_svg(one),
                    **rows.flows(one.flows),
                }
                for one in self.report.datasets
                if one.flows
            ],
            lineage=rows.lineage(self.lineage),
        )

    def render(self, template: str, here: str, **values: object) -> str:
        """Return a page: a template with what every page has."""
        return (
            _environment()
            .get_template(template)
            .render(
                report=self.report,
                here=here,
                nav=self._nav(),
                elsewhere=self.elsewhere,
                has_docs=any(one.href.startswith("dbt/") for one in self.elsewhere),
                models=self.lineage.manifest.models(),
                tests=self.lineage.manifest.tests_of,
                style=Markup(style()),  # noqa: S704 - our own file
                policy=policy(style()),
                **values,
            )
        )

    def _nav(self) -> tuple[Link, ...]:
        datasets = [Link(one.name, dataset_page(one), "") for one in self.report.datasets]
        return (
            Link("Report", INDEX, ""),
            *datasets,
            Link("Privacy lineage", PRIVACY, ""),
            *(one for one in self.elsewhere if one.href.endswith(".html")),
        )


def dataset_page(dataset: Dataset) -> str:
    """Return the path of a dataset's page in the site."""
    return f"dataset-{dataset.name}.html"


def model_page(model: Model) -> str:
    """Return the path of a model's page in the site."""
    return f"model-{model.job_key[:12]}.html"


def flow_sentence(dataset: Dataset) -> str:
    """Return what the lineage of a dataset shows."""
    reached = reached_raw(dataset.flows)
    if reached:
        return f"{', '.join(reached)}: reaches the sealed lines as the source has it."
    arrives, noised = (
        [
            one.column
            for one in dataset.flows
            if one.privacy in {"sensitive", "quasi"} and one.stops[-1].passage is passage
        ]
        for passage in (Passage.RAW, Passage.NOISED)
    )
    rest = f" What stays of a person: {', '.join(arrives)}." if arrives else ""
    rest += f" With noise on it: {', '.join(noised)}." if noised else ""
    return (
        "No column that identifies a person by itself, and no free text, reaches the sealed lines "
        f"as the source has it.{rest}"
    )


def _flow_svg(dataset: Dataset) -> Markup:
    shown = [one for one in dataset.flows if one.privacy != "none"]
    sentence = flow_sentence(dataset)
    return Markup(privacy_drawing.draw(shown, sentence) if shown else "")  # noqa: S704 - drawn by us


def _drawn(model: Model) -> Mapping[str, Any]:
    """Draw what there is of a model."""
    kinds = sorted({one.metric.rpartition("_")[2] for one in model.curve})
    metrics = [
        one
        for one in dict.fromkeys(score.metric for score in model.scores)
        if one not in {"answered_share", "invalid_label_rate"}
    ]
    roles = [one for one in ("tuned", "base") if any(cell.role == one for cell in model.confusion)]
    audit = model.audit
    exposed = (
        [one for one in audit.rows if one.measure == "exposure_bits" and one.role == "tuned"]
        if audit
        else []
    )
    has_epsilon = audit is not None and audit.epsilon_shown is not None
    safe = Markup
    return {
        "curves": [safe(model_charts.curve(model.curve, one)) for one in kinds],
        "scores": [safe(model_charts.scores(model.scores, one)) for one in metrics],
        "confusion": [(one, safe(model_charts.confusion(model.confusion, one))) for one in roles],
        "exposure": safe(model_charts.exposure(exposed)) if exposed else "",
        "epsilon": (
            safe(
                model_charts.epsilon(audit.epsilon_claimed, audit.epsilon_shown, audit.epsilon_max)
            )
            if audit and has_epsilon
            else ""
        ),
    }


def policy(css: str) -> str:
    """Return the Content-Security-Policy of a page that has this style and no script."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


@cache
def style() -> str:
    """Return the style of every page."""
    return files("python_stages.site").joinpath("templates/style.css").read_text("utf-8").strip()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("python_stages.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": _number,
        "cell": _cell,
        "time": _time,
        "short": _short,
        "page": model_page,
    }
    return environment


def _number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _short(test: str) -> str:
    """Return a test's name, which dbt makes of all its arguments, at a length for reading."""
    longest = 60
    return test if len(test) <= longest else f"{test[: longest - 1]}…"


def _cell(value: object) -> str:
    """Return what a cell of a table shows; None is a count that is too small to show."""
    match value:
        case None:
            return "few"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.3f}"
        case _:
            return str(value)
