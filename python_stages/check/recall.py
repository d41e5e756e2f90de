"""What was planted and masked, as a frame: one row per column and entity of the scrub policy.

Nothing of what was planted is here, nor of the texts it was planted into: numbers, and the names
of entities, which are the policy's.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from python_stages.check.flags import Frame
from python_stages.errors import StageError

COLUMNS: Final = ("entity", "n_planted", "n_masked", "min_recall")


def flag_recall(recall: pa.Table) -> Frame:
    """Return the frame that the suite `recall` judges.

    Args:
        recall: rows with the columns COLUMNS (more are ignored).

    Raises:
        StageError: a column is missing.
    """
    if missing := sorted(set(COLUMNS) - set(recall.column_names)):
        raise StageError(
            f"check: column {', '.join(missing)} of the recall is missing; "
            "build the *_pii_recall model again"
        )
    entities, *numbers = (recall.column(name).to_pylist() for name in COLUMNS)
    # a null becomes NaN, and every comparison with that is false
    planted, masked, least = (np.array(column, dtype=np.float64) for column in numbers)
    is_counted = (planted > 0) & (masked >= 0) & (masked <= planted)
    share = np.divide(masked, planted, out=np.zeros_like(planted), where=is_counted)
    return {
        "entity": np.array([str(entity) for entity in entities], dtype=np.str_),
        "recall": share,
        "min_recall": least,
        "is_met": is_counted & (share >= least),
    }
