"""Counters and histograms: what came to pass since the start, by names and labels that are known beforehand.

Labels are bounded whatever is pushed in: a source that is in no row of the feeds is `other`, and so is any value
that came after this code.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import get_args

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram

from jobs.catalogue import NAMES
from signals.model import JobRun, Outcome, SkipReason
from signals.store.counting import Sent, SourceCount, Taken

OTHER = "other"
LEGS = ("published_to_known", "known_to_scored", "scored_to_sent", "published_to_sent")
_DIRECTIONS = ("up", "flat", "down", "abstained")
_TYPES = ("headline", "retraction", "index")
_LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)
_DURATION_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
_DRIFT_S = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class _Told(msgspec.Struct):
    """What is counted of a headline signal's message; times UTC."""

    direction: str
    abstained: bool
    backfilled: bool
    source_published_at: dt.datetime | None
    known_at: dt.datetime
    scored_at: dt.datetime


class _Message(msgspec.Struct):
    data: _Told


_decode = msgspec.json.Decoder(_Message).decode


class Tally:
    """Counts what it is told.

    Parameters
    ----------
    registry : holds the metrics.
    sources : the ids in the rows of the feeds.
    """

    def __init__(self, registry: CollectorRegistry, sources: Collection[str]) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"signals_{name}", what, labels, registry=registry)

        def histogram(name: str, what: str, bounds: Iterable[float], *labels: str) -> Histogram:
            return Histogram(f"signals_{name}", what, labels, buckets=tuple(bounds), registry=registry)

        self._sources = frozenset(sources)
        self._asked = counter("source_fetches", "Times a source was asked.", "source")
        self._failed = counter("source_failures", "Times a source gave no usable answer.", "source")
        self._seen = counter("headlines_seen", "Headlines in the answers of a source.", "source")
        self._new = counter("headlines_new", "Headlines that were not known before.", "source")
        self._withdrawn = counter("headlines_withdrawn", "Headlines that their source took back.", "source")
        self._imported = counter("headlines_imported", "Headlines of imported history that were scored.")
        self._scores = counter("scores", "Headlines scored, by what the model said.", "direction")
        self._skipped = counter("headlines_skipped", "Headlines that made no signal.", "reason")
        self._sent = counter("sent", "Signals that Redis has, by direction.", "direction")
        self._messages = counter("messages_sent", "Messages that Redis has, by type.", "type")
        self._runs = counter("job_runs", "Ended runs of a job.", "job", "outcome")
        self._latency = histogram("latency_seconds", "Time of a live headline for a leg of its way.", _LATENCY_S, "leg")
        self._duration = histogram("job_duration_seconds", "Time a run of a job took.", _DURATION_S, "job")
        self._drift = histogram("scheduler_drift_seconds", "From when a run was due to its start.", _DRIFT_S)
        self._begin()

    def _begin(self) -> None:
        """Make every series there can be, at zero: one that appears with its first event hides that event."""
        for source in (*sorted(self._sources), OTHER):
            for one in (self._asked, self._failed, self._seen, self._new, self._withdrawn):
                one.labels(source)
        for metric, values in (
            (self._scores, _DIRECTIONS),
            (self._sent, _DIRECTIONS),
            (self._skipped, (*get_args(SkipReason), OTHER)),
            (self._messages, (*_TYPES, OTHER)),
            (self._latency, LEGS),
            (self._duration, NAMES),
        ):
            for value in values:
                metric.labels(value)
        for job in NAMES:
            for outcome in get_args(Outcome):
                self._runs.labels(job, outcome)

    def looked(self, day: SourceCount, before: SourceCount | None) -> None:
        """A source's counts of a day, and what they were when last looked at."""
        name = day.source if day.source in self._sources else OTHER
        for metric, field in (
            (self._asked, "asked"),
            (self._failed, "failed"),
            (self._seen, "seen"),
            (self._new, "new"),
            (self._withdrawn, "withdrawn"),
        ):
            metric.labels(name).inc(max(0, getattr(day, field) - (getattr(before, field) if before else 0)))

    def took(self, taken: Iterable[Taken]) -> None:
        """Headlines that the pipeline took."""
        for one in taken:
            if one.imported:
                self._imported.inc()
                continue
            if one.source not in self._sources:  # pushed in: no look at a source has counted it
                self._new.labels(OTHER).inc()
            if one.skip_reason is not None:
                self._skipped.labels(_one_of(one.skip_reason, get_args(SkipReason))).inc()
            if not one.backfilled:
                self._took_s("published_to_known", one.source_published_at, one.known_at)
                self._took_s("known_to_scored", one.known_at, one.scored_at)

    def scored(self, direction: str, number: int) -> None:
        """So many headlines were scored so."""
        if direction in _DIRECTIONS:
            self._scores.labels(direction).inc(number)

    def sent(self, messages: Iterable[Sent]) -> None:
        """Messages that Redis has."""
        for one in messages:
            kind = _one_of(one.type.split(".")[1], _TYPES)
            self._messages.labels(kind).inc()
            if kind == "headline":
                self._told(_decode(one.event).data, one.published_at)

    def ended(self, run: JobRun) -> None:
        """A run of a job ended."""
        self._runs.labels(run.job, run.outcome).inc()
        if run.outcome in ("ok", "partial", "failed") and run.duration_s is not None:
            self._duration.labels(run.job).observe(run.duration_s)
            if run.drift_s is not None and run.attempt == 1:
                self._drift.observe(max(0.0, run.drift_s))

    def _told(self, signal: _Told, sent_at: dt.datetime) -> None:
        self._sent.labels("abstained" if signal.abstained else signal.direction).inc()
        if not signal.backfilled:
            self._took_s("scored_to_sent", signal.scored_at, sent_at)
            self._took_s("published_to_sent", signal.source_published_at, sent_at)

    def _took_s(self, leg: str, begun: dt.datetime | None, ended: dt.datetime) -> None:
        """A clock that was set back, or a publisher's that is ahead, makes no negative time."""
        if begun is not None:
            self._latency.labels(leg).observe(max(0.0, (ended - begun).total_seconds()))


def _one_of(value: str, known: Collection[str]) -> str:
    return value if value in known else OTHER
