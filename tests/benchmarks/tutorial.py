"""The baseline: all columns of all rows in one pandas frame, 200 of them put into words.

This is what the tutorial that this project began with does, in our own words. It exists to be
measured; nothing of it is how sealtune works.
"""

import json
import random
from pathlib import Path

import pandas as pd

_CHUNK_ROWS = 100_000
_SAMPLE_ROWS = 200
_WORDINGS = (
    "A {card_type} card paid {amount:.2f} {currency} to {merchant} in {city}, {country}, on {day}.",
    "{merchant} took {amount:.2f} {currency} ({card_type}) in {city}, {country}, on {day}.",
    "{day}: {amount:.2f} {currency} at {merchant}, {country}, by {card_type}.",
)


def sample_in_pandas(source: Path) -> list[str]:
    """Return chat lines for 200 random rows of the file, having held all of them."""
    chunks = pd.read_csv(source, chunksize=_CHUNK_ROWS)
    frame = pd.concat(chunks, ignore_index=True)
    return [_line(row) for _, row in frame.sample(n=_SAMPLE_ROWS, random_state=42).iterrows()]


def _line(row: "pd.Series[str]") -> str:
    day = str(row["timestamp"])[:10]
    text = random.choice(_WORDINGS).format(day=day, **row)
    return json.dumps(
        {
            "messages": [
                {"role": "user", "content": text},
                {"role": "assistant", "content": row["merchant_category"]},
            ]
        }
    )
