"""The drill: how soon each failure is seen in each place, and what that means with the objectives as shipped.

Objectives of the drill are of seconds, so what is beyond them is how long it takes to notice: with any other objective
it takes as long. Time that is let pass counts as any.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from jobs.settings import Settings
from tests.bench.timing import Row
from tests.drill.failure import PLACES, Outcome, told_within_s
from tests.drill.lanes import NAMES, shipped, side_by_side

_READERS = ("sentence", "metrics", "doctor")


def bench() -> Iterator[Row]:
    """The rows: a failure each, and below it the same by the shipped settings."""
    with tempfile.TemporaryDirectory() as folder, side_by_side(Path(folder)) as outcomes:
        made = [outcomes[name].result() for name in NAMES]
    settings = shipped()
    for name, outcome in zip(NAMES, made, strict=True):
        if outcome is None:
            yield Row(f"{name}: this machine lets nobody make a disk of his own", 0, "")
        else:
            yield from _rows(outcome, settings)


def _rows(outcome: Outcome, settings: Settings) -> Iterator[Row]:
    took_s, objective, ours_s = outcome.took_s, outcome.objective, outcome.unseen_s
    told = ", ".join(f"{place} {took_s[place]:.1f}" if place in took_s else f"{place} -" for place in PLACES)
    last_s = max(seconds for place, seconds in took_s.items() if place != "closed")
    yield Row(outcome.name, last_s, "s, last", f"objective {ours_s:.0f} ({objective.text}): {told}")
    seen_s = max((took_s[place] for place in _READERS if place in took_s), default=took_s["alert"])
    shipped_s = objective.unseen_s(settings)
    told_text = "a bot is told" if objective.told_by_bot else f"alert within {told_within_s(objective, settings):.0f}"
    yield Row("  as shipped", shipped_s + max(0.0, seen_s - ours_s), "s, seen", f"wanted: {shipped_s:.0f}; {told_text}")
