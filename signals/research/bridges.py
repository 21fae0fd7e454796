"""The same trades in other backtesters: orders for vectorbt, a strategy for backtesting.py.

Both are optional (`pip install -e .[vectorbt]`, `-e .[backtesting]`) and judged by their own licences. `backtest`
decides which signals are traded and when each position ends, so that what they show is what would have been traded;
they fill and count by themselves. One position at a time of a fixed size: both net what is held, where `many`
positions are apart in ours. A trade that is opened and closed at one open has no way through their books and is
left out and counted. Rollover is not carried over.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.errors import ConfigError, DataError
from signals.research.backtest import backtest
from signals.research.columns import Floats, times
from signals.research.frames import PRICES
from signals.research.rules import FREE, PIP, Costs, Rules

_ROWS, _LEAVE, _ENTER, _WITHIN = 3, 0, 1, 2
"""Rows of an order: what leaves at the open, what enters there, what a stop or target ends before the close."""
_ENOUGH = 1e15
"""JPY: their accounts buy what they hold, ours trades on margin; so that no order is cut for lack of cash."""
_MINUTE = pd.Timedelta(minutes=1)
_LEAD = 2
"""backtesting.py asks its strategy for the first time after the second bar."""


class ForVectorbt(NamedTuple):
    """Orders for `vectorbt.Portfolio.from_orders(**bridge.orders)`."""

    orders: dict[str, Any]
    """Three rows a bar, so that one trade can end where another begins and a stop within the bar has a place: `close`
    (JPY per USD), `size` (USD, + buys, NaN none), `price`, `fixed_fees` (JPY). Returns that vectorbt tells are of its
    cash, not of ours."""
    left_out: int
    """Trades opened and closed at one open; they earn nothing but their costs."""


class ForBacktesting(NamedTuple):
    """A frame and a strategy, for `Backtest(bridge.frame, bridge.strategy(), cash=..., margin=...)`."""

    frame: pd.DataFrame
    """`Open`, `High`, `Low`, `Close` (JPY per USD), and of the order that is filled at the open: `Units` (USD, + buys)
    and `Leave` (what is held is closed). No zone: UTC. Two bars that stand still come before the first,
    one after the last, at whose open what is still held is closed."""
    strategy: Callable[[], type]
    """Makes the class; needs backtesting.py."""
    left_out: int


def to_vectorbt(signals: pd.DataFrame, bars: pd.DataFrame, rules: Rules, costs: Costs = FREE) -> ForVectorbt:
    """Orders of the trades that `backtest` makes, spread and slippage as fees.

    Parameters
    ----------
    signals, bars : as `research.frames` has them; neither is changed.

    Raises
    ------
    DataError : the rules hold several positions at once.
    """
    trades, left_out = _trades(signals, bars, rules, costs)
    size, fees, price = (np.full(_ROWS * len(bars), empty) for empty in (np.nan, 0.0, np.nan))
    place = np.where(_at_open(trades, bars), _LEAVE, _WITHIN)
    units = (trades["side"] * trades["units_usd"]).to_numpy()
    for row, amount, filled in (
        (_ROWS * trades["entry_bar"].to_numpy() + _ENTER, units, trades["entry_price"]),
        (_ROWS * trades["exit_bar"].to_numpy() + place, -units, trades["exit_price"]),
    ):
        size[row], price[row] = amount, filled
        fees[row] = (trades["spread_jpy"] + trades["slippage_jpy"]) / 2
    columns = {"close": _by_row(bars), "size": size, "price": price, "fixed_fees": fees}
    index = _times(bars)
    orders: dict[str, Any] = {name: pd.Series(values, index=index) for name, values in columns.items()}
    return ForVectorbt(orders | {"size_type": "amount", "init_cash": _ENOUGH}, left_out)


def _by_row(bars: pd.DataFrame) -> Floats:
    """What the dollar is worth at each row of an order."""
    return bars[["open", "open", "close"]].to_numpy().ravel()


def _times(bars: pd.DataFrame) -> pd.DatetimeIndex:
    """A microsecond apart at the open; the last one before the close, when the next bar may open."""
    opened, closed = pd.DatetimeIndex(bars.index).asi8, pd.DatetimeIndex(bars["close_at"]).asi8
    return times(np.column_stack([opened, opened + 1, closed - 1]).ravel())


def to_backtesting(signals: pd.DataFrame, bars: pd.DataFrame, rules: Rules) -> ForBacktesting:
    """A frame of bars and orders, and a strategy that sends them: stops and targets are backtesting.py's own.

    Parameters
    ----------
    signals, bars : as `research.frames` has them; neither is changed. Units are whole dollars.

    Raises
    ------
    DataError : the rules hold several positions at once.
    """
    trades, left_out = _trades(signals, bars, rules, FREE)
    count = len(bars)
    units, leave = np.zeros(count), np.zeros(count + 1)
    units[trades["entry_bar"]] = (trades["side"] * trades["units_usd"].round()).to_numpy()
    ended = (trades["exit_reason"] == "end").to_numpy()
    planned = ended | (_at_open(trades, bars) & ~trades["exit_reason"].isin(["stop", "target"]).to_numpy())
    leave[np.where(ended, count, trades["exit_bar"])[planned]] = 1.0
    frame = pd.DataFrame({name.title(): bars[name] for name in PRICES}).assign(Units=units, Leave=leave[:-1])
    first, last = bars.index[0], bars["close_at"].iloc[-1]
    before = _still([first - number * _MINUTE for number in range(_LEAD, 0, -1)], bars["open"].iloc[0], 0.0)
    after = _still([last], bars["close"].iloc[-1], leave[-1])
    whole = pd.concat([before, frame, after]).tz_localize(None)
    return ForBacktesting(whole, lambda: _strategy(rules), left_out)


def _still(at: list[pd.Timestamp], price: float, leave: float) -> pd.DataFrame:
    """Bars on which nothing moves."""
    columns = dict.fromkeys((name.title() for name in PRICES), price) | {"Units": 0.0, "Leave": leave}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(at).as_unit("us"))


def _strategy(rules: Rules) -> type:
    try:
        from backtesting import Strategy
    except ImportError as error:
        raise ConfigError("to_backtesting", "backtesting is not installed", "pip install -e .[backtesting]") from error

    class Signals(Strategy):  # type: ignore[misc]
        """Sends the frame's orders: one sent after a bar is filled at the open of the next."""

        def init(self) -> None:
            self._units, self._leave, self._open = (
                self.data.df[name].to_numpy() for name in ("Units", "Leave", "Open")
            )

        def next(self) -> None:
            for trade in self.trades:
                for name, level in _levels(rules, trade.entry_price, np.sign(trade.size)).items():
                    if getattr(trade, name) is None:
                        setattr(trade, name, level)
            following = len(self.data)
            if following == len(self._units):
                return
            if self._leave[following]:
                self.position.close()
            if self._units[following]:
                self._send(self._units[following], self._open[following])

        def _send(self, units: float, price: float) -> None:
            """With levels counted from where it will be filled; where the price jumps over one they follow the fill."""
            side = np.sign(units)
            wanted = _levels(rules, price, side)
            last = self.data.Close[-1]
            sound = all((level > last) == ((name == "tp") == (side > 0)) for name, level in wanted.items())
            (self.buy if side > 0 else self.sell)(size=abs(units), **(wanted if sound else {}))

    return Signals


def _levels(rules: Rules, price: float, side: float) -> dict[str, float]:
    """Stop and target of a position entered at a price, as backtesting.py names them."""
    away = {"sl": (-side, rules.stop_pips), "tp": (side, rules.target_pips)}
    return {name: price + sign * pips * PIP for name, (sign, pips) in away.items() if pips is not None}


def _at_open(trades: pd.DataFrame, bars: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each trade ends at the open of its last bar."""
    return (pd.DatetimeIndex(trades["exit_at"]) == bars.index[trades["exit_bar"]]).astype(np.bool_)


def _trades(signals: pd.DataFrame, bars: pd.DataFrame, rules: Rules, costs: Costs) -> tuple[pd.DataFrame, int]:
    if rules.positions != "one":
        raise DataError("rules.positions", f"is {rules.positions!r}", "the bridges hold one position at a time: 'one'")
    trades = backtest(signals, bars, rules, costs).trades
    at_once = (trades["entry_at"] == trades["exit_at"]).to_numpy()
    return trades[~at_once].reset_index(drop=True), int(at_once.sum())
