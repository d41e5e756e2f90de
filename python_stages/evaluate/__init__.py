"""Answers in, numbers out: how good a tuned model is, beside its base model and two baselines.

    settings.py      what a dataset says about it
    tasks.py         what is asked: labels or texts; examples taken apart
    baselines.py     the commonest label, and word counts with a linear classifier
    scores.py        the metrics
    text_scores.py   exact match and ROUGE-L
    paired.py        two tuned models on the same examples
    intervals.py     bootstrap and Wilson intervals
    stage.py         the rows of the relations in models/outcomes

Pure: batches in, batches out, no files, no network, no dbt.
"""

from python_stages.evaluate.baselines import MAX_TRAINING_EXAMPLES, commonest, tf_idf
from python_stages.evaluate.intervals import Bootstrap
from python_stages.evaluate.settings import EvaluateSettings
from python_stages.evaluate.stage import (
    CLASSES_SCHEMA,
    EVALUATIONS_SCHEMA,
    PREDICTIONS_SCHEMA,
    Prediction,
    Role,
    evaluation_classes,
    evaluations,
    to_table,
)
from python_stages.evaluate.tasks import Example, Task, task_of

__all__ = [
    "CLASSES_SCHEMA",
    "EVALUATIONS_SCHEMA",
    "MAX_TRAINING_EXAMPLES",
    "PREDICTIONS_SCHEMA",
    "Bootstrap",
    "EvaluateSettings",
    "Example",
    "Prediction",
    "Role",
    "Task",
    "commonest",
    "evaluation_classes",
    "evaluations",
    "task_of",
    "tf_idf",
    "to_table",
]
