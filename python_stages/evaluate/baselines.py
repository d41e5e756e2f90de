"""What a model has to beat: the commonest label, and word counts with a linear classifier."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from python_stages.evaluate.text_scores import tokens

MAX_TRAINING_EXAMPLES: Final = 20_000


def commonest(labels: Sequence[str], n: int) -> list[str]:
    """Return the commonest training label, the first by name among equals, `n` times."""
    counts = Counter(labels)
    (label, _), *_ = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [label] * n


def tf_idf(texts: Sequence[str], labels: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Return what logistic regression on TF-IDF of words and word pairs answers.

    Args:
        texts: training texts.
        labels: their labels.
        asked: texts to label.
    """
    # a build in which nothing is evaluated need not wait for these
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - see above
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - see above
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - see above

    if len(set(labels)) == 1 or not any(map(tokens, texts)):
        return commonest(labels, len(asked))
    words = TfidfVectorizer(
        tokenizer=tokens, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True
    )
    model = make_pipeline(words, LogisticRegression(C=10.0, max_iter=1_000))
    model.fit(list(texts), list(labels))
    return [str(label) for label in model.predict(list(asked))]
