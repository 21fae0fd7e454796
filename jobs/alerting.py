"""When someone is told: what was found against what stands. Pure; `watchdog` keeps what comes of it.

1. What is found for the first time stands, and is told of to nobody yet.
2. Once it has been found for `for_s` without a break its alert opens; what flaps faster never does.
3. It is told again every `repeat_s`, and at once where it turns critical.
4. Once it has not been found for `clear_s` without a break its alert closes.

While nobody judged (the service was down), neither time runs. What another finding explains opens no alert of its
own, and what stands of it stays as it is, since it cannot be judged.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from jobs.finding import Finding
from jobs.freshness import explained
from jobs.objectives import Alerts
from signals.delivery import alert as wire
from signals.store.alerts import Alert
from signals.text import stable_id

Action = Literal["opened", "repeated", "closed"]


class Change(NamedTuple):
    """What becomes of one alert."""

    alert: Alert
    told: Action | None = None
    """What is to be told of it; null: nothing."""
    dropped: bool = False
    """It was never told, and is over."""


class Message(NamedTuple):
    """A message for all ways."""

    notice_id: str
    body: bytes


def step(
    standing: Sequence[Alert],
    findings: Sequence[Finding],
    at: dt.datetime,
    rules: Alerts,
    *,
    unwatched_since: dt.datetime | None = None,
) -> list[Change]:
    """What changes at a UTC time.

    Parameters
    ----------
    standing : all alerts that are not closed.
    unwatched_since : when it was last judged, where that was so long ago that nobody knows what happened since; UTC.
    """
    found = {one.key: one for one in findings}
    stands = {one.key: _kept_time(one, at, unwatched_since) for one in standing}
    causes = {key for key in found if not explained(key, found)}
    changes = [
        _seen(alert, found[key], at, rules, held=key not in causes) for key, alert in stands.items() if key in found
    ]
    kept = {one.key: one for one in standing}
    changes += [one for one in _cleared(stands, found, at, rules) if one.dropped or one.alert != kept[one.alert.key]]
    changes += [_grown(_new(found[key], at), at, rules) for key in sorted(causes - stands.keys())]
    return changes


def message(change: Change, at: dt.datetime) -> Message:
    """What is sent of a change that is to be told. Its id is the same whoever makes it."""
    alert, action = change.alert, change.told
    assert action is not None
    nth = alert.repeated_at.isoformat() if action == "repeated" and alert.repeated_at else ""
    notice_id = stable_id("notice", alert.alert_id, action, nth)
    told = wire.Alert(
        alert_id=alert.alert_id,
        action=action,
        key=alert.key,
        severity=alert.severity,
        text=alert.text,
        mend=alert.mend,
        opened_at=alert.opened_at,
        last_seen_at=alert.last_seen_at,
        closed_at=alert.closed_at,
    )
    return Message(notice_id, wire.encode_alert(told, message_id=notice_id, time=at))


def _new(finding: Finding, at: dt.datetime) -> Alert:
    return Alert(
        alert_id=stable_id("alert", finding.key, at.isoformat()),
        key=finding.key,
        severity=finding.severity,
        first_seen_at=at,
        last_seen_at=at,
        text=finding.text,
        mend=finding.mend,
    )


def _kept_time(alert: Alert, at: dt.datetime, unwatched_since: dt.datetime | None) -> Alert:
    """The alert without the time that nobody watched, or that a clock set back took away."""
    unwatched = unwatched_since is not None
    if alert.opened_at is None and (unwatched or alert.first_seen_at > at):
        alert = msgspec.structs.replace(alert, first_seen_at=at)
    if alert.clear_since is not None and (unwatched or alert.clear_since > at):
        alert = msgspec.structs.replace(alert, clear_since=at)
    return alert


def _seen(alert: Alert, finding: Finding, at: dt.datetime, rules: Alerts, *, held: bool) -> Change:
    worse = alert.severity != "critical" and finding.severity == "critical"
    seen = msgspec.structs.replace(
        alert, severity=finding.severity, text=finding.text, mend=finding.mend, last_seen_at=at, clear_since=None
    )
    if held:
        return Change(seen, dropped=seen.opened_at is None)
    if seen.opened_at is None:
        return _grown(seen, at, rules)
    last_told = seen.repeated_at or seen.opened_at
    if worse or at - last_told >= dt.timedelta(seconds=rules.repeat_s):
        return Change(msgspec.structs.replace(seen, repeated_at=at), "repeated")
    return Change(seen)


def _grown(alert: Alert, at: dt.datetime, rules: Alerts) -> Change:
    """It opens where it has been found for long enough."""
    if at - alert.first_seen_at < dt.timedelta(seconds=rules.for_s):
        return Change(alert)
    return Change(msgspec.structs.replace(alert, opened_at=at), "opened")


def _cleared(
    stands: Mapping[str, Alert], found: Mapping[str, Finding], at: dt.datetime, rules: Alerts
) -> Iterator[Change]:
    for key, alert in stands.items():
        if key in found:
            continue
        if alert.opened_at is None:
            yield Change(alert, dropped=True)
            continue
        if explained(key, found):  # nobody can say: the time that it is well begins anew
            yield Change(msgspec.structs.replace(alert, clear_since=None))
            continue
        since = alert.clear_since or at
        if at - since >= dt.timedelta(seconds=rules.clear_s):
            yield Change(msgspec.structs.replace(alert, clear_since=since, closed_at=at), "closed")
        else:
            yield Change(msgspec.structs.replace(alert, clear_since=since))
