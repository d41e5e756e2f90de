"""How like its reference a text is: exact match and ROUGE-L.

ROUGE-L of a reference of m tokens and an answer of n tokens whose longest common subsequence has l
tokens: recall l/m, precision l/n, and their harmonic mean (the F-measure with beta = 1), 0 to 1; a
whole text counts as one sentence. Source: Lin, "ROUGE: A Package for Automatic Evaluation of
Summaries", 2004, section 3.1. Tokens are runs of letters, digits and underscores of any script
after NFKC and case folding, without stemming; Chinese characters and kana are a token each. Two
texts without a token agree.
"""

import re
import unicodedata
from typing import Final

_UNSPACED: Final = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # kana and Chinese characters
_TOKEN: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


def tokens(text: str) -> list[str]:
    """Return the tokens of a text, in order."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def rouge_l(reference: str, answer: str) -> float:
    """Return the ROUGE-L F-measure of an answer, 0 to 1."""
    # a build in which nothing is evaluated need not load it
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415 - see above

    wanted, given = tokens(reference), tokens(answer)
    if not wanted or not given:
        return float(wanted == given)
    n_common = LCSseq.similarity(wanted, given)
    return 2 * n_common / (len(wanted) + len(given))


def is_exact(reference: str, answer: str) -> bool:
    """Say whether an answer is its reference, but for blanks at the ends."""
    return reference.strip() == answer.strip()
