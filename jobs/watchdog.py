"""The watchdog job: judges what is fresh, keeps the alerts, and sees to it that they are sent.

What it decides is kept in one transaction: the alerts as they are now, and what is to be sent of them. So however many
watch one store, and however often they are restarted, each alert opens, repeats and closes once. While the store can
not be written the alerts are carried in memory and sent from there, and kept once it can be.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from jobs import alerting, notify
from jobs.alerting import Change, Message
from jobs.app import App
from jobs.aside import Aside
from jobs.digest import digest_message, due_day
from jobs.finding import Finding
from jobs.freshness import judge
from jobs.observed import WATCH, observe
from jobs.runner import Report, Run
from signals.errors import StoreError
from signals.store import alerts, notices, outlook
from signals.store.alerts import Alert
from signals.store.notices import Notice

_UNWATCHED = dt.timedelta(seconds=120)
"""After so long without a judgement nobody knows what happened meanwhile."""
_SEND_S = 3.0
"""How long a run waits for what it sends; the rest is told of by the next."""


class Watchdog:
    """The watchdog of one service.

    Parameters
    ----------
    app : the service's parts.
    next_runs : gives each job's next scheduled time, UTC.
    """

    def __init__(self, app: App, next_runs: Callable[[], Mapping[str, dt.datetime | None]]) -> None:
        self._app = app
        self._next_runs = next_runs
        self._sender = notify.Sender(app)
        self._sending = Aside("sending alerts", self._sender)
        self._missing = notify.missing(app)
        self._standing: dict[str, Alert] = {}
        self._owed: dict[str, Alert] = {}
        self._dropped: set[str] = set()
        """Ids of alerts that were dropped in memory and stand in the store still."""
        self._told_day: dt.date | None = None
        self._fault: str | None = None
        """Why the store could not be written the last time."""

    def __call__(self, run: Run) -> Report:
        """Look, judge, keep, send."""
        observed = observe(self._app, self._next_runs)
        findings = judge(observed, self._app.settings.freshness)
        changes, fault = self._keep(findings, observed.at)
        observer = self._app.observer
        # Twice in a row: once is any long transaction of another job.
        observer.judged_at, observer.write_fault, self._fault = observed.at, fault if self._fault else None, fault
        for change in changes:
            if change.told is not None:
                run.log.bind(key=change.alert.key).warning(
                    f"alert.{change.told}", severity=change.alert.severity, text=change.alert.text
                )
        digest_fault = None if fault else self._digest(observed.at)
        told = [change.told for change in changes]
        counts = {name: told.count(name) for name in ("opened", "repeated", "closed")}
        counts |= {"findings": len(findings), "open": sum(one.opened_at is not None for one in self._standing.values())}
        return Report(counts, tuple(note for note in (fault, digest_fault, *self._send()) if note))

    def _send(self) -> tuple[str, ...]:
        """Begin to send what waits, and say what waits still."""
        said, self._missing = (self._missing,) if self._missing else (), None
        self._sending.begin()
        fault = self._sending.fault(_SEND_S)
        return (*said, *(self._sending.given or ()), *((fault,) if fault else ()))

    def _keep(self, findings: Sequence[Finding], at: dt.datetime) -> tuple[list[Change], str | None]:
        """Decide and keep it; in memory where the store cannot be written, with the reason."""
        idle = not self._sending.busy  # asked once: what is not kept now must not be forgotten below
        try:
            with self._app.quick_store.write() as conn:
                changes = self._decide(conn, findings, at, loose=self._sender.loose if idle else ())
                still = alerts.standing(conn)
        except StoreError as error:
            return self._carry(findings, at), f"writing to the store: {error.problem}"
        self._standing, self._owed, self._dropped = {one.key: one for one in still}, {}, set()
        if idle:
            self._sender.loose = []
        return changes, None

    def _decide(
        self, conn: sa.Connection, findings: Sequence[Finding], at: dt.datetime, *, loose: Sequence[Notice]
    ) -> list[Change]:
        alerts.hold(conn)
        for alert_id in self._dropped:  # first: of each key one alert stands at a time
            alerts.drop(conn, alert_id)
        for one in self._owed.values():
            alerts.save(conn, one)
        notices.add(conn, loose)  # what is being sent this moment is kept the next time
        last_at = outlook.watched_at(conn, WATCH)
        gap = last_at if last_at is not None and at - last_at > _UNWATCHED and not self._owed else None
        changes = alerting.step(alerts.standing(conn), findings, at, self._app.settings.alerts, unwatched_since=gap)
        for change in changes:
            if change.dropped:
                alerts.drop(conn, change.alert.alert_id)
            else:
                alerts.save(conn, change.alert)
        notices.add(conn, self._notices(changes, at))
        outlook.watch(conn, WATCH, at)
        return changes

    def _carry(self, findings: Sequence[Finding], at: dt.datetime) -> list[Change]:
        """The same from memory."""
        changes = alerting.step(list(self._standing.values()), findings, at, self._app.settings.alerts)
        for change in changes:
            alert = change.alert
            if change.dropped or alert.closed_at is not None:
                self._standing.pop(alert.key, None)
            else:
                self._standing[alert.key] = alert
            if not change.dropped:
                self._owed[alert.alert_id] = alert
            else:
                self._owed.pop(alert.alert_id, None)
                self._dropped.add(alert.alert_id)
        self._sender.loose += self._notices(changes, at)
        return changes

    def _notices(self, changes: Sequence[Change], at: dt.datetime) -> list[Notice]:
        told = [alerting.message(change, at) for change in changes if change.told is not None]
        return [one for message in told for one in self._by_all_ways(message, at)]

    def _by_all_ways(self, message: Message, at: dt.datetime) -> list[Notice]:
        return [Notice(message.notice_id, way, at, message.body, next_try_at=at) for way in self._sender.ways]

    def _digest(self, at: dt.datetime) -> str | None:
        """Make the day's digest once it is due; why not, where the store does not let us."""
        day = due_day(at, self._app.settings.alerts.digest_at)
        if day is None or day == self._told_day:
            return None
        try:
            message = digest_message(self._app, day, at)
            with self._app.quick_store.write() as conn:
                notices.add(conn, self._by_all_ways(message, at))
        except StoreError as error:
            return f"digest: {error.problem}"
        self._told_day = day
        return None
