"""A clause read as a whole: what its verb does to its subject and object, with all signs multiplied.

`weak jobs data fuels Fed rate cut bets`: weak (-) jobs (+) is a subject of -; `fuels` (+) works on an
object, the Fed's (+1) cut (-), so the clause reads -1 on the dollar's side. `rate cut bets fade` is
- times -. Negation turns what follows it. A clause's reading is that of its verb, else of its nouns.
"""

from typing import NamedTuple

from signals.scoring.lexicon import Concept
from signals.scoring.units import Unit

OWN = frozenset("mnstf")
"""Clauses that go on about the subject of the one before: `Fed official says hikes are needed`."""
_ON = frozenset("tf")
_VERBS = frozenset({"move", "cause", "change"})
_SUBJECTS = {"price": "p", "bank": "k", "state": "s", "bond": "y", "other": "x"}
_WEIGHT = 2
"""A reading sums up many words, so it counts for more than one of them."""


class Reading(NamedTuple):
    """What one clause comes to: +1 for a higher USD/JPY, -1 for a lower one."""

    clause: str
    how: str
    """Of whom (`_SUBJECTS`, n the next one, d nobody named, i before it if named in another clause; e an event),
    and whether by verb (v) or noun (n)."""
    value: int
    first: int
    last: int


class _Clause:
    """What has been read of a clause so far; signs are 0 where nothing has."""

    __slots__ = ("event", "first", "flip", "fresh", "how", "kind", "last", "noun", "side", "transitive", "verb")

    def __init__(self, kind: str, side: int, how: str, first: int) -> None:
        self.kind, self.side, self.how, self.first, self.last = kind, side, how, first, first
        self.noun, self.verb, self.event, self.flip = 0, 0, 0, 1
        self.transitive = self.fresh = False

    def take(self, concept: Concept) -> None:
        """Add one concept to the reading."""
        _name, role, sign = concept
        if role in _SUBJECTS:
            if role == "price" and not self.fresh:  # `weak GDP pushes dollar to ..`: weak was not the dollar
                self.noun = 0
            self.side, self.how = sign, _SUBJECTS[role]
        elif role == "flip":
            self.flip = -self.flip
        else:
            if role == "event":
                self.event = sign * self.flip * (self.verb if self.transitive else 1)
            elif role in _VERBS:
                self._act(role, sign * self.flip)
            elif not self.verb:
                self.noun, self.fresh = (self.noun or 1) * sign * self.flip, True
            elif self.transitive:  # `fuels bets`, `ends slide`: it works on what follows, once
                self.verb, self.transitive = self.verb * sign * self.flip, False
            self.flip = 1

    def _act(self, role: str, sign: int) -> None:
        if self.event and not self.verb:
            self.event *= sign
        elif not self.verb:
            self.transitive = role == "cause" or (role == "change" and not self.noun)
            self.verb = sign if self.transitive else sign * (self.noun or 1)
            self.noun = 0

    def close(self, done: list[Reading]) -> None:
        """Add what the clause comes to, if anything."""
        if self.event:
            done.append(Reading(self.kind, "e", self.event, self.first, self.last))
        value, part = (self.verb * (self.noun or 1), "v") if self.verb else (self.noun, "n")
        if self.side and value:
            done.append(Reading(self.kind, self.how + part, self.side * value * self.flip, self.first, self.last))


def read(units: list[Unit], features: list[tuple[str, float, int, int]]) -> None:
    """Add the readings of every clause (`r`), and of the whole (`R`), to the features."""
    done = _clauses(units)
    if not done:
        return
    add = features.append
    total = price = 0
    for kind, how, value, start, end in done:
        add((f"r:{kind}:{how}", _WEIGHT * value, start, end))
        add((f"r:{how}", _WEIGHT * value, start, end))
        total += value
        price += value if how[0] == "p" else 0
    _kind, how, value, start, end = done[0]
    add(("R:first", _WEIGHT * value, start, end))
    add((f"R:first:{how}", _WEIGHT * value, start, end))
    if len(done) > 1:
        then = done[1]
        agree = "same" if then.value == value else "other"
        add((f"R:{agree}:{how}{then.how}{then.clause}", _WEIGHT * value, start, then.last))
    if price:
        add(("R:price", 2 * _WEIGHT if price > 0 else -2 * _WEIGHT, start, done[-1].last))
    if total:
        add(("R", 2 * _WEIGHT if total > 0 else -2 * _WEIGHT, start, done[-1].last))


def _clauses(units: list[Unit]) -> list[Reading]:
    subjects = [unit[1].sign for unit in units if unit[1].role in _SUBJECTS]
    side, how = (next(filter(None, subjects), 0), "n") if subjects else (1, "d")
    done: list[Reading] = []
    current = _Clause("", side, how, 0)
    for _said, concept, kind, start, end in units:
        if kind != current.kind and not (kind in _ON and current.kind):  # `in no hurry to cut`: one thought
            current.close(done)
            named = current.how.removeprefix("i")
            current = _Clause(kind, current.side, named if kind in OWN else f"i{named}", start)
        if concept.role:
            current.last = end
            current.take(concept)
        else:
            current.fresh = False
    current.close(done)
    return done
