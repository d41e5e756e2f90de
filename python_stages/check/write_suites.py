"""Write the suites, validation definitions and checkpoints under expectations/.

    python -m python_stages.check.write_suites

The rules stand here, once; the JSON is what Great Expectations reads and what people review. Ids
are derived from names, so that writing again changes nothing. `$PARAMETER` is filled in from the
dataset's config (CheckSpec.parameters).
"""

import importlib
import tempfile
import uuid
from pathlib import Path
from typing import Any, Final

import yaml

from python_stages.check.flags import SPLIT_CODES
from python_stages.check.runner import PROJECT_FILE, RESULT_FORMAT, open_context
from python_stages.check.suites import DEFAULT_FOLDER, FOLDERS, SUITES

_DATA_SOURCE: Final = "flags"
_BATCH_DEFINITION: Final = "whole"
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "sealtune/expectations")

_FLAG_DESCRIPTIONS = {
    "is_json": "messages are a JSON list of objects, no key twice",
    "is_single_line": "messages stand on one line, as JSONL needs",
    "is_clean_text": "texts are valid UTF-8 without control characters or decoding damage",
    "has_known_roles": "roles are system, user, assistant or tool",
    "has_ordered_roles": "roles follow one another as in a conversation",
    "has_last_assistant": "the last message is the assistant's",
    "has_contents": "no message is empty",
    "has_allowed_keys": "messages have no unknown key; weight is 0 or 1, on the assistant only",
    "is_free_of_special_tokens": "no text holds a special token like <|...|>",
    "is_label_known": "the label is one of the configured labels",
    "is_answer_label": "the assistant's text is the label, to the letter, where that is asked for",
}


