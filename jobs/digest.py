"""The day in some lines: what was wrong and for how long, what came in and went out, what came of it."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from jobs.alerting import Message
from jobs.app import App
from jobs.spans import span
from signals.delivery import alert as wire
from signals.model import FeedState
from signals.store import alerts, counts, feeds, forward_returns
from signals.store.alerts import Alert
from signals.store.forward_returns import Settled

_DAY = dt.timedelta(days=1)
_MOST_ALERTS = 1000
_SHOWN = 10


class Day(NamedTuple):
    """What the digest is made of: the 24 hours up to `at` (UTC)."""

    at: dt.datetime
    headlines: int
    signals: dict[str, int]
    """Signals told live, by direction."""
    alerts: Sequence[Alert]
    """Open in that time."""
    down: Sequence[FeedState]
    """Sources that do not answer now."""
    settled: Sequence[Settled]


def due_day(at: dt.datetime, digest_at: str) -> dt.date | None:
    """The UTC day whose digest is due by now; null before its time, or where there is none."""
    return at.date() if digest_at and f"{at:%H:%M}" >= digest_at else None


def digest_message(app: App, day: dt.date, at: dt.datetime) -> Message:
    """The digest of a day. Raises StoreError."""
    since = at - _DAY
    known = {feed.id for feed in app.settings.feeds if feed.enabled}
    with app.quick_store.read() as conn:
        seen = Day(
            at=at,
            headlines=counts.headlines_since(conn, since),
            signals=counts.signals_since(conn, since),
            alerts=alerts.told(conn, limit=_MOST_ALERTS, since=since),
            down=[state for state in feeds.states(conn) if state.source in known and state.failures],
            settled=forward_returns.since(conn, since),
        )
    name = f"digest-{day.isoformat()}"
    told = wire.Alert(
        alert_id=name,
        action="digest",
        key="digest",
        severity="info",
        text=digest_text(seen),
        mend="",
        opened_at=None,
        last_seen_at=None,
        closed_at=None,
    )
    return Message(name, wire.encode_alert(told, message_id=name, time=at))


def digest_text(day: Day) -> str:
    """The lines of the digest."""
    ways = ", ".join(f"{number} {way}" for way, number in sorted(day.signals.items()))
    lines = [
        f"The 24 hours up to {day.at:%Y-%m-%d %H:%M} UTC",
        f"Headlines: {day.headlines}. Signals: {sum(day.signals.values())}" + (f" ({ways})." if ways else "."),
        "Sources down: " + (", ".join(one.source for one in day.down) or "none") + ".",
        _card_line(day.settled),
    ]
    if not day.alerts:
        return "\n".join((*lines, "Alerts: none."))
    open_now = sum(one.closed_at is None for one in day.alerts)
    lines.append(f"Alerts: {len(day.alerts)}, of which {open_now} open still.")
    lines += [_alert_line(one, day.at) for one in day.alerts[:_SHOWN]]
    if len(day.alerts) > _SHOWN:
        lines.append(f"… and {len(day.alerts) - _SHOWN} more: `signals alerts --all`")
    return "\n".join(lines)


def _alert_line(alert: Alert, at: dt.datetime) -> str:
    opened = alert.opened_at or alert.first_seen_at
    lasted = span(((alert.closed_at or at) - opened).total_seconds())
    state = f"for {lasted}" if alert.closed_at else f"open since {lasted}"
    return f"- {opened:%H:%M} {alert.key}, {state}: {alert.text}"


def _card_line(settled: Sequence[Settled]) -> str:
    if not any(one.outcome for one in settled):
        return "Scorecard: no call settled."
    from signals.research.card import Row, card  # loads scipy

    made = card([Row(*one) for one in settled], None, settled[0].signal.known_at)
    if made.mean_net_bp.value is None:
        return "Scorecard: no call settled."
    calls, net_bp = made.hits + made.misses, made.mean_net_bp.value
    return f"Scorecard: {made.hits} of {calls} calls hit, {net_bp:+.1f} bp a call net of costs."
