"""The drill of sources: one feed down, all of them, and Yahoo that wants fewer requests."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.drill.clock import Clock
from tests.drill.service import Drill, mended, quiet, shown, until
from tests.drill.yahoo import Market, market
from tests.jobs.conftest import FeedServer, rss_row

FEEDS = ("boj", "fed", "wire")

pytestmark = pytest.mark.slow


class Publishers(Drill):
    """A service with three feeds and Yahoo, and what they answer."""

    def __init__(self, folder: Path, feeds: FeedServer, clock: Clock, yahoo: Market) -> None:
        rows = "".join(rss_row(feeds, f"/{name}", name) for name in FEEDS)
        more = {"SIGNALS__PRICES__ENABLED": "true"}
        super().__init__(folder, rows, clock=clock.now, module="tests.drill.launch", **clock.env, **yahoo.env, **more)
        self.feeds, self.time, self.yahoo = feeds, clock, yahoo

    def ask_again(self) -> None:
        """Have the sources asked now, as a person would who has mended one."""
        self.order("/console/api/jobs/ingest/run")


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishers]:
    folder = tmp_path_factory.mktemp("sources")
    feeds, clock = FeedServer(), Clock(folder)
    with market(folder) as yahoo, closing(Publishers(folder, feeds, clock, yahoo)) as made:
        yahoo.up_to(clock.now())
        made.start()
        yield made
    feeds.http.shutdown()
    feeds.http.server_close()


def test_a_feed_that_is_down(drill: Publishers) -> None:
    """One of three answers 500: it is named everywhere, no other is; it answers again and all is quiet."""
    quiet(drill)
    drill.feeds.status["/boj"] = 500
    shown(
        drill, "source:boj", sentence="boj down for", doctor="feed:boj",
        metric=lambda said: said['signals_source_consecutive_failures{source="boj"}'] > 0
        and said['signals_alerts_open{severity="warning"}'] > 0,
    )  # fmt: skip
    assert not drill.log("alert.opened", key="source:wire")
    assert not drill.log("alert.opened", key="sources")
    assert drill.ready() == (200, [])
    del drill.feeds.status["/boj"]
    drill.ask_again()
    mended(drill, "source:boj", sentence="boj")


def test_all_feeds_that_are_down(drill: Publishers) -> None:
    """All answer 500: one critical alert says so; they answer again and all is quiet."""
    quiet(drill)
    drill.feeds.status |= {f"/{name}": 500 for name in FEEDS}
    shown(
        drill, "sources", sentence="All 3 sources down for", doctor="feeds",
        metric=lambda said: said['signals_alerts_open{severity="critical"}'] == 1,
    )  # fmt: skip
    drill.feeds.status.clear()
    drill.ask_again()
    mended(drill, "sources", sentence="down")


def test_a_yahoo_that_wants_fewer_requests(drill: Publishers) -> None:
    """429 for a quarter of an hour: prices are named as old, and why; Yahoo answers again and all is quiet."""
    quiet(drill)
    drill.yahoo.refuse()
    drill.time.pass_by(1000)
    shown(
        drill, "prices", sentence="USD/JPY prices", doctor="prices:yahoo",
        metric=lambda said: drill.clock().timestamp()
        - said['signals_price_last_close_timestamp_seconds{length_s="60",source="yahoo"}'] > 900,
    )  # fmt: skip
    until(lambda: "rate_limited" in drill.alerts("prices")[0].text, "the reason in the alert")
    drill.yahoo.up_to(drill.clock())
    drill.time.pass_by(310)
    drill.yahoo.up_to(drill.clock())
    mended(drill, "prices", sentence="USD/JPY prices")
