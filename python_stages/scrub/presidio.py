"""Presidio without downloads, network or logs; everything that needs its seconds-long import.

The language pipeline under it comes from this project or from the user, never from a download: a
blank spaCy one that only splits words, or one with a model that names people and places. Presidio
reads entities off it as it does off any other, and context words in lower case: a pipeline without
lemmas would silently never find one.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from python_stages.errors import ConfigError, SealtuneError, StageError
from python_stages.scrub import recognizers

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpEngine
    from spacy.language import Language
    from spacy.tokens import Doc

LANGUAGE: Final = "en"

NER_SCORE: Final = 0.85
"""How sure Presidio takes a model to be that does not say (NlpArtifacts)."""

SECONDS_PER_PATTERN: Final = 5.0
"""How long one expression may take on one window of a text; a thousandth of it is usual, and a busy
machine must not make a text unreadable."""

_LOGGER: Final = logging.getLogger("presidio-analyzer")

Result = TypeVar("Result")


class _Silence(logging.Filter):
    """Withholds every record from every handler: Presidio quotes the text in some. Counts them."""

    def __init__(self) -> None:
        super().__init__()
        self._of_thread = (
            threading.local()
        )  # what one thread gave up on, no other has to answer for

    @property
    def n_withheld(self) -> int:
        """Records withheld from this thread."""
        return getattr(self._of_thread, "n_withheld", 0)

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # not to be looked at
        """Count and withhold a record."""
        self._of_thread.n_withheld = self.n_withheld + 1
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
    except SealtuneError:
        raise
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


def analyzer(entities: Sequence[str], language: "Language") -> Any:
    """Return a stock AnalyzerEngine of exactly these entities.

    Args:
        entities: members of `recognizers.ENTITIES`, at least one: of none, Presidio would take its
            own choice.
        language: a pipeline of `word_splitter`, or one whose `doc.ents` name NER_ENTITIES.

    Raises:
        ConfigError: there is no entity.
    """
    if not entities:
        raise ConfigError("an analyser needs at least one entity to look for")
    from presidio_analyzer import (  # noqa: PLC0415  # takes seconds
        AnalyzerEngine,
        LemmaContextAwareEnhancer,
        RecognizerRegistry,
    )

    _keep_to_itself()
    return AnalyzerEngine(
        registry=RecognizerRegistry(
            [*recognizers.build(entities), *_named(entities, language)],
            supported_languages=[LANGUAGE],
        ),
        nlp_engine=_nlp_engine(language),
        supported_languages=[LANGUAGE],
        # As substrings, `lic` would be found in `public` and `tin` in `listing`.
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )


def out_of_the_box(language: "Language") -> Any:
    """Return an AnalyzerEngine with Presidio's own recognisers and settings, for comparison.

    Args:
        language: as `analyzer` takes it.
    """
    from presidio_analyzer import (  # noqa: PLC0415  # takes seconds
        AnalyzerEngine,
        RecognizerRegistry,
    )

    _keep_to_itself()
    nlp_engine = _nlp_engine(language)
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE], nlp_engine=nlp_engine)
    return AnalyzerEngine(registry=registry, nlp_engine=nlp_engine, supported_languages=[LANGUAGE])


def _keep_to_itself() -> None:
    """Have Presidio log nothing, ask nobody, and give up on an expression that takes too long."""
    import tldextract  # noqa: PLC0415  # takes long
    from presidio_analyzer import pattern_recognizer  # noqa: PLC0415  # takes seconds

    _LOGGER.setLevel(logging.WARNING)
    _LOGGER.addFilter(_SILENCE)
    # whoever asks for the public suffixes gets the packaged ones: the network is not asked
    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.extract = offline  # type: ignore[assignment]  # it is called as the function is
    pattern_recognizer.REGEX_TIMEOUT_SECONDS = SECONDS_PER_PATTERN  # type: ignore[assignment]  # int


def word_splitter() -> "Language":
    """Return a pipeline that only splits English words: no model, so nothing to download."""
    import spacy  # noqa: PLC0415  # takes seconds

    return spacy.blank(LANGUAGE)


def _named(entities: Sequence[str], language: "Language") -> list[Any]:
    """Return the recogniser of what the pipeline's model names, if it has one."""
    from presidio_analyzer.predefined_recognizers import (  # noqa: PLC0415  # takes seconds
        SpacyRecognizer,
    )

    named = sorted(set(entities) & set(recognizers.NER_ENTITIES))
    return [SpacyRecognizer(supported_entities=named)] if named and language.pipe_names else []


def _nlp_engine(language: "Language") -> "NlpEngine":
    """Return Presidio's view of a pipeline."""
    from presidio_analyzer.nlp_engine import (  # noqa: PLC0415  # takes seconds
        NlpArtifacts,
        SlimSpacyNlpEngine,
    )

    class LocalNlpEngine(SlimSpacyNlpEngine):
        """Gives the entities of the model, and words in lower case for lemmas."""

        def _doc_to_nlp_artifact(self, doc: "Doc", language: str) -> NlpArtifacts:
            return NlpArtifacts(
                entities=list(doc.ents),
                tokens=doc,
                tokens_indices=[token.idx for token in doc],
                lemmas=[token.lower_ for token in doc],
                nlp_engine=self,
                language=language,
            )

    engine = LocalNlpEngine(auto_download=False)
    engine.nlp = {LANGUAGE: language}  # type: ignore[assignment]  # declared as None, filled by load
    return engine
