"""Differentially private noise on single values and on counts, by OpenDP, where a dataset asks.

spec.py        what a dataset asks for, read and checked; imports no OpenDP
mechanism.py   OpenDP's measurements, and the epsilon that their own privacy maps say

OpenDP is an extra (`pip install 'sealtune[opendp]'`) and takes a second to import: whoever draws
imports `mechanism` then. What was drawn is kept by drawn_noise.py.
"""

from python_stages.noise.spec import (
    ColumnNoise,
    check_asked,
    count_epsilon,
    noisy_columns,
    require_opendp,
)

__all__ = ["ColumnNoise", "check_asked", "count_epsilon", "noisy_columns", "require_opendp"]
