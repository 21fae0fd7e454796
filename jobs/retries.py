"""Which failed runs are tried again, how often and after how long: by the kind of their error, and never for long.

All attempts of a run, and the waits between them, lie within the job's own time and end before its next tick is due.
A job that failed with all of them has but one a run until it does well again: an outage makes no storm.
"""

import random
import time
from typing import NamedTuple

from signals.errors import (
    BrokerError,
    DeadlineError,
    PermanentError,
    PriceError,
    SourceError,
    StoreError,
    TransientError,
)


class Rule(NamedTuple):
    """How a kind of error is tried again: waits double, and each lasts from half to all of what is due."""

    attempts: int
    """In all, the first one with them."""
    first_s: float
    most_s: float


ONCE = Rule(1, 0.0, 0.0)
RULES: dict[type[BaseException], Rule] = {
    StoreError: Rule(3, 0.5, 4.0),  # a writer held it, or the server of the database was starting
    BrokerError: Rule(3, 0.5, 4.0),  # Redis fell over to another node, or was just being started
    SourceError: Rule(2, 2.0, 4.0),  # sources have manners of their own: this is for a job that has but one
    PriceError: Rule(2, 2.0, 4.0),
    DeadlineError: ONCE,  # its time is up, and its thread may be at work still
    TransientError: Rule(2, 1.0, 4.0),
    PermanentError: ONCE,  # the same again until a person mends it
    BaseException: ONCE,  # not one of ours: a defect
}
"""By class of error; the nearest base class that stands here counts."""
_LEAST_S = 1.0
"""An attempt that has less time than this is not begun."""


def rule_for(error: BaseException) -> Rule:
    """The rule of an error."""
    return next(RULES[kind] for kind in type(error).__mro__ if kind in RULES)


class Backoff:
    """The attempts of one run.

    Parameters
    ----------
    budget_s : seconds from now within which every attempt but the first must have ended.
    allowed : whether there may be more than one.
    """

    def __init__(self, budget_s: float, *, allowed: bool) -> None:
        self._end = time.monotonic() + budget_s
        self._allowed = allowed
        self.attempt = 1

    def remaining_s(self) -> float:
        """Seconds of the budget that are left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def next_after(self, error: BaseException) -> float | None:
        """How many seconds to wait before the next attempt; null where there is none."""
        rule = rule_for(error)
        wait_s: float = min(rule.most_s, rule.first_s * 2 ** (self.attempt - 1)) * random.uniform(0.5, 1)
        if not self._allowed or self.attempt >= rule.attempts or wait_s + _LEAST_S > self.remaining_s():
            return None
        self.attempt += 1
        return wait_s
