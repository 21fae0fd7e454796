"""A clause read as a whole: who, what of theirs, what is done to it; signs multiplied as grammar has it.

`weak jobs data fuels Fed rate cut bets`: `fuels` (+) has an object, the Fed's (+1) cut (-), so the clause
reads -1; weak jobs were only its subject. `rate cut bets fade`: a subject (-) that recedes (-), +1. `yen
slides`: -1 times -1. A negation turns its clause. Of several clauses the first with a price in it speaks
for the headline, else the first that is no cause or concession.
"""

import functools
from collections.abc import Sequence

from signals.scoring.clause import SUBJECTS, Clause, Reading
from signals.scoring.lexicon import Concept
from signals.scoring.units import Unit

OWN = frozenset("mnstfo")
"""Clauses that go on about the subject of the one before: `Fed official says hikes are needed`."""
_ON = frozenset("tfo")
_WEIGHT = 2
"""A reading sums up many words, so it counts for more than one of them."""
_SIDELINES = frozenset("cdaig")
"""Clauses that give causes, concessions, events ahead, conditions, comparisons: they speak last."""
_FIRST = {"p": 0, "e": 1, "k": 1, "s": 1, "y": 1, "n": 1, "d": 1, "f": 2, "x": 3}
_LATER = 5
_EXPECTED = frozenset({"HOPE", "FUNDS", "HAWK", "DOVE"})
_CAN_BE_CUT = frozenset({"thing", "bond", "price", "quality", "policy", "stance"})
_CUTS = frozenset({"cut", "cuts", "slash", "slashes"})
_EASING = Concept("EASE", "policy", -1)
_SHADES = frozenset({"hedge", "question", "flat", "hold", "hope", "fear", "flip"})
"""What makes a reading less certain than it is on its own."""


def read(units: Sequence[Unit], features: list[tuple[str, float, int, int]]) -> None:
    """Add the readings of every clause (`r`), and of the whole (`R`, `G`), to the features."""
    done = _clauses(units)
    add = features.append
    if not done:
        return
    total = price = 0
    for kind, how, value, pattern, start, end in done:
        for name in _names(kind, how, pattern):
            add((name, _WEIGHT * value, start, end))
        total += value
        price += value if how[0] == "p" else 0
    main = min(done, key=_rank)
    _whole(main, done, units, features)
    if len(done) > 1:
        first, then = done[:2]
        agree = "same" if then.value == first.value else "other"
        add((f"R:{agree}:{first.how}{then.how}{then.clause}", _WEIGHT * main.value, first.first, then.last))
    if price:
        add(("R:price", 2 * _WEIGHT if price > 0 else -2 * _WEIGHT, done[0].first, done[-1].last))
    if total:
        add(("R", 2 * _WEIGHT if total > 0 else -2 * _WEIGHT, done[0].first, done[-1].last))


def _whole(
    main: Reading, done: list[Reading], units: Sequence[Unit], features: list[tuple[str, float, int, int]]
) -> None:
    kind, how, value, pattern, start, end = main
    add = features.append
    size = _WEIGHT * value
    add(("G", 2 * size, start, end))
    for name in _main_names(kind, how, pattern):
        add((name, size, start, end))
    if all(reading.value == value for reading in done):
        add((f"G:all:{min(len(done), 3)}", size, start, end))
    for role in sorted({unit[1].role for unit in units} & _SHADES):
        add((f"G:{role}", size, start, end))
        add((f"G:{role}:{how}", size, start, end))


@functools.lru_cache(10_000)
def _names(kind: str, how: str, pattern: str) -> tuple[str, ...]:
    return f"r:{kind}:{how}", f"r:{how}", f"r:{how}:{pattern}"


@functools.lru_cache(10_000)
def _main_names(kind: str, how: str, pattern: str) -> tuple[str, ...]:
    return f"G:{how}", f"G:{kind}:{how}", f"G:{kind}:{how}:{pattern}"


def _eases(units: Sequence[Unit], number: int) -> bool:
    """Is it a cut of rates: one without an object (`Fed cut bets`, `pauses cuts`), or a bank's easing?"""
    said, concept, clause, _start, _end = units[number]
    if concept.name != "CUT" or said not in _CUTS:
        return said == "easing" and number > 0 and units[number - 1][1].role in ("bank", "hope")
    for _said, (name, role, _sign), kind, _start, _end in units[number + 1 : number + 4]:
        if kind != clause or role == "hope":
            return True
        if role in _CAN_BE_CUT or name == "FORECAST":
            return False
    return True


def _rank(reading: Reading) -> float:
    if reading.pattern == "J" and reading.first and reading.clause in "nbwm":  # `rises but misses forecasts`
        return 0.5
    owner = reading.how[1] if reading.how[0] == "i" else reading.how[0]
    return _FIRST.get(owner, 2) + (_LATER if reading.clause in _SIDELINES else 0)


def _clauses(units: Sequence[Unit]) -> list[Reading]:
    side, how, banks, verb_last = _overview(units)
    done: list[Reading] = []
    known = 0
    current = Clause("", side, how, 0, done, verb_last)
    for number, (said, concept, kind, start, end) in enumerate(units):
        if banks and (said in _CUTS or said == "easing") and _eases(units, number):
            concept = _EASING
        if kind != current.kind and not (kind in _ON and current.kind):  # `in no hurry to cut`: one thought
            current.close()
            noun = current.subject
            named = noun.how.removeprefix("i")
            said_so = len(done) > known
            letters, known = current.letters, len(done)
            current = Clause(kind, noun.home, named if kind in OWN else f"i{named}", start, done, verb_last)
            if kind in OWN and not said_so and noun.kind:  # `US jobs, wages rise`: nothing is said of it yet
                current.subject, current.letters = noun, letters
        if concept[1]:
            current.last = end
            current.take(concept, kind)
    current.close()
    return done


def _overview(units: Sequence[Unit]) -> tuple[int, str, bool, bool]:
    """The first subject's side and how it is said of, are banks spoken of, do verbs come last (as in Japanese)?"""
    side, how, banks, verb_last = 0, "d", False, False
    for said, (name, role, sign), _kind, _start, _end in units:
        if role:
            if role in SUBJECTS:
                how, side = "n", side or sign
            if role == "bank" or name in _EXPECTED:
                banks = True
        if not verb_last and not said.isascii():
            verb_last = True
    return (side if how == "n" else 1), how, banks, verb_last
