"""How scrubbed rows become lines, in SQL: what Python asks as macros/chat_examples.sql writes it.

A test holds these texts to the macros (tests/macros/test_chat_examples.py).
"""

from typing import Final

# The exact text of a JSONL line, as the `*_sealed` views have it.
LINE_SQL: Final = "'{\"messages\": ' || messages || '}'"
# The conversation of a row of a `*_scrubbed` relation, as the `*_examples` have it.
MESSAGES_SQL: Final = """list_filter(
    [
        {'role': 'system', 'content': system_text},
        {'role': 'user', 'content': user_text},
        {'role': 'assistant', 'content': assistant_text}
    ],
    lambda message: message.content is not null
)::json::varchar"""


def example_id_sql(dataset: str) -> str:
    """Return the SQL of the id of the example that a row of `*_scrubbed` becomes.

    Args:
        dataset: name of the dataset, which ids are made for; a plain name.
    """
    return f"keyed_hmac('{dataset}.example', {MESSAGES_SQL})[:32]"
