"""Presidio without models, network or logs; everything that needs its seconds-long import.

The pipeline under it is a blank spaCy one that only splits words: nothing is loaded from disk.
"""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from python_stages.errors import StageError
from python_stages.scrub import recognizers

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpEngine
    from spacy.language import Language

LANGUAGE: Final = "en"

_LOGGER: Final = logging.getLogger("presidio-analyzer")

Result = TypeVar("Result")


class _Silence(logging.Filter):
    """Withholds every record from every handler: Presidio quotes the text in some. Counts them."""

    n_withheld = 0

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # not to be looked at
        """Count and withhold a record."""
        self.n_withheld += 1
        return False


_SILENCE: Final = _Silence()


def sealed(work: str, do: Callable[[], Result]) -> Result:
    """Do some work with a library and let no error of it out, whose message may quote the text.

    Raises:
        StageError: the library failed, or gave up on a pattern, which it only logs.
    """
    failure = ""
    n_withheld = _SILENCE.n_withheld
    try:
        outcome = do()
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not be seen
        failure = type(error).__name__
    if _SILENCE.n_withheld > n_withheld:
        failure = failure or "a pattern that took too long, most likely"
    if failure:  # raised out here, so that the original is not even attached as context
        raise StageError(
            f"the {work} for identifiers failed on a text ({failure}): "
            "the text was not let through; find it by halving the input",
        )
    return outcome


def analyzer(entities: Sequence[str], words: "Language") -> Any:
    """Return an analyser of exactly these entities."""
    from presidio_analyzer import (  # noqa: PLC0415  # takes seconds
        AnalyzerEngine,
        LemmaContextAwareEnhancer,
        RecognizerRegistry,
    )

    _LOGGER.setLevel(logging.WARNING)
    _LOGGER.addFilter(_SILENCE)
    return AnalyzerEngine(
        registry=RecognizerRegistry(
            recognizers.build(entities),
            supported_languages=[LANGUAGE],
        ),
        nlp_engine=_nlp_engine(words),
        supported_languages=[LANGUAGE],
        # As substrings, `lic` would be found in `public` and `tin` in `listing`.
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )


def word_splitter() -> "Language":
    """Return a pipeline that only splits English words: no model, so nothing to download."""
    import spacy  # noqa: PLC0415  # takes seconds

    return spacy.blank(LANGUAGE)


def _nlp_engine(words: "Language") -> "NlpEngine":
    """Return Presidio's view of the word splitter."""
    from presidio_analyzer.nlp_engine import (  # noqa: PLC0415  # takes seconds
        NlpArtifacts,
        SlimSpacyNlpEngine,
    )

    class BlankNlpEngine(SlimSpacyNlpEngine):
        """A blank pipeline has no lemmas, and context words would silently never be found."""

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            """Split one text and give its words in lower case for lemmas."""
            doc = words.make_doc(text)
            return NlpArtifacts(
                entities=[],
                tokens=doc,
                tokens_indices=[token.idx for token in doc],
                lemmas=[token.lower_ for token in doc],
                nlp_engine=self,
                language=language,
            )

    engine = BlankNlpEngine(auto_download=False)
    engine.nlp = {LANGUAGE: words}  # type: ignore[assignment]  # declared as None, filled by load
    return engine


def anonymizer() -> Any:
    """Return presidio-anonymizer's engine."""
    from presidio_anonymizer import AnonymizerEngine  # noqa: PLC0415  # takes seconds

    return AnonymizerEngine()  # type: ignore[no-untyped-call]  # its constructor has no types


def operators(operators: Mapping[str, str]) -> dict[str, Any]:
    """Translate our operators into presidio-anonymizer's."""
    from presidio_anonymizer.entities import OperatorConfig  # noqa: PLC0415  # takes seconds

    mask = {"masking_char": "*", "chars_to_mask": sys.maxsize, "from_end": False}
    return {
        entity: OperatorConfig("mask", mask)
        if operator == "mask"
        else OperatorConfig("replace", {"new_value": f"[{entity}]"})
        for entity, operator in operators.items()
    }


def result(entity: str, start: int, end: int, score: float) -> Any:
    """Return one finding as presidio-anonymizer takes it."""
    from presidio_anonymizer.entities import (  # noqa: PLC0415  # takes seconds
        RecognizerResult,
    )

    return RecognizerResult(entity, start, end, score)
