"""The paper-trading bot: what it decides, and that it lives through what happens to it."""

import argparse
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest
import redis

import signals
from signals.delivery import wire
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.publisher import Publisher
from tests.delivery.conftest import HOUR, NOW, make_retraction, make_signal

from .conftest import PAST, Start, retraction_row, row
from .paper_book import Bot

GAP = signals.Gap(epoch="e1", missing_from=2, missing_to=3)
SILENCE = signals.Silence(heard_at=None, heartbeat=None, fault=None)


def rules(**changes: object) -> argparse.Namespace:
    """Rules with a spread of one pip."""
    return argparse.Namespace(**({"quotes": None, "spread_pips": 1.0, "min_strength": 0.3} | changes))


def received(message: wire.Encoded) -> signals.Received:
    """A message as the client hands it out."""
    event = wire.decode(message.event)
    assert isinstance(event, wire.Event)
    return signals.Received(event=event, stream_id="1-0", expired=False)


def sent(number: int = 1, **changes: object) -> signals.Received:
    """A signal as the client hands it out."""
    return received(wire.encode_signal(make_signal(number, **changes), epoch="e1", seq=number))  # type: ignore[arg-type]


def retracted(number: int = 1) -> signals.Received:
    """A retraction as the client hands it out."""
    return received(wire.encode_retraction(make_retraction(number), epoch="e1", seq=9))


def test_profit_is_net_of_the_spread() -> None:
    """Sold at the bid and bought back at the ask: ten pips down are nine pips won, with one of spread."""
    bot = Bot(rules())
    bot.take(sent(1, ref_price=152.30), NOW)
    assert bot.book["position"]["entry"] == pytest.approx(152.295)
    bot.take(sent(2, direction="up", ref_price=152.20), NOW)
    assert bot.book["pips"] == pytest.approx(9)
    assert bot.book["position"]["side"] == 1
    assert bot.book["position"]["entry"] == pytest.approx(152.205)


REFUSED = {
    "expired": {"valid_for": dt.timedelta()},
    "abstained": {"abstained": True},
    "flat": {"direction": "flat"},
    "weak": {"strength": 0.29},
    "stale price": {"stale": True},
    "market closed": {"market_open": False},
    "volatility unknown": {"volatility_60m_bp": None},
    "the spread eats the move": {"volatility_60m_bp": 0.05},
}


@pytest.mark.parametrize(("reason", "changes"), REFUSED.items(), ids=REFUSED)
def test_keeps_out_and_says_why(reason: str, changes: dict[str, object]) -> None:
    """Each thing that speaks against a trade keeps the bot out, and is named."""
    bot = Bot(rules())
    bot.take(sent(1, **changes), NOW)
    assert bot.book["position"] is None
    assert f", {reason}: " in bot.lines[0]


LEFT = {
    "its horizon is over": (None, HOUR),
    "its signal was retracted": (retracted(1), dt.timedelta()),
    "its signal was replaced": (sent(2, supersedes="signal-1", direction="flat"), dt.timedelta()),
    "stand aside on a Gap": (GAP, dt.timedelta()),
    "stand aside on a Silence": (SILENCE, dt.timedelta()),
}


@pytest.mark.parametrize(("why", "item", "after"), [(why, *what) for why, what in LEFT.items()], ids=LEFT)
def test_leaves_and_says_why(why: str, item: Any, after: dt.timedelta) -> None:
    """Each reason to leave closes the position, at the price of the moment."""
    bot = Bot(rules())
    bot.take(sent(1), NOW)
    bot.take(item, NOW + after)
    assert bot.book["position"] is None
    assert bot.book["pips"] == pytest.approx(-1)
    assert why in bot.lines[1]


STAYS = {
    "time": None,
    "another's retraction": retracted(2),
    "the same view": sent(2),
    "a weak one": sent(2, strength=0.1),
}


@pytest.mark.parametrize("item", STAYS.values(), ids=STAYS)
def test_stays_where_nothing_speaks_against_it(item: Any) -> None:
    """Before its horizon, and whatever is said of other signals, the position stands."""
    bot = Bot(rules())
    bot.take(sent(1), NOW)
    entry = bot.book["position"]["entry"]
    bot.take(item, NOW + HOUR - dt.timedelta(seconds=1))
    assert bot.book["position"]["entry"] == entry


def test_without_a_quote_it_waits_to_leave(tmp_path: Path) -> None:
    """A quote a minute old is none: nothing is entered, and what must be left is left with the next quote."""
    quotes = tmp_path / "quotes.json"
    bot = Bot(rules(quotes=quotes))

    def quote(bid: float, ask: float, at: dt.datetime) -> None:
        quotes.write_text(json.dumps({"bid": bid, "ask": ask}))
        os.utime(quotes, (at.timestamp(), at.timestamp()))

    bot.take(sent(1), NOW)
    assert ", no quote: " in bot.lines.pop()
    quote(152.30, 152.31, NOW)
    bot.take(sent(2), NOW)
    bot.take(GAP, NOW + dt.timedelta(seconds=61))
    assert bot.book["position"] is not None
    quote(152.20, 152.21, NOW + dt.timedelta(seconds=62))
    bot.take(None, NOW + dt.timedelta(seconds=62))
    assert bot.book["pips"] == pytest.approx(9)
    assert "stand aside on a Gap" in bot.lines[-1]


def test_lives_through_restarts_of_redis_and_its_own(python: Start, broker: EmbeddedBroker, home: Path) -> None:
    """On the real server: it trades, goes on when Redis comes back, and from its book when it is started anew."""
    book = home.parent / "book.json"
    at = broker.ensure()
    words = ("paper_bot.py", "--url", at, "--book", book)
    far = {"horizon_s": 10**10}
    bot = python(*words)
    bot.wait_for("reads on after what is there")
    with redis.Redis.from_url(at) as client:
        Publisher(client).publish_many([row(1, PAST, **far), row(2, **far)], now=NOW, restart=True)
        bot.wait_for("enter down at 152.306: headline 2")
    broker.stop()
    with EmbeddedBroker(home, int(at.rpartition(":")[2])) as again, redis.Redis.from_url(again.ensure()) as client:
        Publisher(client).publish(retraction_row(3, 2), now=NOW)
        bot.wait_for("leave -0.8 pips, its signal was retracted; -0.8 in 1")
        bot.kill()
        Publisher(client).publish(row(4, direction="up", **far), now=NOW)
        python(*words).wait_for("enter up at 152.314: headline 4")
    assert not any("headline 1" in line for line in bot.out)
    assert json.loads(book.read_bytes())["position"]["signal_id"] == "signal-4"
