"""Rounding whole columns exactly as Python's `round` does each figure.

`numpy.round` multiplies, rounds and divides: where a figure lies next to the middle between two roundings it may fall
to the other side, and so may one whose last bit differs because it was summed in another order. Those few are handed
back to be computed one by one, in plain Python, as the live path does.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_ZONE = 1e-6
_RELATIVE = 1e-12
"""How near to the middle counts as next to it, in units of the last digit kept: more than any error of a figure that
is right to 13 digits."""


def rounded(
    values: NDArray[np.float64], digits: int, exactly: Callable[[NDArray[np.intp]], list[float]]
) -> NDArray[np.float64]:
    """`values` rounded to `digits` after the point; NaN stays NaN.

    Parameters
    ----------
    values : each right to 13 digits.
    exactly : given positions in `values`, these figures as the live path computes and rounds them.
    """
    scaled = values * 10**digits
    found: NDArray[np.float64] = np.rint(scaled) / 10**digits
    from_middle = np.abs(np.abs(scaled - np.floor(scaled)) - 0.5)
    near = np.flatnonzero(from_middle <= _ZONE + _RELATIVE * np.abs(scaled))
    if near.size:
        found[near] = exactly(near)
    return found
