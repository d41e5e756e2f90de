"""What becomes of a correction once its row was scrubbed with it: beside the row as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from python_stages.feedback import Verdict
from python_stages.feedback.stand_ins import shown, stand_ins
from python_stages.render import count_conversation, fitted_question


@dataclass(frozen=True, slots=True)
class Row:
    """A row that an example was made of: as it is scrubbed, and how it was rendered."""

    row_id: str
    label: str
    user_text: str
    assistant_text: str
    rendered_user: str
    rendered_assistant: str

    @property
    def answers_label(self) -> bool:
        """Whether its answer is its label."""
        return self.label == self.rendered_assistant

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """What its scrubbed texts say in the place of something else."""
        return stand_ins(
            ((self.rendered_user, self.user_text), (self.rendered_assistant, self.assistant_text))
        )


@dataclass(frozen=True, slots=True)
class Corrected:
    """A row as it would be with its correction, its question whole."""

    label: str
    system_text: str | None
    user_text: str
    assistant_text: str
    n_masked: int
    n_unreadable: int


def settled(
    verdict: Verdict,
    examples: Mapping[str, Sequence[Row]],
    corrected: Mapping[str, Corrected],
    budget: int | None,
) -> tuple[Verdict, Corrected | None]:
    """Return what becomes of a record once it is scrubbed, and its text where it counts.

    Args:
        verdict: of the record alone.
        examples: the rows of each example, which agree in every scrubbed word.
        corrected: the rows with their corrections.
        budget: tokens of a conversation; None for no limit.
    """
    if verdict.correction is None:
        return verdict, None
    before = examples[str(verdict.record.example_id)]
    after = [_shown(corrected[one.row_id], one) for one in before]
    if (reason := _refusal(before, after, budget)) is not None:
        return verdict.rejected(reason), None
    if after[0].assistant_text != before[0].assistant_text:
        return verdict, after[0]
    return Verdict(verdict.record, "confirmed"), None


def _shown(after: Corrected, before: Row) -> Corrected:
    """Return a row with the stand-ins that its correction repeats."""
    return replace(after, assistant_text=shown(after.assistant_text, before.stand_ins))


def _refusal(before: Sequence[Row], after: Sequence[Corrected], budget: int | None) -> str | None:
    """Return why a correction cannot be used as it came out of the scrub stage, or None."""
    rows = tuple(zip(after, before, strict=True))
    if any(one.n_unreadable for one in after):
        return "answer_unreadable"
    if budget is not None and any(
        count_conversation(one.system_text, row.user_text, one.assistant_text) > budget
        for one, row in rows
    ):
        return "over_token_budget"  # the question would be cut for it
    if any(_question(one, row, budget) != row.user_text for one, row in rows):
        return "question_would_change"  # it names what was not seen there
    if len({(one.label, one.assistant_text) for one in after}) > 1:
        return "answer_ambiguous"  # it names somebody of one row alone
    is_same = after[0].assistant_text == before[0].assistant_text
    return "label_without_answer" if is_same and after[0].label != before[0].label else None


def _question(after: Corrected, before: Row, budget: int | None) -> str | None:
    """Return the question as it would be cut beside the answer that it had."""
    if budget is None:
        return after.user_text
    return fitted_question(after.system_text, after.user_text, before.assistant_text, budget)[0]
