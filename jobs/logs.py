"""Logs: JSON lines to a rotated file, and to stderr short lines on a terminal, JSON elsewhere.

Keys stand in a fixed order. `event` is the name of what happened, from `EVENTS`; `EVENTS.md` is made of it. No line
tells a secret (`redact.py`). At most one line a headline is of level info or above.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import stamina
import structlog

from jobs import redact
from jobs.clock import utc_now
from jobs.log_faults import File, Screen, ToldOnce

EVENTS = {
    "job.start": "a run of a job began",
    "job.end": "it ended: outcome, duration_s, counts, error",
    "job.paused": "someone paused a job: until when, and why",
    "job.resumed": "someone let a paused job go on",
    "source.failed": "a source of headlines gave no usable answer: reason and mend",
    "source.note": "one item or document of a source could not be used",
    "price.failed": "a source of prices gave no usable answer",
    "quotes.connected": "the stream of live quotes is there",
    "quotes.lost": "the stream of live quotes broke or fell silent; it is made anew",
    "model.trained": "a model was fitted; says whether it replaces the one in place",
    "model.set_aside": "the model of this home could not be read: it was moved away, and the shipped one is used",
    "broker.resent": "Redis had lost messages: the tail of the outbox was sent again",
    "log.failed": "lines cannot be written to a place: why, and the mend; told once, on stderr or in the file",
    "log.resumed": "they can again; `lost` were not written meanwhile",
    "web.failed": "a request met a defect: path, and its traceback",
    "alert.opened": "something has been wrong for long enough: key, severity, text",
    "alert.repeated": "it is so still",
    "alert.closed": "it has been well for long enough",
    "worker.start": "a worker of `signals work` is up",
    "worker.counts": "what it did in the last minute: entries taken, scored, handed on, reclaimed, rejected; `waited`",
    "worker.stop": "it has ended, as it was asked to, or for a new model",
    "worker.died": "it ended though nobody asked it to: why; another takes its place after wait_s",
    "worker.failed": "it met a fault that it cannot go on with",
    "worker.redis_lost": "its Redis is away or refuses it: why; it is asked again, and this is told once",
    "worker.redis_back": "it is there again",
    "inbox.redriven": "dead letters were put back into the inbox: how many",
    "lease.taken": "this service leads from now on: its fencing token, and before, who led and fell silent",
    "lease.stands_by": "this service is up and another leads: it takes over once that one falls silent",
    "lease.lost": "this service leads no more, or cannot be sure to: why; it is started anew at once, to stand by",
    "lease.own_redis": "another service shares the store and not our Redis: what is to be set",
    "service.start": "the service is up",
    "clock.set_back": "the clock was set back: jobs that waited for the old time wait for their interval only",
    "service.stop": "the service was asked to end, and does",
    "service.killed": "the service hung, so its minder killed it: why; it is started anew",
    "service.died": "the service ended though nobody asked it to: why; it is started anew after wait_s",
    "service.crash_loop": "it dies again and again: how often, and its last exit code; it is still started anew",
}
"""Every event name and what it means; nothing else is logged by this product."""

_ORDER = (
    "time", "level", "event", "run_id", "job", "source", "trigger", "attempt", "drift_s", "outcome", "duration_s",
    "counts", "reason", "error",
)  # fmt: skip
"""These come first; the others follow by the alphabet."""
_COLOURS = {"error": "\x1b[31m", "critical": "\x1b[31m", "warning": "\x1b[33m", "debug": "\x1b[2m"}
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_LIBRARIES = ("yfinance", "apscheduler", "peewee", "urllib3", "asyncio", "opentelemetry")
_MAX_BYTES = 10_000_000
_KEPT_FILES = 5


def log_file(home: Path) -> Path:
    """Where the JSON lines of this home are kept."""
    return home / "logs" / "signals.jsonl"


def rotated(home: Path) -> list[Path]:
    """The files that were full, oldest first; those that there are."""
    path = log_file(home)
    files = [path.with_name(f"{path.name}.{number}") for number in range(_KEPT_FILES, 0, -1)]
    return [file for file in files if file.exists()]


def configure(
    home: Path,
    *,
    stream: TextIO = sys.stderr,
    level: int = logging.INFO,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Send this process's logs to the home's file and to `stream`; the environment says what is secret."""
    redact.know(redact.Secrets(home, environ))
    path = log_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = File(
        path, maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8", delay=True, errors="backslashreplace"
    )
    file.setFormatter(_formatter(_json))
    file.setLevel(logging.DEBUG)
    screen = Screen(stream)
    short = _coloured if not environ.get("NO_COLOR") else _short
    screen.setFormatter(_formatter(short if stream.isatty() else _json))
    screen.setLevel(level)
    logger = logging.getLogger("signals")
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.handlers = [file, screen]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    _tell_each_other(file, str(path), screen)
    # What libraries say of retries and cookies is told by our own events: it goes to no screen.
    for name in _LIBRARIES:
        logging.getLogger(name).handlers = [file]
        logging.getLogger(name).propagate = False
    stamina.instrumentation.set_on_retry_hooks([])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _tell_each_other(file: ToldOnce, path: str, screen: ToldOnce) -> None:
    """What is wrong with one is told by the other alone."""
    for handler, place, name, other in (
        (file, path, "signals.beside_file", screen),
        (screen, "stderr", "signals.beside_stderr", file),
    ):
        handler.place, handler.other = place, name
        beside = logging.getLogger(name)
        beside.handlers, beside.propagate = [other], False
        beside.setLevel(logging.DEBUG)


def logger() -> structlog.stdlib.BoundLogger:
    """The product's logger."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger("signals")
    return bound


def lines_of(home: Path, run_id: str) -> Iterator[dict[str, Any]]:
    """Log lines of one run, oldest first, from the file and its rotated ones."""
    for file in (*rotated(home), log_file(home)):
        if file.exists():
            with file.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    if run_id in line and (entry := _parsed(line)).get("run_id") == run_id:
                        yield entry


def _parsed(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:  # a line cut off by a kill
        return {}
    return entry if isinstance(entry, dict) else {}


def _formatter(render: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_secrets,
            render,
        ]
    )


def _json(_logger: Any, _name: str, entry: dict[str, Any]) -> str:
    entry.setdefault("time", utc_now().isoformat())  # a library's line has none of its own
    first = {key: entry[key] for key in _ORDER if key in entry}
    return json.dumps(first | {k: entry[k] for k in sorted(entry) if k not in first}, ensure_ascii=False)


def _without_secrets(_logger: Any, _name: str, entry: MutableMapping[str, Any]) -> dict[str, Any]:
    return {str(key): redact.clean_all(value) for key, value in entry.items()}


def _coloured(logger: Any, name: str, entry: dict[str, Any]) -> str:
    line = _short(logger, name, entry)
    return f"{_DIM}{line[:8]}{_PLAIN}{_COLOURS.get(entry.get('level', ''), '')}{line[8:]}{_PLAIN}"


def _short(_logger: Any, _name: str, entry: dict[str, Any]) -> str:
    entry.setdefault("time", utc_now().isoformat())
    rest = {k: v for k, v in entry.items() if k not in ("time", "level", "event", "run_id", "job")}
    shown = "  ".join(f"{key}={_compact(value)}" for key, value in rest.items() if value not in (None, {}, [], ()))
    return f"{entry['time'][11:19]} {entry.get('job', ''):<10} {entry['event']:<14} {shown}"


def _compact(value: Any) -> str:
    return " ".join(f"{k}:{v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
