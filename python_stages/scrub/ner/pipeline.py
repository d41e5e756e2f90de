"""The shape of the model: a blank English tokenizer, hashed word features, a small network.

Imports of spaCy stand inside the functions: it takes seconds.
"""

from typing import TYPE_CHECKING, Any, Final

from python_stages.scrub.ner.generate.labelled import LABELS

if TYPE_CHECKING:
    from spacy.language import Language

# Half the multiplications of spaCy's usual 4 layers of 3 pieces, and as good when trained longer.
WIDTH: Final = 96
DEPTH: Final = 3
PIECES: Final = 2
# Feature and rows of its hash table; the tables are most of the model's size.
FEATURES: Final = {"NORM": 6000, "PREFIX": 800, "SUFFIX": 3000, "SHAPE": 1200}
HIDDEN: Final = 64
STATE_PIECES: Final = 3

# Forms, logs and JSON glue words to signs that English prose keeps apart.
SPLIT: Final = (r"[\"=:;,|<>\[\]{}()/\\_*#&•\u2013\u2014]",)
SPLIT_OFF: Final = (r"[=:;|<>{}@\\_*#&~•\u2013\u2014-]",)


def untrained() -> "Language":
    """Return a pipeline that knows nothing yet."""
    import spacy  # noqa: PLC0415  # takes seconds
    from spacy.util import (  # noqa: PLC0415  # the same
        compile_infix_regex,
        compile_prefix_regex,
        compile_suffix_regex,
    )

    nlp = spacy.blank("en")
    defaults: Any = nlp.Defaults
    tokenizer: Any = nlp.tokenizer
    tokenizer.infix_finditer = compile_infix_regex([*defaults.infixes, *SPLIT]).finditer
    tokenizer.prefix_search = compile_prefix_regex([*defaults.prefixes, *SPLIT_OFF]).search
    tokenizer.suffix_search = compile_suffix_regex([*defaults.suffixes, *SPLIT_OFF]).search
    tok2vec = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": WIDTH,
            "attrs": list(FEATURES),
            "rows": list(FEATURES.values()),
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": WIDTH,
            "window_size": 1,
            "maxout_pieces": PIECES,
            "depth": DEPTH,
        },
    }
    model = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": HIDDEN,
        "maxout_pieces": STATE_PIECES,
        "use_upper": False,  # the state's vector is the scores: no product at every word
        "tok2vec": tok2vec,
    }
    ner: Any = nlp.add_pipe("ner", config={"model": model})
    for label in LABELS:
        ner.add_label(label)
    return nlp
