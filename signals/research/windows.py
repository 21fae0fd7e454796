"""Sums over windows of minute closes: volatility as `market.bars` computes it, for many moments at once."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from signals.research.rounding import rounded

BP = 1e4
_MINUTE, _HOUR = 60_000_000, 3_600_000_000
"""Microseconds."""
_MIN_RETURNS = 30
"""As `market.bars`: fewer one-minute returns give no volatility."""


class Minutes:
    """Closes of one source's one-minute bars.

    Parameters
    ----------
    at : microseconds, rising.
    price : JPY per USD.
    """

    def __init__(self, at: NDArray[np.int64], price: NDArray[np.float64]) -> None:
        self._at = at
        self._price = price
        step = at[1:] - at[:-1] == _MINUTE
        returns = np.log(price[1:] / price[:-1])
        self._squares = np.concatenate([[0.0], np.where(step, returns * returns, 0.0)])
        """At each close, the square of the return that ends there; 0 after a hole."""
        self._steps = np.concatenate([[0, 0], np.cumsum(step)]) if len(at) else np.zeros(1, dtype="int64")
        """How many such returns end before each position."""

    def volatility_bp(self, last: NDArray[np.int64]) -> NDArray[np.float64]:
        """Square root of the summed squares over the hour that ends at each time; NaN where too few are known."""
        low = np.searchsorted(self._at, last - _HOUR, side="left")
        high = np.searchsorted(self._at, last, side="right")
        first = np.minimum(low + 1, high)  # the return that ends at the first close begins before the hour
        enough = self._steps[high] - self._steps[first] >= _MIN_RETURNS
        found = np.full(len(last), np.nan)
        sums = window_sums(self._squares, first[enough], high[enough])
        low, high = low[enough], high[enough]
        found[enough] = rounded(np.sqrt(sums) * BP, 2, lambda near: [self._one(low[i], high[i]) for i in near])
        return found

    def _one(self, low: int, high: int) -> float:
        """The figure as the live path has it, with its sum exact."""
        closes = zip(self._at[low:high].tolist(), self._price[low:high].tolist(), strict=True)
        steps = [math.log(b[1] / a[1]) for a, b in itertools.pairwise(closes) if b[0] - a[0] == _MINUTE]
        return round(math.sqrt(math.fsum(s * s for s in steps)) * BP, 2)


def window_sums(values: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sum of `values[low:high]` for each pair of positions.

    Each window is put together from pieces whose lengths are powers of two, so its sum has the error of a few
    additions; differences of one running sum would carry the error of all that went before.
    """
    total, place, length = np.zeros(len(low)), low.copy(), high - low
    longest = int(length.max(initial=0))
    width, pieces = 1, values
    while width <= longest:
        mine = np.flatnonzero(length & width)
        total[mine] += pieces[place[mine]]
        place[mine] += width
        pieces = pieces[:-width] + pieces[width:]
        width *= 2
    return total
