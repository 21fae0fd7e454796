"""A console on a temporary home, seeded as a day would: bars, an index, signals of every kind, runs, sources."""

import datetime as dt
import functools
import math
import random
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.console.routes import add_routes
from jobs.follow import Following
from jobs.publish import encode
from jobs.settings import load
from jobs.web import Web
from signals.message import Index, Retraction, Signal
from signals.model import Evidence, FeedState, ForwardReturn, JobRun
from signals.store import bars, feeds, forward_returns, headlines, runs, signals
from signals.store.signals import Told
from tests.core.conftest import HOUR, MINUTE, SECOND, make_bar, make_headline, make_signal
from tests.jobs.conftest import Shell, now

FEEDS = "".join(
    f'[[feed]]\nid = "{name}"\nkind = "rss"\nurl = "https://{name}.example/rss"\nevery_s = 300\n\n'
    for name in ("wire", "desk", "boj")
)
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> & "quoted" \u202eevil'
TITLES = {
    "down": ("BOJ hikes policy rate to 1.0% as Ueda warns on weak yen", (0, 9), "boj.tighten"),
    "up": ("US payrolls beat forecasts, dollar jumps", (0, 26), "us.labor.beat"),
    "flat": ("Japan's finance minister declines to comment on FX", (0, 5), "mof.silent"),
}
_TOPICS = {"down": ("boj.policy",), "up": ("us.labor",), "flat": ("mof.intervention",)}
_SHARES = {"up": (0.75, 0.15, 0.1), "flat": (0.1, 0.8, 0.1), "down": (0.1, 0.15, 0.75)}


class Console:
    """One home, and the page served from it by a server of this process."""

    def __init__(self, folder: Path, feeds_file: str = FEEDS) -> None:
        self.shell = Shell(folder, feeds_file)
        self.app = App(load(self.shell.config, self.shell.env))
        self.web: Web | None = None
        self.url = ""

    def start(self, port: int = 0) -> str:
        """Serve; returns the address."""
        self.shell.env["SIGNALS_CONSOLE_PORT"] = str(port)
        self.app.settings = load(self.shell.config, self.shell.env)
        runner = runner_for(self.app)
        following = Following(runner, self.app.clock)
        self.web = Web(self.app, lambda: None, (add_routes,), runner=runner, following=following)
        self.url = self.web.start()
        return self.url

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def close(self) -> None:
        """End all of it."""
        self.stop()
        self.app.close()

    def stop(self) -> None:
        """End the server; the home stays."""
        if self.web is not None:
            self.web.stop()
            self.web = None

    def tell(self, told: Sequence[Told], *, at: dt.datetime | None = None) -> None:
        """Put these out as a step of the pipeline would, the headlines of signals with them."""
        at = at or now()
        with self.app.store.write() as conn:
            made = [one for one in told if isinstance(one, Signal)]
            headlines.add(conn, [make_headline(one.headline_id, known_at=one.known_at) for one in made])
            put(conn, told, at)


def put(conn: sa.Connection, told: Sequence[Told], at: dt.datetime) -> None:
    """Keep these and put them into the outbox."""
    written = functools.partial(encode, at)
    signals.add(conn, [], told, channel="USDJPY", now=at, encode=written, index_until=at + HOUR)


def called(name: str, at: dt.datetime, direction: str = "down", **changes: object) -> Signal:
    """A signal of this id, known at a UTC time."""
    title, span, feature = TITLES[direction]
    p_up, p_flat, p_down = _SHARES[direction]
    legs = {"down": (0.0, 0.8), "up": (0.7, 0.0), "flat": (0.0, 0.0)}[direction]
    weight = {"down": -2.1, "up": 1.8, "flat": 0.02}[direction]
    values = {
        "signal_id": name, "story_id": f"story-{name}", "headline_id": name, "headline_ids": (name,), "known_at": at,
        "source_published_at": at - MINUTE, "scored_at": at + SECOND, "valid_until": at + HOUR, "direction": direction,
        "p_up": p_up, "p_flat": p_flat, "p_down": p_down, "usd_effect": legs[0], "jpy_effect": legs[1], "title": title,
        "strength": round(0.9 * abs(p_up - p_down), 3), "topics": _TOPICS[direction], "ref_price_at": at - SECOND,
        "evidence": (Evidence(span=span, text=title[span[0] : span[1]], feature=feature, weight=weight),),
        "url": f"https://example.org/{name}", "source": "wire" if direction != "up" else "desk",
    }  # fmt: skip
    return make_signal(**(values | changes))


