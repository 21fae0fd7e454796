"""What can be seen of the service right now, in one frozen look: store, broker, schedule, machine.

Whatever may hang is asked aside: a look takes a second at most, and what could not be read is null, or what was last
read, with its time. What is seen is judged by `freshness`.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jobs.services import ServiceSeen
from signals.model import JobRun

if TYPE_CHECKING:
    from jobs.app import App

WATCH = "watchdog"
"""Name under which the watchdog says when it last judged."""
NextRuns = Callable[[], Mapping[str, dt.datetime | None]]


class SourceSeen(NamedTuple):
    """One source of headlines; times UTC."""

    id: str
    enabled: bool
    every_s: int
    remote: bool = True
    """Whether it is asked over the network."""
    last_attempt_at: dt.datetime | None = None
    last_success_at: dt.datetime | None = None
    last_new_at: dt.datetime | None = None
    """When its newest headline became known."""
    failures: int = 0
    """Failed attempts since the last success."""
    last_error: str | None = None
    next_attempt_at: dt.datetime | None = None
    recent: str = ""
    """How its last answers ended, newest last: `.` well, `x` badly."""
    lag_s: float | None = None
    """From the publisher's time to ours, of the quickest of its last five headlines; null where unknown."""


class JobSeen(NamedTuple):
    """One job; times UTC."""

    name: str
    enabled: bool
    paused: bool
    every_s: int
    timeout_s: int
    last_run: JobRun | None = None
    running_since: dt.datetime | None = None
    next_run_at: dt.datetime | None = None
    """Null where it is not scheduled, or this process has no schedule."""
    last_ok_at: dt.datetime | None = None
    """When the last run started that ended well, in whole or part."""
    recent: str = ""
    """How its last runs within the hour ended, newest last: `.` well, `x` badly."""


class PriceSeen(NamedTuple):
    """One series of bars."""

    source: str
    length_s: int
    last_close_at: dt.datetime | None
    """UTC; null where there is no bar yet."""


class ChannelSeen(NamedTuple):
    """The way to Redis; times UTC."""

    epoch: str | None
    last_seq: int
    last_signal_at: dt.datetime | None
    outbox_depth: int
    """Messages that wait to be sent."""
    oldest_unsent_at: dt.datetime | None
    lag_s: float | None = None
    """From `known_at` to the channel, of the quickest of the last five signals sent within ten minutes."""


class InboxSeen(NamedTuple):
    """The stream of pushed news, and the workers that score it."""

    waiting: int
    """Entries that are neither scored by a worker nor stored."""
    pending: int
    """Those of them that a worker has in hand."""
    scored: int
    """Scored by a worker, and not stored yet."""
    rejected: int
    """Dead letters."""
    workers: int
    """Workers that were heard of lately."""
    wanted: bool
    """Whether workers are to score it."""
    most: int
    """How many may wait before something is wrong."""


class Observed(NamedTuple):
    """All that is seen of a service at a UTC time."""

    at: dt.datetime
    read_at: dt.datetime | None
    """When what the store says was read; null: it never was, and nothing of it is known."""
    sources: tuple[SourceSeen, ...] | None
    jobs: tuple[JobSeen, ...]
    prices: tuple[PriceSeen, ...] | None
    """Those that are asked for, the source that signals rest on first."""
    channel: ChannelSeen | None
    last_headline_at: dt.datetime | None
    market_open: bool
    """Whether dealers quote: not at the weekend, nor on the market's two holidays."""
    model_id: str | None
    """Null where this process has not loaded it."""
    store_fault: str | None
    broker_fault: str | None
    disk_free_bytes: int | None
    clock_offset_s: float | None
    """Our clock less another's: + where ours is ahead. Null where no other is known."""
    clock_jump_s: float | None = None
    """By how much the clock was set within the last minutes, + forward; null where it was not."""
    model_fault: str | None = None
    started_at: dt.datetime | None = None
    """When this process began to look; null where it is not the service."""
    judged_at: dt.datetime | None = None
    """When the watchdog last judged."""
    services: tuple[ServiceSeen, ...] = ()
    """Those that share the store, the leader first."""
    leads: bool | None = None
    """Whether this process does; null where it is no service."""
    store_fault_since: dt.datetime | None = None
    broker_fault_since: dt.datetime | None = None
    inbox: InboxSeen | None = None
    """Null where Redis did not say."""


def observe(app: "App", next_runs: NextRuns = dict) -> Observed:
    """One look at a service, within a second. Nothing is started, and nothing is written, by looking."""
    return app.observer.look(next_runs())
