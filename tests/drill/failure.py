"""A failure, how soon it must be seen, and how soon it was."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from jobs.finding import STOPPED_S
from jobs.settings import Settings

BUSY_S = 20.0
"""What a machine that has much else to do may take on top of an objective. On one that has not it is below two."""
BOT_S = 3.0
"""After so long without a heartbeat the bot of the drill is told; 15 s is what one asks for by default."""
PLACES = ("sentence", "log", "metrics", "alert", "doctor", "closed")


class Objective(NamedTuple):
    """How long a failure may stay unseen by the settings in force, in words and as they have it."""

    text: str
    unseen_s: Callable[[Settings], float]
    """Seconds from when it is brought about until who looks must see it."""
    told_by_bot: bool = False
    """Whether the watchdog dies of it, too: then a bot hears of the silence, and there is no alert."""


class Outcome(NamedTuple):
    """What became of a failure that was brought about."""

    name: str
    objective: Objective
    unseen_s: float
    """The objective in force."""
    limits_s: Mapping[str, float]
    """By which time each place must have it, from when it was brought about; `closed` from when it was mended."""
    took_s: Mapping[str, float]
    """When each place had it. Time that was let pass counts as any."""


class Failure(NamedTuple):
    """Something that goes wrong, and by what it is known."""

    name: str
    key: str
    """Of the finding and its alert."""
    sentence: str
    """Part of what the page says."""
    log: tuple[str, Mapping[str, str]]
    """Event and fields of the line that tells of it first."""
    metric: Callable[[Mapping[str, float], float], bool]
    """Whether samples tell of it at a time (Unix seconds)."""
    doctor: str
    """Check whose line tells of it."""
    objective: Objective
    back_s: float = 0.0
    """How long after it is mended the service may need to try again, at most."""


def told_within_s(objective: Objective, settings: Settings) -> float:
    """Until its alert is sent: it is found by the next judgement, and again by one `for_s` later."""
    return objective.unseen_s(settings) + settings.alerts.for_s + 2 * settings.jobs.watchdog.every_s


def closed_within_s(back_s: float, settings: Settings) -> float:
    """Until the end of its alert is sent, from when it is mended."""
    return back_s + settings.alerts.clear_s + 2 * settings.jobs.watchdog.every_s


def _source_s(settings: Settings) -> float:
    every_s = max((feed.every_s for feed in settings.feeds if feed.enabled and feed.url), default=60)
    age_s = settings.freshness.source.age_s or max(3 * every_s, 300)
    return max(age_s, every_s + settings.jobs.ingest.every_s)


def _job_s(settings: Settings) -> float:
    job = settings.jobs.prices
    return max(settings.freshness.job.rounds * job.every_s, job.every_s + job.timeout_s, STOPPED_S)


SOURCE = Objective("freshness.source.age_s, and once asked again", _source_s)
PRICES = Objective("freshness.price.age_s", lambda settings: settings.freshness.price.age_s)
AT_ONCE = Objective("the next look", lambda _: 0)
STORE = Objective("two judgements that wait for the lock", lambda settings: 2 * (settings.jobs.watchdog.every_s + 3))
JOB = Objective("freshness.job.rounds, its timeout_s, a minute", _job_s)
SCHEDULER = Objective("a minute without a start", lambda _: STOPPED_S, told_by_bot=True)
SILENCE = Objective("the bot's heartbeat_deadline_s", lambda _: BOT_S, told_by_bot=True)
