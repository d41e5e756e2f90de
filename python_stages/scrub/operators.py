"""What becomes of a finding: operators of presidio-anonymizer, three of them ours.

    placeholder    [CREDIT_CARD]                       replace
    mask           ****, as long as the value          mask
    drop           nothing                             redact
    pseudonym      [PERSON_3f9a…]                      pseudonym.py
    surrogate      another of the same form            surrogate.py
    generalise     the month of a date, and so on      generalise.py

The same text, findings, rule and key give the same result, in every thread and on every machine.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from python_stages.errors import ConfigError, StageError
from python_stages.scrub.generalise import generalise
from python_stages.scrub.policy import KEYED, Rule
from python_stages.scrub.presidio import sealed
from python_stages.scrub.pseudonym import Pseudonyms
from python_stages.scrub.real_values import RealValues
from python_stages.scrub.surrogate import Surrogates

if TYPE_CHECKING:
    from python_stages.scrub.engine import Finding

UNREADABLE: Final = "UNREADABLE"
"""Entity of a text that cannot be read, all of which becomes `[UNREADABLE]` under every rule."""

# presidio-anonymizer copies the whole text for every finding
_FINDINGS_PER_PIECE: Final = 32
_VALUES_REMEMBERED: Final = 65_536

Record = Callable[[str, str, str], None]


class Replacer:
    """Replaces what was found in texts; may be used by threads.

    Args:
        key: `KeyRing.hmac_key(f"{dataset}.pseudonym")`; None where no rule has a pseudonym or
            surrogate.
        dataset: name of the dataset.
        real: values that occur in the data, and so are no surrogates.
        record: told (entity, pseudonym or surrogate, value), for a `ReversalMap`.

    Raises:
        ConfigError: the key or the dataset's name is none.
    """

    def __init__(
        self,
        key: bytes | None = None,
        dataset: str = "",
        *,
        real: RealValues | None = None,
        record: Record | None = None,
    ) -> None:
        self._pseudonyms: Final = None if key is None else Pseudonyms(key, dataset)
        self._record: Final = record
        remembered = lru_cache(_VALUES_REMEMBERED)
        self._tag: Final = self._pseudonyms and remembered(self._pseudonyms.tag)
        self._surrogate: Final = self._pseudonyms and remembered(
            Surrogates(self._pseudonyms, real).of
        )
        self._engine: Any = None

    def replace(self, text: str, spans: Sequence["Finding"], rule: Rule) -> tuple[str, int]:
        """Return the text without what was found, and how many spans were replaced.

        Args:
            text: what was searched.
            spans: findings in it that do not overlap; all of them are replaced.
            rule: says how.

        Raises:
            ConfigError: the rule takes a key, and there is none.
            StageError: spans overlap or leave the text, or presidio-anonymizer failed.
        """
        if any(span.entity == UNREADABLE for span in spans):
            return f"[{UNREADABLE}]", 1
        if not spans:
            return text, 0
        ordered = sorted(spans, key=lambda span: (span.start, span.end))
        places = [0, *(place for span in ordered for place in (span.start, span.end)), len(text)]
        if any(start > end for start, end in pairwise(places)):
            raise StageError("findings overlap or leave their text: settle them before replacing")
        self._require_key(rule, ordered)
        pieces, end = [], 0
        for i in range(0, len(ordered), _FINDINGS_PER_PIECE):
            group = ordered[i : i + _FINDINGS_PER_PIECE]
            pieces += [text[end : group[0].start], self._replace(text, group, rule)]
            end = group[-1].end
        return "".join(pieces) + text[end:], len(ordered)

    def _replace(self, text: str, group: Sequence["Finding"], rule: Rule) -> str:
        """Return the piece of the text that some neighbouring findings span, without them."""
        start, end = group[0].start, group[-1].end
        done = sealed("replacement", lambda: self._anonymized(text[start:end], start, group, rule))
        if self._record is not None:
            # Presidio works from the end of a text to its beginning
            for one, item in zip(group, reversed(done.items), strict=True):
                if rule.operator(one.entity) in KEYED:
                    self._record(one.entity, item.text, text[one.start : one.end])
        return str(done.text)

    def _anonymized(self, piece: str, start: int, group: Sequence["Finding"], rule: Rule) -> Any:
        """Run presidio-anonymizer on a piece that begins at `start`."""
        from presidio_anonymizer.entities import (  # noqa: PLC0415  # takes seconds
            RecognizerResult,
        )

        return self._anonymizer().anonymize(
            piece,
            [
                RecognizerResult(one.entity, one.start - start, one.end - start, one.score)
                for one in group
            ],
            {
                one.entity: _config(rule.operator(one.entity), one.entity, rule.locale)
                for one in group
            },
            # two names with a blank between them are two people
            merge_entities_with_spaces=False,
        )

    def _require_key(self, rule: Rule, spans: Sequence["Finding"]) -> None:
        if self._pseudonyms is None and not KEYED.isdisjoint(
            rule.operator(one.entity) for one in spans
        ):
            raise ConfigError(
                "pseudonyms and surrogates need a key: make one with `sealtune keys init`"
            )

    def _anonymizer(self) -> Any:
        """Return presidio-anonymizer's engine with our operators, made at the first use."""
        if self._engine is None:
            from presidio_anonymizer import AnonymizerEngine  # noqa: PLC0415  # takes seconds

            engine = AnonymizerEngine()  # type: ignore[no-untyped-call]  # it has no types
            for name, work in (
                ("pseudonym", self._pseudonym),
                ("surrogate", self._surrogate_of),
                ("generalise", _generalised),
            ):
                engine.add_anonymizer(_operator_class(name, work))
            self._engine = engine
        return self._engine

    def _pseudonym(self, value: str, params: Mapping[str, str]) -> str:
        entity = params["entity_type"]
        return self._tag(entity, value) if self._tag else f"[{entity}]"

    def _surrogate_of(self, value: str, params: Mapping[str, str]) -> str:
        entity = params["entity_type"]
        return (
            self._surrogate(entity, value, params["locale"]) if self._surrogate else f"[{entity}]"
        )


