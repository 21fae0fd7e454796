"""Traces by OpenTelemetry: what became of each headline, from its feed to the channel. Off unless asked for.

`SIGNALS_OTLP_ENDPOINT` names a collector; the extra `[traces]` brings the library, which nothing loads otherwise. A
headline has a trace of its own, whose id follows from `headline_id`: so the step and the sending, which are other runs
and may be other processes, find it without anything being carried along. Runs and fetches have traces of theirs, and a
headline is linked to the fetch that brought it.
"""

import contextlib
import datetime as dt
import hashlib
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jobs.clock import utc_now
from signals import __version__
from signals.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import SpanContext

    from signals.message import Signal
    from signals.model import Headline
    from signals.store.signals import Outgoing

VARIABLE = "SIGNALS_OTLP_ENDPOINT"
_FETCHES = 1000
"""Fetches remembered, so that headlines can be linked to them."""
_EXPORT_S = 5
_SLACK = dt.timedelta(seconds=1)


class _Fetch(NamedTuple):
    source: str
    begun_at: dt.datetime
    ended_at: dt.datetime
    context: "SpanContext"


class _Sent(msgspec.Struct):
    """What is traced of a message; of an index nothing."""

    headline_id: str = ""


class _Message(msgspec.Struct):
    data: _Sent


_decode = msgspec.json.Decoder(_Message).decode


class Tracing:
    """What makes spans, while they are asked for.

    Parameters
    ----------
    processor : takes the spans that have ended.
    """

    def __init__(self, processor: "SpanProcessor") -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        self._given = threading.local()
        resource = Resource.create({"service.name": "signals", "service.version": __version__})
        self._provider: TracerProvider = TracerProvider(
            resource=resource, id_generator=_generator(self._given), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("signals", __version__)
        self._fetches: deque[_Fetch] = deque(maxlen=_FETCHES)

    @contextlib.contextmanager
    def span(self, name: str, **attributes: Any) -> Iterator[None]:
        """A span around work; what is raised in it is noted."""
        with self._tracer.start_as_current_span(name, attributes=attributes):
            yield

    @contextlib.contextmanager
    def fetch(self, source: str) -> Iterator[None]:
        """A span around one look at a source."""
        begun_at = utc_now()
        with self._tracer.start_as_current_span("fetch", attributes={"source": source}) as span:
            try:
                yield
            finally:
                self._fetches.append(_Fetch(source, begun_at, utc_now(), span.get_span_context()))

    def stepped(self, batch: Iterable["Headline"], signals: Iterable["Signal"], at: dt.datetime) -> None:
        """A step took these headlines at a UTC time, and made these signals."""
        from opentelemetry.trace import Link

        made = {signal.headline_id: signal.signal_id for signal in signals}
        for one in batch:
            known: dict[str, str | bool] = {
                "headline_id": one.headline_id, "source": one.source, "backfilled": one.backfilled,
            }  # fmt: skip
            found = self._fetched(one)
            links = [Link(found)] if found else []
            begun = _ns(one.known_at)
            self._given.ids = _ids(one.headline_id)
            root = self._tracer.start_span("headline", _none(), attributes=known, links=links, start_time=begun)
            self._given.ids = None
            step = self._tracer.start_span("step", _within(one.headline_id), start_time=begun)
            step.set_attributes({"headline_id": one.headline_id, "signal_id": made.get(one.headline_id, "")})
            step.end(_ns(at))
            root.end(_ns(at))

    def sent(self, rows: Iterable["Outgoing"], begun_at: dt.datetime, at: dt.datetime) -> None:
        """These messages were sent between two UTC times."""
        for row in rows:
            name = _decode(row.event).data.headline_id
            if name:
                span = self._tracer.start_span("publish", _within(name), start_time=_ns(begun_at))
                span.set_attributes({"headline_id": name, "seq": row.seq, "epoch": row.epoch, "type": row.type})
                span.end(_ns(at))

    def end(self) -> None:
        """Send what is left; takes a few seconds at most."""
        self._provider.shutdown()

    def _fetched(self, headline: "Headline") -> "SpanContext | None":
        """The fetch that brought it; null where it was pushed in, or by another process."""
        for one in reversed(self._fetches):
            if one.source == headline.source and one.begun_at <= headline.known_at <= one.ended_at + _SLACK:
                return one.context
        return None


_tracing: Tracing | None = None


def begin(environ: Mapping[str, str] = os.environ) -> None:
    """Trace from now on, where that is asked for.

    Raises
    ------
    ConfigError : it is asked for, and the library is not there.
    """
    endpoint = environ.get(VARIABLE)
    if not endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(VARIABLE, "wants OpenTelemetry", "pip install 'usdjpy-signals[traces]'") from error
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigError(VARIABLE, "is no http(s) address", "for example http://127.0.0.1:4318")
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_S)
    use(Tracing(BatchSpanProcessor(exporter, export_timeout_millis=_EXPORT_S * 1000)))


def use(tracing: Tracing | None) -> None:
    """Trace by this one from now on; null: no longer."""
    global _tracing
    _tracing = tracing


def end() -> None:
    """Trace no longer; what is left is sent."""
    if _tracing is not None:
        _tracing.end()
        use(None)


def span(name: str, **attributes: Any) -> contextlib.AbstractContextManager[None]:
    """A span around work; nothing where nobody traces."""
    return _tracing.span(name, **attributes) if _tracing else contextlib.nullcontext()


def fetch(source: str) -> contextlib.AbstractContextManager[None]:
    """A span around one look at a source."""
    return _tracing.fetch(source) if _tracing else contextlib.nullcontext()


def stepped(batch: Iterable["Headline"], signals: Iterable["Signal"], at: dt.datetime) -> None:
    """A step took these headlines at a UTC time, and made these signals."""
    if _tracing:
        _tracing.stepped(batch, signals, at)


def sent(rows: Iterable["Outgoing"], begun_at: dt.datetime, at: dt.datetime) -> None:
    """These messages were sent between two UTC times."""
    if _tracing:
        _tracing.sent(rows, begun_at, at)


def _generator(given: threading.local) -> Any:
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """Random ids, but for the root of a headline's trace."""

        def generate_trace_id(self) -> int:
            ids = getattr(given, "ids", None)
            return ids[0] if ids else super().generate_trace_id()

        def generate_span_id(self) -> int:
            ids = getattr(given, "ids", None)
            return ids[1] if ids else super().generate_span_id()

    return Ids()


def _ids(headline_id: str) -> tuple[int, int]:
    """The trace of a headline, and its root: 16 and 8 bytes, never zero."""
    digest = hashlib.sha256(headline_id.encode()).digest()
    return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1


def _within(headline_id: str) -> Any:
    """The context of a headline's root."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    trace_id, span_id = _ids(headline_id)
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=False, trace_flags=sampled)))


def _none() -> Any:
    """No context: what begins there begins a trace."""
    from opentelemetry.context import Context

    return Context()


def _ns(at: dt.datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
