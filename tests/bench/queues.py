"""A line of stages in virtual time: when each headline is through, given what a batch costs in each stage.

Stages are first come, first served, and nothing flows back, so that one after the other can be worked out: the times at
which headlines leave a stage are those at which they reach the next.
"""

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
"""Seconds, rising."""


class Cost(NamedTuple):
    """What a batch costs: so much for being one, and so much for each that is in it; seconds of a core."""

    fixed_s: float
    each_s: float

    def of(self, count: int) -> float:
        """Seconds that a batch of so many takes."""
        return self.fixed_s + self.each_s * count

    def __add__(self, other: tuple[object, ...]) -> "Cost":
        """Of both, one after the other."""
        assert isinstance(other, Cost)
        return Cost(self.fixed_s + other.fixed_s, self.each_s + other.each_s)

    def share(self, of: float) -> "Cost":
        """Where only this share of a batch is handed on; being a batch costs the same."""
        return Cost(self.fixed_s, self.each_s * of)


class Stage(NamedTuple):
    """Where headlines wait and are taken by batches."""

    cost: Cost
    most: int
    """Of a batch."""
    servers: int = 1


class Through(NamedTuple):
    """What became of the headlines that reached a stage."""

    left: Times
    longest: int
    """Most that waited at once, as a batch began."""


def through(came: Times, stage: Stage) -> Through:
    """Lead headlines through a stage; those of parallel servers are put into their order again before they leave."""
    free = [float(came[0])] * stage.servers
    left = np.empty_like(came)
    done, last, longest = 0, 0.0, 0
    while done < len(came):
        begin = max(heapq.heappop(free), came[done])
        waiting = int(np.searchsorted(came, begin, side="right")) - done
        count = min(waiting, stage.most)
        took = stage.cost.of(count)
        last = max(last, begin + took)
        left[done : done + count] = last
        heapq.heappush(free, begin + took)
        longest = max(longest, waiting)
        done += count
    return Through(left, longest)


def arrivals(chance: np.random.Generator, rates: list[tuple[float, float]]) -> Times:
    """When headlines come, by chance (Poisson), for stretches of (seconds, headlines a second) one after another."""
    begin, parts = 0.0, []
    for length_s, rate in rates:
        parts.append(begin + np.sort(chance.random(chance.poisson(length_s * rate))) * length_s)
        begin += length_s
    return np.concatenate(parts)
