"""Gauges: one look at the service, as Prometheus reads it. What is not known has no sample, not a false zero."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from jobs.finding import Finding
from jobs.observed import Observed
from jobs.services import STATES

Samples = Iterable[tuple[tuple[str, ...], float | None]]


class Look(NamedTuple):
    """What gauges are made of."""

    observed: Observed
    findings: tuple[Finding, ...]
    ready: bool
    open_alerts: dict[str, int] | None = None
    """By severity; null where the store did not say."""
    broker_seq: int | None = None
    """Last `seq` that Redis has, of this epoch; null where it did not say, or has another epoch."""


class _Gauge(NamedTuple):
    name: str
    what: str
    labels: tuple[str, ...]
    of: Callable[[Look], Samples]


def _one(value: float | None) -> Samples:
    return [((), value)]


def _unix_s(at: dt.datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _sources(value: Callable[[object], float | None]) -> Callable[[Look], Samples]:
    return lambda look: [((one.id,), value(one)) for one in look.observed.sources or () if one.enabled]


def _jobs(value: Callable[[object], float | None]) -> Callable[[Look], Samples]:
    return lambda look: [((one.name,), value(one)) for one in look.observed.jobs]


def _channel(field: str) -> Callable[[Look], Samples]:
    return lambda look: _one(getattr(look.observed.channel, field) if look.observed.channel else None)


def _since(field: str) -> Callable[[object], float | None]:
    return lambda one: _unix_s(getattr(one, field))


def _inbox(field: str) -> Callable[[Look], Samples]:
    return lambda look: _one(getattr(look.observed.inbox, field) if look.observed.inbox else None)


def _lag(look: Look) -> float | None:
    channel = look.observed.channel
    return None if channel is None or look.broker_seq is None else max(0, channel.last_seq - look.broker_seq)


def _by_severity(counts: dict[str, int]) -> Samples:
    return [((severity,), counts.get(severity, 0)) for severity in ("warning", "critical")]


def _states(look: Look) -> list[str]:
    return [one.state for one in look.observed.services]


def _found(look: Look) -> Samples:
    severities = [one.severity for one in look.findings]
    return _by_severity({severity: severities.count(severity) for severity in severities})


_GAUGES = (
    _Gauge("ready", "1 where the service does its work, 0 where /readyz says why not.", (), lambda x: _one(x.ready)),
    _Gauge(
        "leads", "1 where this service does the jobs, 0 where it stands by.", (),
        lambda x: _one(x.observed.leads),
    ),
    _Gauge(
        "services", "The services that share the store, by what they do.", ("state",),
        lambda x: [((name.replace(" ", "_"),), states.count(name)) for states in [_states(x)] for name in STATES],
    ),
    _Gauge("store_up", "Whether the store answers.", (), lambda x: _one(x.observed.store_fault is None)),
    _Gauge("broker_up", "Whether Redis serves.", (), lambda x: _one(x.observed.broker_fault is None)),
    _Gauge(
        "store_read_timestamp_seconds", "When what these gauges say of the store was read.", (),
        lambda x: _one(_unix_s(x.observed.read_at)),
    ),
    _Gauge("findings", "What is wrong at this moment, by severity.", ("severity",), _found),
    _Gauge(
        "alerts_open", "Alerts that are open, by severity.", ("severity",),
        lambda x: _by_severity(x.open_alerts) if x.open_alerts is not None else (),
    ),
    _Gauge(
        "source_last_success_timestamp_seconds", "When a source last answered.", ("source",),
        _sources(_since("last_success_at")),
    ),
    _Gauge(
        "source_last_new_timestamp_seconds", "When the newest headline of a source became known.", ("source",),
        _sources(_since("last_new_at")),
    ),
    _Gauge(
        "source_consecutive_failures", "Failed attempts since the last answer.", ("source",),
        _sources(lambda one: one.failures),  # type: ignore[attr-defined]
    ),
    _Gauge(
        "headline_last_known_timestamp_seconds", "When the newest headline became known.", (),
        lambda x: _one(_unix_s(x.observed.last_headline_at)),
    ),
    _Gauge(
        "job_last_success_timestamp_seconds", "When the last good run of a job began.", ("job",),
        _jobs(_since("last_ok_at")),
    ),
    _Gauge(
        "job_next_run_timestamp_seconds", "When a job is due.", ("job",), _jobs(_since("next_run_at")),
    ),
    _Gauge(
        "job_paused", "Whether a job was paused.", ("job",),
        _jobs(lambda one: one.paused),  # type: ignore[attr-defined]
    ),
    _Gauge(
        "price_last_close_timestamp_seconds", "When the newest bar closed.", ("source", "length_s"),
        lambda x: [((one.source, str(one.length_s)), _unix_s(one.last_close_at)) for one in x.observed.prices or ()],
    ),
    _Gauge("market_open", "Whether dealers quote, by week and holidays.", (), lambda x: _one(x.observed.market_open)),
    _Gauge("channel_last_seq", "The last message's number, within its epoch.", (), _channel("last_seq")),
    _Gauge("outbox_depth", "Messages that wait to be sent.", (), _channel("outbox_depth")),
    _Gauge(
        "outbox_oldest_timestamp_seconds", "Since when the oldest of them waits.", (),
        lambda x: _one(_unix_s(x.observed.channel.oldest_unsent_at) if x.observed.channel else None),
    ),
    _Gauge("broker_lag", "Messages of the channel that Redis does not have.", (), lambda x: _one(_lag(x))),
    _Gauge("inbox_depth", "Pushed entries that are neither scored by a worker nor stored.", (), _inbox("waiting")),
    _Gauge("inbox_pending", "Those of them that a worker has in hand.", (), _inbox("pending")),
    _Gauge("inbox_scored", "Scored by a worker, and not stored yet.", (), _inbox("scored")),
    _Gauge("inbox_rejected", "Dead letters of the inbox.", (), _inbox("rejected")),
    _Gauge("workers", "Workers that were heard of lately.", (), _inbox("workers")),
    _Gauge(
        "model_info", "The model in use.", ("model_id",),
        lambda x: [((x.observed.model_id,), 1)] if x.observed.model_id else (),
    ),
    _Gauge("disk_free_bytes", "Room in the home.", (), lambda x: _one(x.observed.disk_free_bytes)),
    _Gauge(
        "clock_offset_seconds", "Our clock less that of another, + where ours is ahead.", (),
        lambda x: _one(x.observed.clock_offset_s),
    ),
)  # fmt: skip


class Gauges(Collector):
    """The gauges of the last look."""

    def __init__(self) -> None:
        self.look: Look | None = None

    def describe(self) -> list[GaugeMetricFamily]:
        """All of them, without samples."""
        return [GaugeMetricFamily(f"signals_{one.name}", one.what, labels=one.labels) for one in _GAUGES]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Those of the last look; none before the first."""
        look = self.look
        if look is None:
            return
        for one in _GAUGES:
            family = GaugeMetricFamily(f"signals_{one.name}", one.what, labels=one.labels)
            for labels, value in one.of(look):
                if value is not None:
                    family.add_metric(labels, float(value))
            yield family
