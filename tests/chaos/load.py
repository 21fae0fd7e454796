"""What goes in and what comes out: a sender that never gives up, a bot, and what the two together tell."""

import contextlib
import datetime as dt
import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import redis

import signals
from signals.delivery.endpoints import endpoint
from signals.delivery.keys import keys_of
from signals.errors import BrokerError, SignalsError

KEYS = keys_of()
LAST = "Fed raises rates by 25 basis points, says it is the last word"
"""The title after which a bot has seen all."""
_PAUSE_S = 0.01
_SIZES = (10, 1, 30, 3)


def title(number: int) -> str:
    """A headline unlike every other of these: each becomes a signal. There are 40,000."""
    return f"USD/JPY climbs to {100 + number // 100}.{number % 100:02} in Tokyo"


class Feeder(threading.Thread):
    """Pushes headlines as fast as is asked; each batch again and again, by the same ids, until it is acknowledged.

    Parameters
    ----------
    home : names the address and holds the token.
    rate : headlines a second, in batches of one to thirty.
    """

    def __init__(self, home: Path, rate: float) -> None:
        super().__init__(name="feeder", daemon=True)
        self._home = home
        self._rate = rate
        self._ended = threading.Event()
        self._numbers = itertools.count()
        self.acknowledged: list[str] = []
        """Titles, in order."""
        self.refusals: Counter[str] = Counter()
        """What was answered instead of an acknowledgement."""

    def run(self) -> None:
        """Until `end`."""
        start = time.monotonic()
        for size in itertools.cycle(_SIZES):
            if self._ended.is_set():
                return
            self._push_all([title(number) for number in itertools.islice(self._numbers, size)])
            self._ended.wait(max(0.0, start + len(self.acknowledged) / self._rate - time.monotonic()))

    def end(self) -> None:
        """Bring the batch under way home, then the last headline, and stop."""
        self._ended.set()
        self.join()
        self._push_all([LAST])

    def _push_all(self, titles: list[str]) -> None:
        now = dt.datetime.now(dt.UTC).isoformat()
        body = json.dumps([{"id": one, "title": one, "source": "wire", "published_at": now} for one in titles])
        while not self._push(body):
            time.sleep(_PAUSE_S)
        self.acknowledged += titles

    def _push(self, body: str) -> bool:
        try:
            url = endpoint(self._home, "console")
            token = (self._home / "token").read_text()
        except (SignalsError, OSError):  # no service has got so far yet
            return False
        if url is None:
            return False
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=15)
        try:
            line.request("POST", "/v1/headlines", body, {"Authorization": f"Bearer {token}"})
            answer = line.getresponse()
            status, text = answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):  # killed before it could answer: it may have stored them
            return False
        finally:
            line.close()
        if status != 200:
            self.refusals[text] += 1
        return status == 200


class Bot(threading.Thread):
    """A bot that reads by the shipped client from the first signal until the last headline, whatever happens.

    Parameters
    ----------
    home : names the address, where `url` is not given.
    """

    def __init__(self, home: Path, *, url: str | None = None) -> None:
        super().__init__(name="bot", daemon=True)
        self._home = home
        self._url = url
        self.seen: list[signals.Received] = []
        self.gaps: list[signals.Gap] = []
        self.silences: list[signals.Silence] = []
        self.counts: object = None

    def run(self) -> None:
        """Read."""
        client, items = self._begin()
        with client:
            for item in items:
                if isinstance(item, signals.Gap):
                    self.gaps.append(item)
                elif isinstance(item, signals.Silence):
                    self.silences.append(item)
                elif isinstance(item, signals.Received):
                    self.seen.append(item)
                    if item.signal is not None and item.signal.title == LAST:
                        break
            self.counts = client.counts

    def _begin(self) -> tuple[signals.Client, Iterator[object]]:
        """Who begins is told at once of a server that is away: it may be killed just then."""
        while True:
            with contextlib.ExitStack() as stack:
                try:
                    client = stack.enter_context(signals.connect(self._url, home=self._home))
                    items = client.signals("all")
                except BrokerError:
                    time.sleep(_PAUSE_S)
                else:
                    stack.pop_all()
                    return client, items

    def titles(self) -> list[str]:
        """What was seen, in order."""
        return [item.signal.title for item in self.seen if item.signal is not None]


class Verdict(NamedTuple):
    """What became of the acknowledged headlines: all but `sent` should be 0."""

    sent: int
    lost: int
    repeated: int
    gaps: int
    out_of_order: int


def seen_by(bot: Bot, sent: list[str]) -> Verdict:
    """As the bot saw it."""
    seqs = [item.event.seq for item in bot.seen]
    missing = sum((gap.missing_to - (gap.missing_from or 1) + 1) for gap in bot.gaps)
    return _verdict(bot.titles(), seqs, sent, missing)


def in_stream(server: redis.Redis, sent: list[str]) -> Verdict:
    """As it stands in the stream."""
    events = [signals.decode(event) for event in _logged(server)]
    assert all(isinstance(event, signals.Event) for event in events)
    told = [event.data for event in events if isinstance(event, signals.Event)]
    titles = [data.title for data in told if isinstance(data, signals.Signal)]  # indexes stand between them
    return _verdict(titles, [event.seq for event in events], sent, 0)


def _logged(server: redis.Redis) -> Iterator[bytes]:
    after = "-"
    while page := server.xrange(KEYS.log, after, "+", count=1000):
        for entry_id, fields in page:
            yield fields[b"event"]
            after = f"({entry_id.decode()}"


def _verdict(titles: list[str], seqs: list[int], sent: list[str], missing: int) -> Verdict:
    steps = [after - before for before, after in itertools.pairwise([0, *seqs])]
    return Verdict(
        sent=len(sent),
        lost=len(set(sent) - set(titles)),
        repeated=len(titles) - len(set(titles)),
        gaps=missing + sum(step > 1 for step in steps),
        out_of_order=sum(step < 1 for step in steps),
    )