def seed(console: Console, *, hours: float = 30, per_hour: int = 2) -> None:
    """A day and more of everything, up to now; the newest signals are live."""
    at, chance = now().replace(second=0, microsecond=0), random.Random(7)
    price, made = 150.0, []
    for ago in range(int(hours * 60), 0, -1):
        price *= math.exp(chance.gauss(0, 1.2) / 1e4)
        high, low = price * 1.0001, price * 0.9999
        close_at = at - ago * MINUTE
        made.append(make_bar(close_at, round(price, 3), high=round(high, 3) + 0.01, low=round(low, 3) - 0.01))
    told = [
        called(f"s{n:04}", at - (hours - n / per_hour) * HOUR, ("down", "up", "flat")[n % 3])
        for n in range(int((hours - 0.5) * per_hour))
    ]
    with console.app.store.write() as conn:
        bars.add(conn, made)
    console.tell(told)
    with console.app.store.write() as conn:
        for n in range(int(hours) * 4):
            index = Index(value=round(math.sin(n / 9) * 0.7, 3), half_life_s=900, n_signals=n % 7, n_sources=2)
            told_at = at - hours * HOUR + n * 15 * MINUTE
            put(conn, [index], told_at)
        forward_returns.add(conn, [_outcome(one, n) for n, one in enumerate(told[:-2])])
        for state in _sources(console, at):
            feeds.save(conn, state)
        for run in _runs(at):
            runs.begin(conn, run)
    last = told[-1]
    console.tell(
        [
            Retraction(
                signal_id=told[-3].signal_id, story_id=told[-3].story_id, headline_id=told[-3].headline_id,
                known_at=at, retracted_at=at, valid_until=told[-3].valid_until, reason="withdrawn",
            ),
            called(
                "live-1", at - 2 * MINUTE, "down", story_id=last.story_id, action="updated", revision=2,
                supersedes=last.signal_id,
            ),
            called("live-2", at - MINUTE, "up", abstained=True, abstain_reason="no_words", strength=0.0, topics=()),
            called("hostile", at, "up", title=HOSTILE, url="javascript:alert(1)", evidence=()),
        ]
    )  # fmt: skip


def _outcome(signal: Signal, n: int) -> ForwardReturn:
    entry_at = signal.known_at + MINUTE
    return ForwardReturn(
        signal_id=signal.signal_id, horizon_s=3600, outcome="settled", entry_at=entry_at, entry_price=150.0,
        exit_at=entry_at + HOUR, exit_price=150.1, return_bp=round(math.sin(n) * 9, 2), cost_bp=0.6,
        source="yahoo", settled_at=entry_at + HOUR,
    )  # fmt: skip


def _sources(console: Console, at: dt.datetime) -> list[FeedState]:
    states = []
    for n, feed in enumerate(console.app.settings.feeds):
        down = n == 1
        states.append(
            FeedState(
                source=feed.id, last_attempt_at=at, last_success_at=at - (12 if down else 1) * MINUTE,
                failures=4 if down else 0, last_error="HTTP 503 from the server" if down else None,
                next_attempt_at=at + 2 * MINUTE,
            )
        )  # fmt: skip
    return states


def _runs(at: dt.datetime) -> list[JobRun]:
    made = []
    for job, every in (("ingest", 60), ("prices", 60), ("publish", 60), ("scorecard", 300)):
        for n in range(180 * 60 // every):
            started_at = at - n * every * SECOND
            failed = job == "ingest" and 20 <= n < 25
            made.append(
                JobRun(
                    run_id=f"{job}-{n:04}", job=job, trigger="schedule", scheduled_at=started_at,
                    started_at=started_at, ended_at=started_at + 3 * SECOND, counts={"new": n % 3},
                    outcome="failed" if failed else "partial" if n == 8 else "ok",
                    error="SourceError: desk: no answer" if failed else None,
                    notes=("desk: HTTP 503",) if n == 8 else (),
                )
            )  # fmt: skip
    return made
