"""A freqtrade strategy on the signals: for a dollar coin quoted in yen, such as USDC/JPY.

    pip install redis                     # into freqtrade's environment; our package is not needed there
    cp freqtrade_strategy.py user_data/strategies/
    SIGNALS_REDIS_URL=redis://127.0.0.1:6379 freqtrade trade --strategy UsdJpySignals --dry-run

It reads the log, so a signal counts from the close of the candle in which it was sent (`scored_at`): live and in
a backtest the same, without a look ahead. It enters on a signal that is strong enough, on a fresh price, and still
valid at that close and again when the order goes out; it leaves when no such signal looks ahead any more, when it
is retracted, or on the opposite one. Where Redis cannot be reached, freqtrade says so and enters nothing.

The test runs it against a small stand-in of the interface (freqtrade with what it needs takes 770 MB); by hand it
was loaded by freqtrade 2026.9, which marked the same candles.
"""

import json
import os
from typing import ClassVar

import pandas as pd
import redis
from freqtrade.strategy import IStrategy

LOG = "signals:{usdjpy}:log"  # the braces belong to the key
SIDE = {"up": 1, "flat": 0, "down": -1}


class UsdJpySignals(IStrategy):
    """Long while a signal says up; short while one says down, where the market can be shorted."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = False  # needs futures: set it in a subclass
    process_only_new_candles = True
    minimal_roi: ClassVar = {"0": 10.0}  # leave by the signals, not by profit
    stoploss = -0.01
    min_strength = 0.3

    def bot_start(self, **kwargs):
        """Connect; nothing is read yet."""
        self.redis = redis.Redis.from_url(os.environ.get("SIGNALS_REDIS_URL", "redis://127.0.0.1:6379"))
        self.last_id, self.told = "-", {}

    def populate_indicators(self, dataframe, metadata):
        """`view`: what a valid signal says at each candle's close; `outlook`: what one within its horizon says."""
        self.read()
        closes = (dataframe["date"] + pd.Timedelta(self.timeframe)).astype("datetime64[ns, UTC]")
        told = pd.DataFrame(self.told.values(), columns=["at", "side", "valid_until", "horizon_at"])
        for name in ("at", "valid_until", "horizon_at"):
            told[name] = pd.to_datetime(told[name], utc=True).astype("datetime64[ns, UTC]")
        joined = pd.merge_asof(pd.DataFrame({"close": closes}), told.sort_values("at"), left_on="close", right_on="at")
        for name, until in (("view", "valid_until"), ("outlook", "horizon_at")):
            dataframe[name] = joined["side"].where(joined[until] > joined["close"], 0).fillna(0).to_numpy()
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        """In with the view."""
        dataframe.loc[dataframe["view"] == 1, ["enter_long", "enter_tag"]] = (1, "up")
        dataframe.loc[dataframe["view"] == -1, ["enter_short", "enter_tag"]] = (1, "down")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        """Out when nothing looks that way any more."""
        dataframe.loc[dataframe["outlook"] != 1, "exit_long"] = 1
        dataframe.loc[dataframe["outlook"] != -1, "exit_short"] = 1
        return dataframe

    def confirm_trade_entry(
        self, pair, order_type, amount, rate, time_in_force, current_time, entry_tag, side, **kwargs
    ):
        """The order goes out some time after the close: only while a signal for it is still valid."""
        wanted = 1 if side == "long" else -1
        return any(
            told["side"] == wanted and told["at"] <= current_time < told["valid_until"] for told in self.told.values()
        )

    def read(self):
        """Read on behind the last entry; a message that cannot be read costs only itself."""
        for stream_id, fields in self.redis.xrange(LOG, min=self.last_id):
            self.last_id = b"(" + stream_id
            try:
                message = json.loads(fields.get(b"event", b""))
            except ValueError:
                continue
            self.take(message["type"], message["data"])

    def take(self, kind, data):
        """Note a signal worth acting on, or the end of one."""
        if kind == "signals.retraction.v1" and data["signal_id"] in self.told:
            at = pd.Timestamp(data["retracted_at"])
            told = self.told[data["signal_id"]]
            told["valid_until"], told["horizon_at"] = min(at, told["valid_until"]), min(at, told["horizon_at"])
        if kind != "signals.headline.v1" or data["abstained"] or data["stale"] or data["strength"] < self.min_strength:
            return
        self.told[data["signal_id"]] = {
            "at": pd.Timestamp(data["scored_at"]),
            "side": SIDE[data["direction"]],
            "valid_until": pd.Timestamp(data["valid_until"]),
            "horizon_at": pd.Timestamp(data["known_at"]) + pd.Timedelta(seconds=data["horizon_s"]),
        }
