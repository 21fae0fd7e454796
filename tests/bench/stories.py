"""What it costs to put a headline into its story, as ever more are kept: a million of them, over many windows."""

import csv
import datetime as dt
import random
import time
from collections.abc import Iterator

from signals.model import Headline, Policy
from signals.pipeline import story_index
from tests.bench.timing import Row
from tests.conftest import ROOT

DAY = dt.timedelta(days=1)
PER_DAY = 20_000
KEPT = (10_000, 100_000, 1_000_000)
MEASURED = 2_000
_EVERY = 500


def bench() -> Iterator[Row]:
    """The rows: of the million only stretches are placed with care, the rest pass through at the window's pace."""
    titles = _titles()
    first = 0.0
    for kept in KEPT:
        cost_s, repeats = _cost(titles, kept)
        first = first or cost_s
        against = f"{cost_s / first:.2f} of the cost at {KEPT[0]:,}; {repeats} of {MEASURED} repeats"
        yield Row(f"a headline into its story, {kept:,} kept", cost_s * 1e6, "us", against)


def _cost(titles: list[str], kept: int) -> tuple[float, int]:
    """Seconds a headline after so many, `PER_DAY` a day; what is older than the window was forgotten, as live."""
    chance = random.Random(kept)
    policy = Policy()
    stories = story_index(policy)
    window = dt.timedelta(seconds=policy.story_window_s)
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    # What was forgotten long ago costs nothing now, so only the last window and a half is lived through.
    start = max(0, kept - int(PER_DAY * 1.5 * window / DAY))
    repeats, spent = 0, 0.0
    for number in range(start, kept + MEASURED):
        at = begin + DAY * number / PER_DAY
        if number % _EVERY == 0:
            stories.forget(at - window)
        headline = _headline(chance, titles, number, at)
        before = time.process_time()
        place = stories.place(headline)
        if number >= kept:
            spent += time.process_time() - before
            repeats += place.revision > 1
    return spent / MEASURED, repeats


def _headline(chance: random.Random, titles: list[str], number: int, at: dt.datetime) -> Headline:
    title = chance.choice(titles)
    if chance.random() < 0.7:  # most of a stream is new
        title = f"{title} {chance.choice(titles).split()[-1]} {chance.randrange(1000)}"
    return Headline(
        headline_id=f"{number:08}",
        source=f"s{number % 50}",
        url=None,
        title=title,
        lang="en",
        source_published_at=at,
        known_at=at,
    )


def _titles() -> list[str]:
    found = []
    for path in sorted((ROOT / "seeds" / "headlines").glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found += [row["text"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return found
