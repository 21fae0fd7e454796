"""Sending alerts: by Redis, webhook and apprise, each in its order, tried again until it is a day old.

A way that is down holds up no other. What is to be sent stands in the store; a sender claims the oldest of a way for
a minute, so of two services one sends it. Only one that dies between sending and saying so is sent again: its
receiver can tell by the id.
"""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from jobs.app import App
from signals.delivery import chat
from signals.delivery.alert import decode_alert, publish_alert
from signals.errors import SignalsError
from signals.store import notices
from signals.store.notices import Notice

REDIS, WEBHOOK = "redis", "webhook"
KEEP_TRYING = dt.timedelta(days=1)
_CLAIM = dt.timedelta(seconds=60)
"""Longer than any try takes."""
_FIRST_WAIT_S, _MOST_WAIT_S = 15, 900
_AT_ONCE = 20
"""Of one way in one go."""


class Way(NamedTuple):
    """A way by which alerts are sent."""

    name: str
    shown: str
    """For people; without secrets."""
    send: Callable[[Notice, dt.datetime], None]
    """Sends one at a UTC time, or raises a SignalsError."""


def ways(app: App) -> Mapping[str, Way]:
    """All ways that are set, by name."""
    made = [Way(REDIS, "redis", lambda notice, _: _to_redis(app, notice))]
    url, secret, chats = app.settings.ways
    if url is not None and secret is not None:
        made.append(Way(WEBHOOK, "webhook", lambda notice, now: _to_webhook(url, secret, notice, now)))
    if chats and chat.installed():
        made += [_chat(one) for one in chats]
    return {way.name: way for way in made}


def missing(app: App) -> str | None:
    """What is set and cannot be used here, in one line; null where all can."""
    if app.settings.ways.apprise_urls and not chat.installed():
        return "SIGNALS_APPRISE_URLS: nothing is sent there: apprise is missing - install the extra `alerts`"
    return None


class Sender:
    """Sends what waits.

    Parameters
    ----------
    app : the service's parts.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.ways = ways(app)
        self.loose: list[Notice] = []
        """Notices made while the store could not be written; they are sent from here, and kept once it can be."""

    def __call__(self) -> tuple[str, ...]:
        """Send all that is due; returns what waits still, one line a way.

        Raises
        ------
        StoreError : the store does not say what there is to send.
        """
        self._send_loose()
        for way in self.ways.values():
            for _ in range(_AT_ONCE):
                if not self._send_next(way):
                    break
        now = self._app.clock()
        with self._app.quick_store.read() as conn:
            waiting = notices.waiting(conn, list(self.ways), now - KEEP_TRYING)
        return tuple(_told(self.ways[one.way].shown, one) for one in waiting)

    def _send_next(self, way: Way) -> bool:
        """Send the oldest of a way; whether there was one and it went."""
        now = self._app.clock()
        with self._app.quick_store.write() as conn:
            notice = notices.claim(conn, way.name, now, now + _CLAIM, now - KEEP_TRYING)
        if notice is None:
            return False
        ended = _tried(way, notice, now)
        with self._app.quick_store.write() as conn:
            notices.end(conn, ended)
        return ended.sent_at is not None

    def _send_loose(self) -> None:
        now = self._app.clock()
        for number, notice in enumerate(self.loose):
            if notice.sent_at is None and notice.next_try_at <= now:
                self.loose[number] = _tried(self.ways[notice.way], notice._replace(tries=notice.tries + 1), now)


def _tried(way: Way, notice: Notice, now: dt.datetime) -> Notice:
    """The notice after a try."""
    try:
        way.send(notice, now)
    except SignalsError as error:
        wait_s = min(_FIRST_WAIT_S * 2 ** min(notice.tries - 1, 10), _MOST_WAIT_S)
        return notice._replace(error=f"{error.problem}", next_try_at=now + dt.timedelta(seconds=wait_s))
    return notice._replace(sent_at=now, error=None)


def _told(shown: str, waiting: notices.Waiting) -> str:
    number, since = waiting.number, f"{waiting.oldest_at:%Y-%m-%d %H:%M:%S} UTC"
    why = f": {waiting.error}" if waiting.error else ""
    return f"{shown}: {number} alert{'s' * (number != 1)} wait{'s' * (number == 1)} since {since}{why}"


def _to_redis(app: App, notice: Notice) -> None:
    with app.redis_as_it_is() as client:
        publish_alert(client, notice.body, app.sign)


def _to_webhook(url: str, secret: str, notice: Notice, now: dt.datetime) -> None:
    from signals.delivery import webhook  # takes a while to load

    asyncio.run(webhook.post(url, secret, notice.notice_id, notice.body, now=now))


def _chat(url: str) -> Way:
    def send(notice: Notice, _: dt.datetime) -> None:
        alert = decode_alert(notice.body).data
        title = f"USD/JPY signals: {alert.action}" + (f", {alert.severity}" if alert.action != "digest" else "")
        chat.send(url, title, "\n".join(_lines(alert.text, alert.mend)), alert.severity)

    # The address holds tokens: its digest names it.
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    return Way(f"apprise-{digest}", f"apprise {chat.scheme_of(url)}", send)


def _lines(text: str, mend: str) -> Iterator[str]:
    yield text
    if mend:
        yield f"What to do: {mend}"
