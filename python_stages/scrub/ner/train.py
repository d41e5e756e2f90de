# ruff: noqa: S311  # chance that can be repeated is the point; there is no secret in it
"""Train the shipped model: `python -m python_stages.scrub.ner.train`.

Every epoch writes new texts, so that nothing is learnt by heart. One seed gives one model on one
kind of machine; floating-point sums differ in their last digits between kinds of processors, and
between numbers of threads, so one thread multiplies.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from python_stages.scrub.ner import card, pipeline
from python_stages.scrub.ner.generate.documents import Writer
from python_stages.scrub.ner.generate.labelled import Document, Span
from python_stages.scrub.ner.scores import Scores

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.training import Example

SEED: Final = 20_261_122
EPOCHS: Final = 4
DOCUMENTS: Final = 30_000  # written and learnt in an epoch
N_SAMPLES: Final = 100  # documents from which the pipeline takes its labels
BATCH_WORDS: Final = (400, 1500)  # of a batch: in the first epoch, after the last
DROPOUT: Final = (0.2, 0.1)
LEARN_RATE: Final = (0.002, 0.00005)
MEASURED: Final = 3000  # held-out documents, and as many texts without entities
ONLY_NEGATIVES: Final = 100  # percent

Progress = Callable[[int, float], None]


def examples(nlp: "Language", documents: Iterator[Document]) -> list["Example"]:
    """Put the entities of documents on tokens. A token that is half in an entity counts to it."""
    from spacy.training import Example  # noqa: PLC0415  # takes seconds

    made = []
    for text, spans in documents:
        reference = nlp.make_doc(text)
        entities = []
        first_free = 0
        for start, end, label in spans:
            entity = reference.char_span(start, end, label, alignment_mode="expand")
            if entity is not None and entity.start >= first_free and text[start:end].strip():
                entities.append(entity)
                first_free = entity.end
        reference.set_ents(entities)
        made.append(Example(nlp.make_doc(text), reference))
    return made


def _batches(made: Sequence["Example"], n_words: float) -> Iterator[list["Example"]]:
    batch: list[Example] = []
    size = 0
    for example in made:
        batch.append(example)
        size += len(example.reference)
        if size >= n_words:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _between(ends: tuple[float, float], done: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * done


def train(
    *,
    seed: int = SEED,
    epochs: int = EPOCHS,
    documents: int = DOCUMENTS,
    progress: Progress = lambda _epoch, _loss: None,
) -> "Language":
    """Train a model.

    Args:
        seed: of the texts, of the first weights and of the dropout.
        epochs: how often to write and to learn.
        documents: how many texts to write in an epoch.
        progress: is told the epoch and its loss.
    """
    from thinc.api import (  # noqa: PLC0415  # takes seconds
        Adam,
        NumpyOps,
        fix_random_seed,
        use_ops,
    )
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  # finds what is loaded by now

    from python_stages.scrub.ner import exact  # noqa: PLC0415  # imports thinc

    random = Random(seed)
    writer = Writer()
    # numpy multiplies matrices several times as fast as thinc's own BLIS
    with threadpool_limits(1, user_api="blas"), use_ops(NumpyOps.name, use_blis=False):

        def untrained() -> "Language":
            nlp = pipeline.untrained()
            sample = examples(nlp, writer.documents(Random(seed), N_SAMPLES))
            fix_random_seed(seed)  # of weights and dropout; here, for imports draw numbers as well
            nlp.initialize(lambda: sample)
            return nlp

        nlp = untrained()
        ner: Any = nlp.get_pipe("ner")  # updated itself: the pipeline would copy every text first
        optimizer = Adam(
            LEARN_RATE[0], L2=0.01, L2_is_weight_decay=True, grad_clip=1.0, use_averages=True
        )
        seen = 0
        for epoch in range(epochs):
            losses: dict[str, float] = {}
            made = examples(nlp, writer.documents(random, documents))
            for batch in _batches(made, _between(BATCH_WORDS, epoch / epochs)):
                done = seen / (epochs * documents)
                optimizer.learn_rate = _between(LEARN_RATE, done)
                ner.update(batch, drop=_between(DROPOUT, done), sgd=optimizer, losses=losses)
                seen += len(batch)
            progress(epoch, float(losses["ner"]))
        with nlp.use_params(optimizer.averages):
            averaged = nlp.to_bytes()
        trained = untrained()
        trained.from_bytes(averaged, exclude=["vocab"])  # of words that are looked up nowhere
        exact.round_weights(trained)
    trained.meta.update(card.META)
    return exact.use(trained)


def measure(nlp: "Language", documents: Sequence[Document]) -> Scores:
    """Count what a model finds in documents."""
    scores = Scores()
    for (_, spans), found in zip(documents, nlp.pipe(text for text, _ in documents), strict=True):
        scores.add(spans, [Span(ent.start_char, ent.end_char, ent.label_) for ent in found.ents])
    return scores


def held_out(seed: int, count: int) -> tuple[list[Document], list[Document]]:
    """Return documents of templates that no training sees, of all kinds and of negatives alone."""
    mixed = Writer(is_held_out=True).documents(Random(seed + 1), count)
    negatives = Writer(is_held_out=True, negative=ONLY_NEGATIVES).documents(Random(seed + 2), count)
    return list(mixed), list(negatives)


def summaries(nlp: "Language", seed: int) -> dict[str, dict[str, Any]]:
    """Return the scores of a model on held-out templates, by set."""
    mixed, negatives = held_out(seed, MEASURED)
    return {
        "held_out_templates": measure(nlp, mixed).summary(),
        "held_out_negatives": measure(nlp, negatives).summary(),
    }


def main(
    folder: Annotated[Path, typer.Option(help="where the model goes")] = card.MODEL,
    seed: int = SEED,
    epochs: int = EPOCHS,
    documents: int = DOCUMENTS,
) -> None:
    """Train, measure, and write the model with its scores and its card."""

    def progress(epoch: int, loss: float) -> None:
        typer.echo(f"epoch {epoch + 1} of {epochs}: loss {loss / documents:.3f} per document")

    nlp = train(seed=seed, epochs=epochs, documents=documents, progress=progress)
    if folder.exists():
        shutil.rmtree(folder)
    nlp.to_disk(folder)
    training = card.Training(seed=seed, epochs=epochs, documents=documents)
    card.write(folder, training, summaries(nlp, seed))
    typer.echo(card.scores_of(folder))


if __name__ == "__main__":
    typer.run(main)
