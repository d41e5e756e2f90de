"""Our own expectations: what the built-in ones cannot say about a dataset of examples.

    ExpectSplitsToBeDisjoint        no group occurs in two splits
    ExpectClassSharesToBeWithin     no class is too rare or too common in the training split
    ExpectLabelsToBeCovered         every configured class occurs in the training split
    ExpectPersonalDataToBeAbsent    every entity was counted, and counted zero

Importing this module imports Great Expectations (seconds) and registers the four; a suite names
them by their snake-cased class name. All work on codes and counts, and all are metrics that count
what is wrong: an expectation holds where its metric is zero.
"""

from typing import Any, ClassVar

from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.suite_parameters import SuiteParameterDict
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from python_stages.check.counts import count_failures
from python_stages.check.flags import Frame


def _frame(engine: PandasExecutionEngine, domain: dict[str, Any]) -> Frame:
    table, _, _ = engine.get_compute_domain(domain, domain_type=MetricDomainTypes.TABLE)
    return {name: table[name].to_numpy() for name in table.columns}


class _Count(TableMetricProvider):
    """A metric that counts what breaks the rule `kind` (see counts.py) in the whole table."""

    kind: ClassVar[str] = ""

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805 - Great Expectations calls it with the class
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> int:
        frame = _frame(execution_engine, metric_domain_kwargs)
        return count_failures(cls.kind, metric_value_kwargs, frame)


class SplitOverlap(_Count):
    """Rows whose group occurs in more than one split."""

    metric_name = "table.sealtune.split_overlap"
    value_keys = ("column", "split_column")
    kind = "expect_splits_to_be_disjoint"


class ClassSharesOutside(_Count):
    """Classes whose share of the training split is out of bounds."""

    metric_name = "table.sealtune.class_shares_outside"
    value_keys = ("column", "split_column", "n_labels", "min_share", "max_share")
    kind = "expect_class_shares_to_be_within"


class LabelsUncovered(_Count):
    """Configured classes without a training example."""

    metric_name = "table.sealtune.labels_uncovered"
    value_keys = ("column", "split_column", "n_labels")
    kind = "expect_labels_to_be_covered"


class PersonalDataFound(_Count):
    """Rows in which any of the entities was found."""

    metric_name = "table.sealtune.personal_data_found"
    value_keys = ("entities",)
    kind = "expect_personal_data_to_be_absent"


class _HoldsAtZero:
    """Validation shared by the four: the first metric dependency must be zero."""

    metric_dependencies: ClassVar[tuple[str, ...]]

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        count = metrics[self.metric_dependencies[0]]
        return {"success": count == 0, "result": {"observed_value": count}}


class ExpectSplitsToBeDisjoint(_HoldsAtZero, BatchExpectation):
    """Expect no group of `column` to occur in two values of `split_column`."""

    metric_dependencies = (SplitOverlap.metric_name,)
    success_keys = SplitOverlap.value_keys
    column: str
    split_column: str


class ExpectClassSharesToBeWithin(_HoldsAtZero, BatchExpectation):
    """Expect each class's share of the training split to lie in [min_share, max_share]."""

    metric_dependencies = (ClassSharesOutside.metric_name,)
    success_keys = ClassSharesOutside.value_keys
    column: str
    split_column: str
    n_labels: int | SuiteParameterDict[str, Any]
    min_share: float | SuiteParameterDict[str, Any]
    max_share: float | SuiteParameterDict[str, Any]


class ExpectLabelsToBeCovered(_HoldsAtZero, BatchExpectation):
    """Expect each of the `n_labels` configured classes to occur in the training split."""

    metric_dependencies = (LabelsUncovered.metric_name,)
    success_keys = LabelsUncovered.value_keys
    column: str
    split_column: str
    n_labels: int | SuiteParameterDict[str, Any]


class ExpectPersonalDataToBeAbsent(_HoldsAtZero, BatchExpectation):
    """Expect a column of counts for each entity, and zeros in it."""

    metric_dependencies = (PersonalDataFound.metric_name,)
    success_keys = PersonalDataFound.value_keys
    entities: list[str] | SuiteParameterDict[str, Any]
