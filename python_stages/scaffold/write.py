"""The files of a dataset's folder, from a proposal and the templates beside this file."""

import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from python_stages.errors import ConfigError
from python_stages.scaffold.propose import Proposal, Proposed

TEMPLATES: Final = Path(__file__).parent / "templates"
_MAX_TOKENS: Final = 1024
_CHAT: Final = ("system_text", "user_text", "assistant_text")


def new_folder(name: str, models: Path) -> Path:
    """Return where the folder of a dataset will be.

    Args:
        name: of the dataset: lower case, digits, underscores.
        models: the folder of all datasets.

    Raises:
        ConfigError: the name is none, there is such a folder, or none for datasets.
    """
    if not (name.isascii() and name.isidentifier() and name == name.lower()):
        raise ConfigError("a dataset's name has lower-case letters, digits and underscores")
    folder = models / name
    if folder.exists():
        raise ConfigError(f"{folder} is there already; choose another name, or remove it")
    if not models.is_dir():
        raise ConfigError(f"there is no folder {models}; run this in a sealtune project")
    return folder


def write_folder(proposal: Proposal, name: str, location: str, models: Path) -> list[Path]:
    """Write the folder of a dataset; all of it or nothing.

    Args:
        proposal: what its columns are and what it teaches.
        name: of the dataset: lower case, digits, underscores.
        location: where its file lies, as a var would say it.
        models: the folder of all datasets.

    Returns:
        What was written, in order.

    Raises:
        ConfigError: see `new_folder`.
    """
    folder = new_folder(name, models)
    context = _context(proposal, name, location)
    with tempfile.TemporaryDirectory(dir=models, prefix=f".{name}-") as partial:
        for template in sorted(TEMPLATES.iterdir()):
            text = _environment().get_template(template.name).render(context)
            path = Path(partial) / template.name.removesuffix(".j2").replace("NAME", name)
            path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        shutil.copytree(partial, folder)
    return sorted(folder.iterdir())


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML and SQL, no HTML
    )
    environment.filters["tojson"] = _quoted
    return environment


def _quoted(value: object) -> str:
    """Return a text as YAML writes it between single quotes."""
    return "'" + str(value).replace("'", "''") + "'"


def _context(proposal: Proposal, name: str, location: str) -> dict[str, Any]:
    direct = proposal.of("direct")
    label = proposal.label or "task"
    shown = [
        one
        for one in proposal.of("none", "quasi", "free_text", "sensitive")
        if one.name not in {proposal.label, proposal.answer, proposal.chat}
    ]
    carried = [f"denied_{one.name}" for one in direct]
    texts = list(_CHAT) if proposal.chat else [one.name for one in shown]
    if proposal.answer:
        texts.append(proposal.answer)
    subject = next((one.name for one in direct if one.column.n_cells), None)
    return {
        "name": name,
        "location": location,
        "columns": [_column(one, proposal) for one in proposal.columns],
        "stratum": label,
        "is_label_made": not proposal.label,
        "chat": proposal.chat,
        "usable": _usable(proposal),
        "direct": [one.name for one in direct],
        "texts": texts,
        "carried": carried,
        "subject": f"denied_{subject}" if subject else None,
        "record_start": "" if proposal.is_multiline else None,
        "max_tokens": _MAX_TOKENS,
        "label": f"Fine-tuned model of {name}",
        "render": _yaml(_render(proposal, shown, carried, label)),
        "scrub": _yaml(_scrub(proposal, direct)),
        "check": _yaml(_check(proposal)),
    }


def _usable(proposal: Proposal) -> str:
    """Return the SQL condition of rows that teach something."""
    if proposal.chat:
        return "user_text <> '' and assistant_text <> ''"
    taught = filter(None, (proposal.label, proposal.answer))
    return " and ".join(f"{one} is not null" for one in taught)


def _column(one: Proposed, proposal: Proposal) -> dict[str, Any]:
    needed = {proposal.label, proposal.answer, proposal.chat}
    counts = ", ".join(f"{entity} {n}" for entity, n in one.evidence.items())
    counts = counts or ("by its name" if one.privacy in {"quasi", "sensitive"} else "nothing found")
    quoted = '"' + one.column.name.replace('"', '""') + '"'
    return {
        "source": one.column.name,
        "name": one.name,
        "select": f"nullif({quoted}, '') as {one.name}",
        "privacy": one.privacy,
        "description": f"{one.privacy}, as of {one.column.n_cells} cells: {counts}.",
        "rule": _rule(one, is_needed=one.name in needed),
    }


def _rule(one: Proposed, *, is_needed: bool) -> str:
    settings = []
    # where some lack what is to be learnt, they are not drawn, and no record is rejected for it
    if not is_needed or one.column.n_empty:
        settings.append("is_required: false")
    if is_needed or one.privacy == "free_text":
        settings.append("is_clean: true")
    return f"{{{', '.join(settings)}}}"


def _render(
    proposal: Proposal, shown: list[Proposed], carried: list[str], label: str
) -> dict[str, Any]:
    if proposal.chat:
        return {
            "label_column": label,
            "carry": carried,
            "system": "{system_text:lines}",
            "instructions": ["{description}"],
            "templates": ["{user_text:lines}"],
            "answers": ["{assistant_text:lines}"],
        }
    lines = [
        f"{one.name}: {{{one.name}{':lines' if one.privacy == 'free_text' else ''}}}"
        for one in shown
    ]
    asked = proposal.answer or proposal.label
    question = f"What is the {asked.replace('_', ' ')} of this record?"
    render = {
        "label_column": label,
        "carry": carried,
        "system": None,
        "instructions": [f"{question}\n\n{{description}}", f"{{description}}\n\n{question}"],
        "templates": ["\n".join(lines)],
    }
    return render | ({"answers": [f"{{{proposal.answer}:lines}}"]} if proposal.answer else {})


def _scrub(proposal: Proposal, direct: list[Proposed]) -> dict[str, Any]:
    deny = {f"denied_{one.name}": one.entity for one in direct}
    rule: dict[str, Any] = {"entities": ["identifiers", "PERSON"]}
    if deny:
        rule["deny_from"] = deny
    is_text = bool(proposal.answer or proposal.chat)
    return {
        "system_text": rule if proposal.chat else {"operator": "keep"},
        "user_text": rule,
        "assistant_text": rule if is_text else {"operator": "keep"},
        **{name: {"operator": "drop"} for name in deny},
    }


def _check(proposal: Proposal) -> dict[str, Any]:
    is_text = bool(proposal.answer or proposal.chat)
    return {
        "labels": "any",
        "answers": "text" if is_text else "label",
        "pii_entities": ["identifiers"],
        "max_tokens_per_example": _MAX_TOKENS,
        # a task that is one class is all of it
        "max_class_share": 0.9 if proposal.label else 1.0,
    }


def _yaml(settings: dict[str, Any]) -> str:
    """Return settings as YAML; long texts stay on their line, and nothing is an alias."""

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    return yaml.dump(
        settings, Dumper=Plain, sort_keys=False, width=10_000, allow_unicode=True
    ).rstrip()
