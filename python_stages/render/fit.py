"""Long texts are cut to a budget of tokens, once they are scrubbed.

What is cut out of a user message is its middle: instructions stand at either end, and beginning and
end of a long text say most about it (Sun et al. 2019, arXiv 1905.05583, section 5.3.1). The answer
is never touched; services would cut a long example at its end, where the answer stands. It is done
behind the scrub stage, and between words, so that half an identifier is left nowhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import regex  # type: ignore[import-untyped]  # its stubs are a package of their own

from python_stages.errors import ConfigError, StageError

N_CUT: Final = pa.field("n_cut_tokens", pa.int32())

# the macro `estimate_tokens`, as RE2 reads it
_TOKEN: Final = regex.compile(r"\p{L}{1,6}|\p{N}{1,3}|[^\t\n\f\r \p{L}\p{N}]")
_MARK: Final = "\n[…]\n"
_HEAD_SHARE: Final = 2 / 3
_TOKENS_PER_MESSAGE: Final = 3
_LEAST: Final = 16


def count_tokens(text: str) -> int:
    """Return the estimated tokens of a text, as the macro `estimate_tokens` counts them."""
    return sum(1 for _ in _TOKEN.finditer(text))


def count_conversation(system: str | None, user: str, assistant: str) -> int:
    """Return the estimated tokens of a conversation, those of the chat format included."""
    texts = [text for text in (system, user, assistant) if text is not None]
    return sum(map(count_tokens, texts)) + _TOKENS_PER_MESSAGE * (len(texts) + 1)


def max_tokens(config: Mapping[str, Any] | None) -> int | None:
    """Read the `fit` settings: the budget of a whole conversation, or None for none.

    Raises:
        ConfigError: it is no whole number, or a setting is unknown.
    """
    if config is None:
        return None
    budget = config.get("max_tokens")
    if set(config) != {"max_tokens"} or not isinstance(budget, int) or budget < _LEAST:
        raise ConfigError(f"fit takes max_tokens, a whole number of at least {_LEAST}")
    return budget


def fit(batches: Iterable[pa.RecordBatch], budget: int | None) -> Iterator[pa.RecordBatch]:
    """Cut the user texts of conversations that are over budget.

    Args:
        batches: with system_text, user_text and assistant_text.
        budget: tokens of a conversation, the chat format's own included; None cuts nothing.

    Returns:
        The same rows, and in N_CUT how many tokens each of them lost.

    Raises:
        StageError: system message and answer alone are over budget.
    """
    for batch in batches:
        if budget is None:
            yield batch.append_column(N_CUT, pa.repeat(pa.scalar(0, N_CUT.type), batch.num_rows))
            continue
        names = ("system_text", "user_text", "assistant_text")
        columns = [batch.column(name).to_pylist() for name in names]
        questions = [
            fitted_question(system, user, assistant, budget)
            for system, user, assistant in zip(*columns, strict=True)
        ]
        place = batch.schema.get_field_index("user_text")
        arrays = batch.columns
        arrays[place] = pa.array([text for text, _ in questions], pa.string())
        arrays.append(pa.array([n for _, n in questions], N_CUT.type))
        yield pa.RecordBatch.from_arrays(arrays, schema=batch.schema.append(N_CUT))


def fitted_question(
    system: str | None, user: str | None, assistant: str | None, budget: int
) -> tuple[str | None, int]:
    """Return the question of a conversation cut to the budget, and how many tokens it lost.

    Raises:
        StageError: system message and answer alone are over budget.
    """
    if user is None or len(user) + len(system or "") <= budget // 2:
        return user, 0
    others = [text for text in (system, assistant) if text is not None]
    room = budget - sum(map(count_tokens, others)) - _TOKENS_PER_MESSAGE * (len(others) + 2)
    tokens = [match.span() for match in _TOKEN.finditer(user)]
    if len(tokens) <= room:
        return user, 0
    room -= count_tokens(_MARK)
    if room < _LEAST:
        raise StageError("system message and answer leave no room for the question: raise fit")
    n_head = int(room * _HEAD_SHARE)
    head, tail = tokens[n_head][0], tokens[len(tokens) - (room - n_head)][0]
    # between words, where there are any
    head = next((at for at in range(head, 0, -1) if user[at - 1].isspace()), head)
    tail = next((at for at in range(tail, len(user)) if user[at - 1].isspace()), tail)
    cut = user[:head].rstrip() + _MARK + user[tail:]
    return cut, len(tokens) - count_tokens(cut) + count_tokens(_MARK)
