"""What Presidio finds out of the box, to compare with.

Its own recognisers and settings over the same language model, and nothing that this project adds:
no recognisers of ours, no second look, no disguises, nothing settled. The spaCy model that Presidio
takes by default is of another project; it can be named instead, where it is installed.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from python_stages.scrub import presidio
from python_stages.scrub.ner import second_look
from python_stages.scrub.ner.loading import load
from python_stages.scrub.settle import Finding


class Stock:
    """Finds what AnalyzerEngine finds.

    Args:
        entities: to look for.
        ner: the language model, as `Engine` takes it.
        min_score: findings below it are none.
    """

    def __init__(
        self, entities: frozenset[str], ner: str | Mapping[str, Any] | None, min_score: float
    ) -> None:
        language = load(ner)
        if second_look.NAME in language.pipe_names:
            language.remove_pipe(second_look.NAME)
        self._analyzer = presidio.out_of_the_box(language)
        known = set(self._analyzer.get_supported_entities(presidio.LANGUAGE))
        self.entities = tuple(sorted(entities & known))
        self._min_score = min_score

    def find(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Return what is found in each text."""
        return [presidio.sealed("search", partial(self._spans, text)) for text in texts]

    def _spans(self, text: str) -> list[Finding]:
        if not self.entities:  # of none, Presidio would take its own choice
            return []
        found = self._analyzer.analyze(
            text, presidio.LANGUAGE, entities=list(self.entities), score_threshold=self._min_score
        )
        return [Finding(each.entity_type, each.start, each.end, each.score) for each in found]
