"""Where a price first touches a level: for a million positions at once, however long they are held.

A pyramid holds the lowest low and the highest high of blocks of 1, 2, 4, ... bars. A search goes from a bar
upwards through ever larger blocks while none of them reaches a level, then down into the first that does: about
two looks for each doubling of the distance, and all searches take their steps together.
"""

from typing import NamedTuple

import numpy as np

from signals.research.columns import Flags, Floats, Ints

_TOGETHER = 131_072
"""Searches that are taken at a time: their columns stay in the processor's cache."""


class Pyramid(NamedTuple):
    """Extremes of bars; level k has one entry for each 2^k bars, the last block may be short."""

    lows: tuple[Floats, ...]
    highs: tuple[Floats, ...]


def pyramid(low: Floats, high: Floats) -> Pyramid:
    """Of at least one bar."""
    return Pyramid(_levels(low, np.minimum, np.inf), _levels(high, np.maximum, -np.inf))


def _levels(values: Floats, extreme: np.ufunc, beyond: float) -> tuple[Floats, ...]:
    levels = [values]
    while len(levels[-1]) > 1:
        below = levels[-1]
        paired = np.append(below, beyond) if len(below) % 2 else below
        levels.append(extreme(paired[::2], paired[1::2]))
    return tuple(levels)


def first_touch(bars: Pyramid, start: Ints, end: Ints, floor: Floats, ceiling: Floats) -> Ints:
    """The first bar in [`start`, `end`) with low <= `floor` or high >= `ceiling`; `end` where there is none.

    Parameters
    ----------
    start, end : positions of bars, one pair a search.
    floor, ceiling : JPY per USD; -inf and inf for none.
    """
    found = end.copy()
    for begin in range(0, len(start), _TOGETHER):
        part = slice(begin, begin + _TOGETHER)
        found[part] = _search(bars, start[part], end[part], floor[part], ceiling[part])
    return found


def _search(bars: Pyramid, start: Ints, end: Ints, floor: Floats, ceiling: Floats) -> Ints:
    found = end.copy()
    one = np.flatnonzero(start < end)
    block, level = start[one], 0
    while one.size:
        left = block % 2 == 0
        touches = _touches(bars, level, block, floor[one], ceiling[one])
        # Beside a left half its right half is looked at too: then the next block begins a pair of the level above.
        other = np.flatnonzero(left & ~touches & ((block + 1) << level < end[one]))
        second = _touches(bars, level, block[other] + 1, floor[one[other]], ceiling[one[other]])
        block[other[second]] += 1
        touches[other[second]] = True
        hit = one[touches]
        found[hit] = np.minimum(_descend(bars, level, block[touches], floor[hit], ceiling[hit]), end[hit])
        one, block = one[~touches], (block[~touches] >> 1) + 1
        level += 1
        going = block << level < end[one]
        one, block = one[going], block[going]
    return found


def _touches(bars: Pyramid, level: int, block: Ints, floor: Floats, ceiling: Floats) -> Flags:
    return (bars.lows[level][block] <= floor) | (bars.highs[level][block] >= ceiling)


def _descend(bars: Pyramid, level: int, block: Ints, floor: Floats, ceiling: Floats) -> Ints:
    """The first bar that touches, in blocks each of which holds one."""
    for below in range(level - 1, -1, -1):
        block = block * 2
        block += ~_touches(bars, below, block, floor, ceiling)
    return block
