"""The model's card and its scores: written when it is trained, from what was measured.

`python -m python_stages.scrub.ner.card NAME BEFORE AFTER` adds what `sealtune pii-eval --json`
wrote about a set of real text, with `--stock` (Presidio out of the box, over the same model) and
without, and writes the card anew.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import typer

MODEL: Final = Path(__file__).parent / "model"
SCORES: Final = "scores.json"
CARD: Final = "MODEL_CARD.md"
META: Final = {
    "name": "sealtune_ner",
    "version": "1.0.0",
    "description": "People, places, addresses, organisations and groups; trained on generated text",
    "license": "Apache-2.0",
}


@dataclass(frozen=True, slots=True)
class Training:
    """What makes the model what it is, besides the code."""

    seed: int
    epochs: int
    documents: int  # per epoch


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of a model's files, names included."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def size_mb(folder: Path) -> float:
    """Return the size of a model in megabytes."""
    return round(sum(path.stat().st_size for path in folder.rglob("*")) / 1e6, 1)


def scores_of(folder: Path) -> str:
    """Return the stored scores of a model, as JSON."""
    return (folder.parent / SCORES).read_text(encoding="utf-8")


def write(folder: Path, training: Training, generated: Mapping[str, Any]) -> None:
    """Write scores and card beside a newly trained model.

    Args:
        folder: of the model.
        training: how it was trained.
        generated: its scores on generated text, by set.
    """
    _write(
        folder,
        {
            "model_sha256": fingerprint(folder),
            "model_mb": size_mb(folder),
            "training": asdict(training),
            "generated": generated,
            "real": {},
        },
    )


def _write(folder: Path, scores: Mapping[str, Any]) -> None:
    text = json.dumps(scores, indent=2, sort_keys=True)
    (folder.parent / SCORES).write_text(text + "\n", encoding="utf-8")
    (folder.parent / CARD).write_text(render(json.loads(text)), encoding="utf-8")


def render(scores: Mapping[str, Any]) -> str:
    """Return the card of a model with these scores."""
    template = (resources.files(__package__) / "card.md").read_text(encoding="utf-8")
    training = scores["training"]
    return template.format(
        sha256=scores["model_sha256"],
        mb=scores["model_mb"],
        seed=training["seed"],
        epochs=training["epochs"],
        per_epoch=f"{training['documents']:,}",
        in_all=f"{training['epochs'] * training['documents']:,}",
        generated=_tables(scores["generated"]),
        real=_compared(scores["real"]) or "Not measured with this model yet.\n",
    )


def _tables(sets: Mapping[str, Any]) -> str:
    """Return a table of all sets, and one of their entities."""
    if not sets:
        return ""
    lines = [
        "| set | F2, IoU 0.9 | F2, IoU 0.7 | char recall | precision | false persons in 100 |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {each['span_f2']['0.9']} | {each['span_f2']['0.7']} | {each['char_recall']} "
        f"| {each['char_precision']} | {each['false_person_per_100']} |"
        for name, each in sorted(sets.items())
    ]
    lines += ["", "| set | entity | n | recall | precision |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {entity} | {found['n']} | {found['recall']} | {found['precision']} |"
        for name, each in sorted(sets.items())
        for entity, found in each["entities"].items()
    ]
    return "\n".join(lines) + "\n"


def _compared(sets: Mapping[str, Any]) -> str:
    """Return a table of all sets, and one of their entities, before and after."""
    if not sets:
        return ""
    lines = [
        "| set | F2, IoU 0.9 | IoU 0.7 | char recall | precision | clean | false persons in 100 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in sorted(sets.items()):
        columns = (
            *(_both(each, "span_f2", least) for least in ("0.9", "0.7")),
            *(_both(each, key) for key in ("char_recall", "char_precision", "clean_documents")),
            _both(each, "false_person_per_100"),
        )
        lines.append(f"| {name} | {' | '.join(columns)} |")
    lines += ["", "| set | entity | n | recall | precision |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {entity} | {found['n']} | {_both(each, 'entities', entity, 'recall')} "
        f"| {_both(each, 'entities', entity, 'precision')} |"
        for name, each in sorted(sets.items())
        for entity, found in each["after"]["entities"].items()
        if found["n"]
    ]
    return "\n".join(lines) + "\n"


def _both(each: Mapping[str, Any], *keys: str) -> str:
    """Return a score before and after; a dash where there is none."""

    def one(scores: Any) -> str:
        for key in keys:
            scores = (scores or {}).get(key)
        return "-" if scores is None else f"{scores:.3f}"

    return f"{one(each['before'])} → {one(each['after'])}"


def add(folder: Path, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Add the scores on a set of real text, and write the card anew.

    Args:
        folder: of the model.
        name: of the set.
        before: what Presidio finds out of the box, over this model.
        after: what the engine finds.
    """
    scores = json.loads(scores_of(folder))
    scores["real"][name] = {"before": before, "after": after}
    _write(folder, scores)


def main(name: str, before: Path, after: Path, folder: Path = MODEL) -> None:
    """Add what was measured on a set of real text."""
    measured = [json.loads(file.read_text(encoding="utf-8")) for file in (before, after)]
    add(folder, name, *measured)


if __name__ == "__main__":
    typer.run(main)
