"""The freqtrade strategy, against a stand-in of the interface that freqtrade documents."""

import datetime as dt
import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from signals.delivery.publisher import Publisher
from tests.delivery.conftest import KEYS, NOW, make_row

from .conftest import HERE, retraction_row

MINUTE = dt.timedelta(minutes=1)
ORDER = {"pair": "USDC/JPY", "order_type": "limit", "amount": 1.0, "rate": 152.3, "time_in_force": "GTC"}


class IStrategy:
    """What freqtrade gives a strategy: its settings, and its calls in their order."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def analyze(self, dataframe: pd.DataFrame, metadata: dict[str, str]) -> pd.DataFrame:
        """As freqtrade does with each new candle."""
        strategy: Any = self
        dataframe = strategy.populate_indicators(dataframe, metadata)
        return strategy.populate_exit_trend(strategy.populate_entry_trend(dataframe, metadata), metadata)


@pytest.fixture
def strategy(monkeypatch: pytest.MonkeyPatch, url: str) -> Any:
    """The strategy, connected to the real server."""
    module = types.ModuleType("freqtrade.strategy")
    module.IStrategy = IStrategy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "freqtrade", types.ModuleType("freqtrade"))
    monkeypatch.setitem(sys.modules, "freqtrade.strategy", module)
    monkeypatch.setenv("SIGNALS_REDIS_URL", url)
    spec = importlib.util.spec_from_file_location("strategy_under_test", HERE / "freqtrade_strategy.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    strategy = made.UsdJpySignals({})
    strategy.bot_start()
    yield strategy
    strategy.redis.close()


def candles(first: dt.datetime = NOW - 11 * MINUTE, count: int = 30) -> pd.DataFrame:
    """Candles of five minutes; the third closes at 00:30, four minutes after the signal."""
    dates = pd.date_range(pd.Timestamp(first).floor("5min"), periods=count, freq="5min")
    return pd.DataFrame({"date": dates, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0})


def marked(strategy: Any, column: str) -> list[str]:
    """Closes of the candles that are marked in a column."""
    frame = strategy.analyze(candles(), {"pair": "USDC/JPY"})
    chosen = frame.loc[frame[column] == 1, "date"] if column in frame else frame["date"][:0]
    return [f"{date + 5 * MINUTE:%H:%M}" for date in chosen]


def test_enters_from_the_next_close_while_it_is_valid(strategy: Any, publisher: Publisher) -> None:
    """A signal of 00:26 valid for ten minutes marks the candles closing from 00:30 to 00:35, no other."""
    publisher.publish(make_row(1, direction="up", valid_for=10 * MINUTE), now=NOW, restart=True)
    assert marked(strategy, "enter_long") == ["00:30", "00:35"]
    assert marked(strategy, "enter_short") == []


def test_leaves_at_its_horizon(strategy: Any, publisher: Publisher) -> None:
    """Exits are marked wherever no signal looks that way: before it, and from 01:30 on with an hour's horizon."""
    publisher.publish(make_row(1, direction="down", valid_for=10 * MINUTE), now=NOW, restart=True)
    exits = marked(strategy, "exit_short")
    assert exits[:2] == ["00:20", "00:25"]
    assert exits[2] == "01:30"
    assert marked(strategy, "enter_short") == ["00:30", "00:35"]


WEAK: dict[str, dict[str, Any]] = {
    "weak": {"strength": 0.29},
    "flat": {"direction": "flat"},
    "abstained": {"abstained": True},
    "stale": {"stale": True},
}


@pytest.mark.parametrize("changes", WEAK.values(), ids=WEAK)
def test_keeps_out(changes: dict[str, Any], strategy: Any, publisher: Publisher) -> None:
    """What is too weak, flat, not judged, or on a stale price enters nothing."""
    publisher.publish(make_row(1, **({"direction": "up"} | changes)), now=NOW, restart=True)
    assert marked(strategy, "enter_long") == []


def test_a_retraction_ends_it(strategy: Any, publisher: Publisher, server: Any) -> None:
    """From the close after a retraction nothing is entered and exits are marked; broken messages cost themselves."""
    publisher.publish(make_row(1, direction="up"), now=NOW, restart=True)
    assert marked(strategy, "enter_long")[0] == "00:30"
    server.xadd(KEYS.log, {"event": b"\xff{"})
    publisher.publish(retraction_row(2, 1), now=NOW)
    assert marked(strategy, "enter_long") == []
    assert "00:30" in marked(strategy, "exit_long")


def test_the_order_is_checked_again(strategy: Any, publisher: Publisher) -> None:
    """An order that goes out after `valid_until`, or the other way, is refused."""
    publisher.publish(make_row(1, direction="up", valid_for=10 * MINUTE), now=NOW, restart=True)
    strategy.read()

    def confirmed(after: dt.timedelta, side: str) -> bool:
        confirm: Callable[..., bool] = strategy.confirm_trade_entry
        return confirm(**ORDER, current_time=NOW + after, entry_tag="up", side=side)

    assert confirmed(9 * MINUTE, "long")
    assert not confirmed(10 * MINUTE, "long")
    assert not confirmed(-MINUTE, "long")
    assert not confirmed(9 * MINUTE, "short")