def main(folder: Path = DEFAULT_FOLDER) -> None:
    """Write all files under `folder`, replacing what is there."""
    for name, text in render().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def render() -> dict[str, str]:
    """Return the text of every file by its path below expectations/."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / PROJECT_FILE).write_text(_render_project(), encoding="utf-8")
        ids = _write_definitions(folder)
        written = sorted(path for path in folder.rglob("*") if path.suffix in {".json", ".yml"})
        return {
            path.relative_to(folder).as_posix(): _replace(path.read_text("utf-8"), ids)
            for path in written
        }


def example_rules() -> list[Any]:
    """Return the expectations on the frame with one row per example."""
    gxe, ours = _expectations()

    return [
        *(
            gxe.ExpectColumnValuesToBeInSet(column=flag, value_set=[True], description=description)
            for flag, description in _FLAG_DESCRIPTIONS.items()
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="split_code",
            value_set=sorted(SPLIT_CODES.values()),
            description="the split is train or validation",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="n_tokens",
            min_value=1,
            max_value=_parameter("max_tokens_per_example"),
            description="the example fits its token budget; a longer one would lose its answer",
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="example_code", description="no example id occurs twice"
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="conversation_code", description="no conversation occurs twice"
        ),
        ours.ExpectSplitsToBeDisjoint(
            column="prompt_code",
            split_column="split_code",
            description="no prompt occurs in both training and validation",
        ),
        ours.ExpectLabelsToBeCovered(
            column="label_code",
            split_column="split_code",
            n_labels=_parameter("n_labels"),
            description="every configured label occurs in training, so validation asks no other",
        ),
        ours.ExpectClassSharesToBeWithin(
            column="label_code",
            split_column="split_code",
            n_labels=_parameter("n_labels"),
            min_share=_parameter("min_class_share"),
            max_share=_parameter("max_class_share"),
            description="no class is too rare or too common in training",
        ),
        ours.ExpectPersonalDataToBeAbsent(
            entities=_parameter("pii_entities"),
            description="no personal data is found in any system, user or assistant text",
        ),
    ]


def dataset_rules() -> list[Any]:
    """Return the expectations on the frame with one row for the dataset."""
    gxe, _ = _expectations()

    def between(column: str, least: Any, most: Any, description: str) -> Any:
        return gxe.ExpectColumnValuesToBeBetween(
            column=column, min_value=least, max_value=most, description=description
        )

    limit = _parameter("max_split_bytes")
    return [
        gxe.ExpectTableRowCountToEqual(value=1, description="there is one dataset"),
        between("n_train", _parameter("min_train_examples"), None, "training has enough examples"),
        between(
            "n_validation",
            _parameter("min_validation_examples"),
            None,
            "validation has enough examples",
        ),
        between("n_train_bytes", None, limit, "the training file is within the size limit"),
        between("n_validation_bytes", None, limit, "the validation file is within the size limit"),
        between(
            "reject_share",
            0,
            _parameter("max_reject_share"),
            "no more source rows were rejected than agreed",
        ),
        between("n_real_values", 0, 0, "no value of a real source stands in synthetic texts"),
    ]


def recall_rules() -> list[Any]:
    """Return the expectations on the frame with one row per planted entity and column."""
    gxe, _ = _expectations()

    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=_parameter("min_recall_rows"),
            description="the recall of planted personal data was measured, where people are meant",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="is_met",
            value_set=[True],
            description="planted personal data of every kind was masked as often as agreed",
        ),
    ]


def _parameter(name: str) -> dict[str, str]:
    return {"$PARAMETER": name}


def _expectations() -> tuple[Any, Any]:
    """Return the modules of the built-in expectations and of ours; importing them takes seconds."""
    return (
        importlib.import_module("great_expectations.expectations"),
        importlib.import_module("python_stages.check.expectations"),
    )


def _render_project() -> str:
    """Return the project file: definitions in folders beside it, results in memory."""
    stores = {
        "expectations_store": ("ExpectationsStore", FOLDERS.suites),
        "validation_definition_store": (
            "ValidationDefinitionStore",
            FOLDERS.validation_definitions,
        ),
        "checkpoint_store": ("CheckpointStore", FOLDERS.checkpoints),
    }
    assets = {
        name: {
            "type": "dataframe",
            "id": _lasting_id(_DATA_SOURCE, name),
            "batch_definitions": {
                _BATCH_DEFINITION: {"id": _lasting_id(_DATA_SOURCE, name, _BATCH_DEFINITION)}
            },
        }
        for name in SUITES
    }
    in_memory = {
        "class_name": "ValidationResultsStore",
        "store_backend": {"class_name": "InMemoryStoreBackend"},
    }
    project = {
        "config_version": 4.0,
        "analytics_enabled": False,
        "progress_bars": {"globally": False, "metric_calculations": False},
        "data_docs_sites": {},
        "expectations_store_name": "expectations_store",
        "checkpoint_store_name": "checkpoint_store",
        "validation_results_store_name": "validation_results_store",
        "stores": {
            name: {"class_name": class_name, "store_backend": _json_files(folder)}
            for name, (class_name, folder) in stores.items()
        }
        | {"validation_results_store": in_memory},
        "fluent_datasources": {
            _DATA_SOURCE: {"type": "pandas", "id": _lasting_id(_DATA_SOURCE), "assets": assets}
        },
    }
    text: str = yaml.safe_dump(project, sort_keys=False)
    return f"# Written by python_stages/check/write_suites.py.\n{text}"


def _json_files(folder: str) -> dict[str, Any]:
    return {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": f"{folder}/",
        "suppress_store_backend_id": True,
    }


def _write_definitions(folder: Path) -> dict[str, str]:
    """Let Great Expectations write its files; return the lasting id for each of its random ones."""
    context = open_context(folder)
    gx: Any = importlib.import_module("great_expectations")
    rules = {"examples": example_rules, "dataset": dataset_rules, "recall": recall_rules}
    ids: dict[str, str] = {}
    for name in SUITES:
        asset = context.data_sources.get(_DATA_SOURCE).get_asset(name)
        suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=rules[name]()))
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(
                name=name, data=asset.get_batch_definition(_BATCH_DEFINITION), suite=suite
            )
        )
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(
                name=name, validation_definitions=[definition], result_format=RESULT_FORMAT
            )
        )
        ids |= {
            suite.id: _lasting_id(FOLDERS.suites, name),
            definition.id: _lasting_id(FOLDERS.validation_definitions, name),
            checkpoint.id: _lasting_id(FOLDERS.checkpoints, name),
        }
        for rule in suite.expectations:
            # kind and column tell every rule from every other
            names = (rule.configuration.type, getattr(rule, "column", ""))
            ids[rule.id] = _lasting_id(FOLDERS.suites, name, *names)
    return ids


def _lasting_id(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


def _replace(text: str, ids: dict[str, str]) -> str:
    for random_id, lasting_id in ids.items():
        text = text.replace(random_id, lasting_id)
    return text.rstrip("\n") + "\n"


if __name__ == "__main__":
    main()