def _generalised(value: str, params: Mapping[str, str]) -> str:
    return generalise(value, params["entity_type"], params["unit"], params["locale"])


@lru_cache(4096)
def _config(operator: str, entity: str, locale: str) -> Any:
    """Translate one of `policy.OPERATORS` into presidio-anonymizer's."""
    from presidio_anonymizer.entities import OperatorConfig  # noqa: PLC0415  # takes seconds

    name, _, unit = operator.partition(":")
    if name in ("pseudonym", "surrogate", "generalise"):
        return OperatorConfig(name, {"unit": unit, "locale": locale})
    if name == "mask":
        mask = {"masking_char": "*", "chars_to_mask": sys.maxsize, "from_end": False}
        return OperatorConfig("mask", mask)
    if name == "drop":
        return OperatorConfig("redact", {})
    return OperatorConfig("replace", {"new_value": f"[{entity}]"})


def _operator_class(name: str, work: Callable[[str, Mapping[str, str]], str]) -> Any:
    """Return an operator as presidio-anonymizer wants it: a class, which it makes for every use.

    Args:
        name: what configurations call it.
        work: (value, unit and locale and entity_type) -> what takes its place.
    """
    from presidio_anonymizer.operators import Operator, OperatorType  # noqa: PLC0415  # takes seconds

    class OurOperator(Operator):
        """One of sealtune's operators."""

        def operate(self, text: str, params: dict[str, str] | None = None) -> str:
            """Return what takes the place of a value."""
            return work(text, params or {})

        def validate(self, params: dict[str, str] | None = None) -> None:
            """Leave the check to the policy."""

        def operator_name(self) -> str:
            """Return what configurations call it."""
            return name

        def operator_type(self) -> Any:
            """Return that it replaces, and does not restore."""
            return OperatorType.Anonymize

    return OurOperator
