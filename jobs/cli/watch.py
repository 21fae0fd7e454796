"""`signals watch`: follow the published signals through the client that bots use."""

import datetime as dt
import re
import sys
from typing import Annotated

import msgspec
import typer

from jobs import logs
from jobs.app import App
from jobs.cli import options
from jobs.cli.tables import age, direction, state
from signals.delivery.client import connect
from signals.delivery.items import Gap, Item, Quiet, Received, Restored, Silence
from signals.errors import ConfigError
from signals.message import Index, Retraction, Signal

_TIME = "%Y-%m-%d %H:%M:%S"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch", epilog="Example: signals watch --since 1h")(watch)


def watch(
    context: typer.Context,
    from_id: Annotated[str | None, typer.Option("--from", metavar="ID", help="Go on after this stream id.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="AGE", help="Begin this long ago: 30s, 15m, 1h, 2d.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Only what is published from now on.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Leave out what has expired, as the client does for a bot.")
    ] = False,
    count: Annotated[int | None, typer.Option("--count", metavar="N", min=1, help="End after N signals.")] = None,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Follow the published signals: the whole log, then each new one as it comes. Ctrl-C ends it.

    It resumes by id, shows gaps, and says when the publisher falls silent. Works before, during and
    after a `signals run`: where no Redis runs for this home, it starts one for as long as it is needed.
    """
    start = _start(from_id, since, new)
    settings = options.settings(context, config)
    settings.home.mkdir(parents=True, exist_ok=True)
    logs.configure(settings.home)
    app = App(settings)
    try:
        with connect(ensure=app.redis_url, live_only=live, clock=app.clock, verify=settings.verify_key) as client:
            for item in client.signals(start, count=count):
                sys.stdout.write((_json(item) if as_json else _line(item, app.clock(), client.invalid)) + "\n")
                sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    finally:
        app.close()


def _start(from_id: str | None, since: str | None, new: bool) -> str | dt.timedelta:
    if sum((from_id is not None, since is not None, new)) > 1:
        raise ConfigError("signals watch", "takes one of --from, --since and --new", "leave the others out")
    if since is not None:
        return options.span(since, "--since")
    return "new" if new else from_id or "all"


def _json(item: Item) -> str:
    if isinstance(item, Received):
        told: dict[str, object] = {
            "stream_id": item.stream_id,
            "expired": item.expired,
            "late": item.late,
            "retracted": item.retracted,
            "event": item.event,
        }
    else:
        told = {type(item).__name__.lower(): item}
    return msgspec.json.encode(told).decode()


def _line(item: Item, now: dt.datetime, invalid: int = 0) -> str:
    match item:
        case Received():
            return f"{item.event.seq:>6}  {_message(item, now)}  [{item.stream_id}]"
        case Gap():
            return f"  -- gap: messages {item.missing_from or '?'} to {item.missing_to} can no longer be had"
        case Silence():
            heard = "since the start" if item.heard_at is None else f"for {age((now - item.heard_at).total_seconds())}"
            why = item.fault or "the publisher is down: is `signals serve` running?"
            skipped = f"; skipped, since unreadable or not signed by the key: {invalid}" if invalid else ""
            return f"  -- silence: no heartbeat {heard}; {why}{skipped}"
        case Restored():
            return "  -- heartbeats are back"
        case Quiet():
            down = [source.id for source in item.heartbeat.sources if source.state == "down"]
            why = f"sources down: {', '.join(down)}" if down else "the publisher is well"
            why = item.heartbeat.store_error or why
            return f"  -- quiet: no signal for {age(item.quiet_s)}; {why}"


def _message(item: Received, now: dt.datetime) -> str:
    match item.event.data:
        case Signal() as s:
            price = "no price" if s.ref_price is None else f"{s.ref_price:.3f}{' stale' if s.stale else ''}"
            said = re.sub(r"\[/?\w*\]", "", direction(s))
            standing = "retracted" if item.retracted else state(s, now)
            return f"{s.known_at:{_TIME}}  {said:<9} {s.strength:.2f}  {price:<16} {standing:<18} {s.title}"
        case Retraction() as r:
            over = ", had expired" if item.expired else ""
            return f"{r.known_at:{_TIME}}  ✕ retracted: signal {r.signal_id} ({r.reason}{over})"
        case Index() as i:
            made_of = f"{i.n_signals} signals of {i.n_sources} sources, half-life {age(i.half_life_s)}"
            return f"{item.event.time:{_TIME}}  ◆ index {i.value:+.2f}: {made_of}"
        case _:
            return item.event.type
