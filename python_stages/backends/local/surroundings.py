"""The environment of the processes that the local server consists of."""

import os
from typing import Final

# Keys of other providers, which this server has no use for.
_WITHHELD: Final = "_API_KEY"


def child_environment() -> dict[str, str]:
    """Return this process's environment, less the secrets that are none of a child's business."""
    return {name: value for name, value in os.environ.items() if not name.endswith(_WITHHELD)}
