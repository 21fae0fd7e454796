"""Look-ahead: does anything that was said depend on what became known only later?

The archive is cut at some moment t: of headlines and withdrawals stays what was known by t, of bars what had closed by
then. Replayed, it must tell of every headline known before t what the whole archive tells, byte for byte.

A step may run after t and still take what was known before: late, or imported years after. It sees versions of bars
learned by its own time, as it did live; so of the cut archive bars learned after t are left only as far as such a step
reaches.
"""

import bisect
import datetime as dt
import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from signals.market.events import Event
from signals.model import Bar, Index, Policy
from signals.pipeline import Scorer
from signals.research.replay import Bars, Step, replay

_DAY = dt.timedelta(days=1)
_TICK = dt.timedelta(microseconds=1)
ScorerOf = Callable[[Bars], Scorer]
"""Makes a scorer that may look at these bars: for models that read prices, and for tests that plant a leak."""


class Difference(NamedTuple):
    """What a cut archive tells otherwise than the whole one."""

    cut: dt.datetime
    """UTC."""
    known_at: dt.datetime
    signal_id: str
    what: str
    """`told otherwise`, `not told without what came later`, `told only without what came later`, or the same of a
    retraction."""

    def __str__(self) -> str:
        return (
            f"{self.signal_id}, known at {self.known_at:%Y-%m-%d %H:%M:%S}: {self.what} (cut at {self.cut.isoformat()})"
        )


class Checked(NamedTuple):
    """Where the archive was cut, how many signals and retractions were compared in all, and what differed."""

    cuts: tuple[dt.datetime, ...]
    compared: int
    differences: list[Difference]


_Prints = dict[tuple[str, str], tuple[dt.datetime, bytes]]
"""By type and signal: when it became known, and a hash of its bytes."""


def check(
    steps: Iterable[Step],
    bars: Bars,
    cuts: int | Sequence[dt.datetime],
    scorer: Scorer | ScorerOf,
    policy: Policy,
    *,
    events: Sequence[Event] = (),
    seed: int = 0,
) -> Checked:
    """Cut, replay, compare.

    Parameters
    ----------
    steps, bars, policy, events : as of `replay`; `steps` is gone through several times.
    cuts : the moments (UTC), or how many: right after signals that are drawn by the seed, one of them the last that
        was known a day before the end.
    """

    def printed(some: Iterable[Step], priced: Bars) -> _Prints:
        judge = scorer(priced) if callable(scorer) else scorer
        return _prints(replay(some, priced, scorer=judge, policy=policy, events=events))

    whole = printed(steps, bars)
    at = _drawn([one for one, _ in whole.values()], cuts, seed) if isinstance(cuts, int) else sorted(cuts)
    reach = _reaches(steps, at)
    compared = 0
    found: list[Difference] = []
    for cut in at:
        part = printed(_cut(steps, cut), _cut_bars(bars, cut, max(cut, reach[cut])))
        before = {key: one for key, one in whole.items() if one[0] < cut}
        compared += len(before)
        found += _differences(cut, before, {key: one for key, one in part.items() if one[0] < cut})
    return Checked(tuple(at), compared, found)


def _prints(told: Iterable[Any]) -> _Prints:
    found: _Prints = {}
    for _, one, _ in told:
        if not isinstance(one, Index):
            printed = hashlib.blake2b(msgspec.json.encode(one), digest_size=16).digest()
            found[type(one).__name__, one.signal_id] = (one.known_at, printed)
    return found


def _drawn(known: Sequence[dt.datetime], count: int, seed: int) -> list[dt.datetime]:
    """Right after as many of these as asked for: nothing is as sure to notice what came next."""
    times = sorted(set(known))
    if not times or count < 1:
        return []
    last_day = times[max(0, bisect.bisect_left(times, times[-1] - _DAY) - 1)]
    others = [at for at in times if at != last_day]
    drawn = random.Random(seed).sample(others, min(count - 1, len(others)))
    return sorted(at + _TICK for at in (last_day, *drawn))


def _reaches(steps: Iterable[Step], cuts: Sequence[dt.datetime]) -> dict[dt.datetime, dt.datetime]:
    """Of each cut the last step that takes anything known by then."""
    reach = dict.fromkeys(cuts, dt.datetime.min.replace(tzinfo=dt.UTC))
    for at, headlines, withdrawals, *_ in steps:
        known = [one.known_at for one in headlines] + [one.known_at for one in withdrawals]
        oldest = min(known, default=None)
        for cut in cuts:
            if oldest is not None and oldest <= cut:
                reach[cut] = max(reach[cut], at)
    return reach


def _cut(steps: Iterable[Step], cut: dt.datetime) -> Iterator[Step]:
    for at, headlines, withdrawals, history, later_from in steps:
        kept = [one for one in headlines if one.known_at <= cut]
        fallen = [one for one in withdrawals if one.known_at <= cut]
        if kept or fallen:
            yield at, kept, fallen, history, later_from


def _cut_bars(bars: Bars, cut: dt.datetime, learned_by: dt.datetime) -> Bars:
    def left(found: Iterable[Bar]) -> list[Bar]:
        return [bar for bar in found if bar.close_at <= cut and bar.known_at <= learned_by]

    if not callable(bars):
        return left(bars)
    ask = bars
    return lambda headlines: left(ask(headlines))


def _differences(cut: dt.datetime, whole: _Prints, part: _Prints) -> Iterator[Difference]:
    for key in sorted(whole.keys() | part.keys()):
        if whole.get(key) != part.get(key):
            (known_at, _), (kind, signal_id) = whole.get(key) or part[key], key
            what = (
                "not told without what came later" if key not in part
                else "told only without what came later" if key not in whole
                else "told otherwise"
            )  # fmt: skip
            yield Difference(cut, known_at, signal_id, f"{'retraction ' if kind == 'Retraction' else ''}{what}")
