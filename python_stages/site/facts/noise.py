"""What the report says about differentially private noise on a dataset."""

from dataclasses import dataclass

from python_stages.site.facts.verdict import Fact


@dataclass(frozen=True, slots=True)
class NoisyColumn(Fact):
    """A column whose values got noise before they were worded."""

    column: str
    """Column of `*_sampled`."""
    is_current: bool
    """Whether noise is asked for now; else the column is given as it is, and these draws are
    older."""
    epsilon: float | None
    """What a draw may spend now; null where no noise is asked for any more."""
    lower: float | None
    """Least value, which smaller ones become, before and after the noise."""
    upper: float | None
    """Greatest value, which greater ones become."""
    n_draws: int
    """Draws in all builds."""
    most_draws: int
    """Most draws of one row: more than one where the settings changed."""
    epsilon_spent: float
    """What a record was spent on at most: the sum over the draws of the row with the most, and one
    draw of each build that drew for rows that are gone, since a record that changes becomes another
    row."""


@dataclass(frozen=True, slots=True)
class PrivateCounts(Fact):
    """Counts of classes that are shown with noise."""

    is_current: bool
    """Whether they are asked for now; else they are shown as they are."""
    epsilon: float | None
    """What the counts of a version may spend; null where they are not asked for any more."""
    n_draws: int
    """How often they were drawn: once for each version of the dataset and each setting."""
    epsilon_spent: float
    """What an example that was in all of them was spent on: the sum over the draws."""


@dataclass(frozen=True, slots=True)
class Noise(Fact):
    """Differentially private noise on a dataset, and what it does not cover."""

    mechanism: str
    """What the noise is, and whose privacy map says the epsilon."""
    unit: str
    """What a guarantee is about, and what it means for people."""
    columns: tuple[NoisyColumn, ...]
    """Columns with noise, by name."""
    counts: PrivateCounts | None
    """Noise on the counts of classes; null where there never was any."""
    epsilon_total: float
    """Most that one record was spent on, over columns, counts and draws, by basic composition."""
    not_covered: tuple[str, ...]
    """What the epsilon says nothing about, a sentence each."""
