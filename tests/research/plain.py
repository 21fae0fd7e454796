"""A backtest as one would write it down without thinking of speed: signal by signal, bar by bar, night by night."""

import datetime as dt
import math
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from signals.research.rules import Costs, Rules

NEW_YORK = ZoneInfo("America/New_York")
PIP = 0.01
ORDER = ("void", "opposite", "weekend", "expiry", "horizon")
NIGHTS = {0: 1, 1: 1, 2: 3, 3: 1, 4: 1}


class Bar(NamedTuple):
    open_at: dt.datetime
    close_at: dt.datetime
    open: float
    high: float
    low: float
    close: float


def friday_after(at: dt.datetime) -> dt.datetime:
    day = at.astimezone(NEW_YORK).date()
    while True:
        end = dt.datetime.combine(day, dt.time(17), NEW_YORK)
        if day.weekday() == 4 and end > at:
            return end.astimezone(dt.UTC)
        day += dt.timedelta(days=1)


def hour(at: dt.datetime) -> int:
    local = at.astimezone(NEW_YORK)
    days = (local.weekday() + 1) % 7  # since Sunday
    return (days * 24 + local.hour - 17) % 168


def rolls_of(bars: list[Bar]) -> list[tuple[dt.datetime, int]]:
    day, found = bars[0].open_at.astimezone(NEW_YORK).date(), []
    while day <= bars[-1].close_at.astimezone(NEW_YORK).date():
        at = dt.datetime.combine(day, dt.time(17), NEW_YORK).astimezone(dt.UTC)
        if day.weekday() in NIGHTS:
            found.append((at, NIGHTS[day.weekday()]))
        day += dt.timedelta(days=1)
    return found


class Plain:
    """`trades` and `refused` (reason by signal_id) of a backtest."""

    def __init__(self, signals: pd.DataFrame, bars: pd.DataFrame, rules: Rules, costs: Costs) -> None:
        self.rules, self.costs = rules, costs
        self.bars = [
            Bar(at.to_pydatetime(), row["close_at"].to_pydatetime(), row["open"], row["high"], row["low"], row["close"])
            for at, row in bars.iterrows()
        ]
        self.rolls = rolls_of(self.bars)
        self.length = self.bars[0].close_at - self.bars[0].open_at
        self.latency = dt.timedelta(seconds=rules.latency_s)
        self.refused: dict[str, str] = {}
        self.trades: list[dict[str, Any]] = []
        self.run([dict(row) for _, row in signals.iterrows()])

    def bar_from(self, at: dt.datetime) -> int:
        """The first bar that opens at or after; the number of bars where none does."""
        for number, bar in enumerate(self.bars):
            if bar.open_at >= at:
                return number
        return len(self.bars)

    def leave_at(self, at: dt.datetime) -> dt.datetime:
        return friday_after(at) - max(dt.timedelta(seconds=self.rules.weekend_margin_s), self.length)

    def refusal(self, row: dict[str, Any]) -> str | None:
        rules, decided = self.rules, row["known_at"] + self.latency
        if row["abstained"]:
            return "abstained"
        if row["sign"] == 0:
            return "flat"
        if row["strength"] < rules.strength_min or (rules.sizing == "strength" and row["strength"] == 0):
            return "weak"
        if row["valid_until"] <= decided:
            return "stale_on_arrival"
        row["entry"] = self.bar_from(decided)
        filled = decided if row["entry"] == len(self.bars) else self.bars[row["entry"]].open_at
        if rules.exit_on_expiry and row["valid_until"] <= filled:
            return "stale_on_arrival"
        if row["entry"] == len(self.bars):
            return "after_end"
        if filled - decided > max(dt.timedelta(seconds=rules.max_wait_s), self.length):
            return "no_bar"
        if not pd.isna(row["voided_at"]) and row["voided_at"] + self.latency <= filled:
            return "void"
        if not rules.hold_weekends and filled >= self.leave_at(filled):
            return "weekend"
        if rules.sizing == "volatility" and not row["volatility_60m_bp"] > 0:
            return "no_volatility"
        return None

    def run(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["refusal"] = self.refusal(row)
        acting = [row for row in rows if row["refusal"] in (None, "weekend", "no_volatility")]
        held: dict[str, Any] | None = None
        for number, row in enumerate(acting):
            if row["refusal"] is not None:
                continue
            if self.rules.positions == "one" and held is not None and not self.free(held, row, number):
                row["refusal"] = "busy"
                continue
            held = self.trade(row, acting, number)
            self.trades.append(held)
        self.refused = {row["signal_id"]: row["refusal"] for row in rows if row["refusal"] is not None}
        self.trades.sort(key=lambda trade: (trade["entry_bar"], trade["signal_id"]))

    def free(self, held: dict[str, Any], row: dict[str, Any], number: int) -> bool:
        """Whether the position held is closed when this signal would be filled."""
        if held["exit_reason"] == "opposite" and number < held["closer"]:
            return False
        if held["at_open"]:
            return row["entry"] >= held["exit_bar"]
        return row["entry"] > held["exit_bar"]

    def natural(self, row: dict[str, Any], acting: list[dict[str, Any]], number: int) -> tuple[int, str, int]:
        rules, entry_at = self.rules, self.bars[row["entry"]].open_at
        horizon_s = rules.horizon_s or row["horizon_s"]
        ends = {"horizon": self.bar_from(entry_at + dt.timedelta(seconds=int(horizon_s)))}
        if rules.exit_on_expiry:
            ends["expiry"] = self.bar_from(row["valid_until"])
        if rules.exit_on_void and not pd.isna(row["voided_at"]):
            ends["void"] = self.bar_from(row["voided_at"] + self.latency)
        if not rules.hold_weekends:
            ends["weekend"] = self.bar_from(self.leave_at(entry_at))
        closer = next((n for n in range(number + 1, len(acting)) if acting[n]["sign"] == -row["sign"]), -1)
        if rules.exit_on_opposite and closer >= 0:
            ends["opposite"] = acting[closer]["entry"]
        first = min(ends.values())
        if first == len(self.bars):
            return first, "end", closer
        return first, next(reason for reason in ORDER if ends.get(reason) == first), closer

    def trade(self, row: dict[str, Any], acting: list[dict[str, Any]], number: int) -> dict[str, Any]:
        rules, side, entry_bar = self.rules, int(row["sign"]), row["entry"]
        entry = self.bars[entry_bar]
        end, reason, closer = self.natural(row, acting, number)
        if end == len(self.bars):
            exit_bar, price, at, at_open = end - 1, self.bars[-1].close, self.bars[-1].close_at, False
        else:
            exit_bar, price, at, at_open = end, self.bars[end].open, self.bars[end].open_at, True
        stop = entry.open - side * math.inf if rules.stop_pips is None else entry.open - side * (rules.stop_pips * PIP)
        target = math.inf * side if rules.target_pips is None else entry.open + side * (rules.target_pips * PIP)
        for n in range(entry_bar, end):
            bar = self.bars[n]
            worst, best = (bar.low, bar.high) if side > 0 else (bar.high, bar.low)
            hit = (
                ("stop", bar.open, True) if side * bar.open <= side * stop
                else ("target", bar.open, True) if side * bar.open >= side * target
                else ("stop", stop, False) if side * worst <= side * stop
                else ("target", target, False) if side * best >= side * target
                else None
            )  # fmt: skip
            if hit:
                reason, price, at_open = hit
                exit_bar, at = n, bar.open_at if at_open else bar.close_at
                break
        made = {
            "signal_id": row["signal_id"], "side": side, "units_usd": self.units(row), "entry_bar": entry_bar,
            "entry_at": entry.open_at, "entry_price": entry.open, "exit_bar": exit_bar, "exit_at": at,
            "exit_price": price, "exit_reason": reason, "at_open": at_open, "closer": closer,
        }  # fmt: skip
        return made | self.money(made)

    def units(self, row: dict[str, Any]) -> float:
        rules = self.rules
        if rules.sizing == "strength":
            return rules.size_usd * row["strength"]
        if rules.sizing == "volatility":
            return rules.size_usd * min(rules.target_volatility_bp / row["volatility_60m_bp"], rules.max_leverage)
        return rules.size_usd

    def money(self, made: dict[str, Any]) -> dict[str, float]:
        units, side, costs = made["units_usd"], made["side"], self.costs
        gross = side * units * (made["exit_price"] - made["entry_price"])
        spread = 0.0
        for bar in (made["entry_bar"], made["exit_bar"]):
            pips = costs.spread_pips[hour(self.bars[bar].open_at) if len(costs.spread_pips) > 1 else 0]
            spread += units * pips / 2 * PIP
        slippage = 2 * units * costs.slippage_pips * PIP
        rollover = 0.0
        for at, nights in self.rolls:
            inside = made["exit_reason"] in ("stop", "target") and not made["at_open"]
            before_exit = at < made["exit_at"] if inside else at <= made["exit_at"]
            if made["entry_at"] < at and before_exit:
                rollover += self.roll(units, side, at, nights)
        net = gross - spread - slippage + rollover
        return {
            "gross_jpy": gross, "spread_jpy": spread, "slippage_jpy": slippage, "rollover_jpy": rollover,
            "net_jpy": net, "net_pips": net / units / PIP,
        }  # fmt: skip

    def roll(self, units: float, side: int, at: dt.datetime, nights: int) -> float:
        closes = [bar.close for bar in self.bars if bar.close_at <= at]
        price = closes[-1] if closes else self.bars[0].open
        today = at.astimezone(NEW_YORK).date().isoformat()
        known = [rate for rate in self.costs.rates if rate.since <= today] or list(self.costs.rates[:1])
        difference = known[-1].usd - known[-1].jpy if known else 0.0
        percent = difference - self.costs.markup_percent if side > 0 else -(difference + self.costs.markup_percent)
        return units * price * percent / 100 * nights / 360

    def equity(self) -> list[float]:
        """Gross earnings up to each bar's close, open positions at its price."""
        total = []
        for number, bar in enumerate(self.bars):
            earned = 0.0
            for trade in self.trades:
                if trade["entry_bar"] <= number:
                    price = trade["exit_price"] if trade["exit_bar"] <= number else bar.close
                    earned += trade["side"] * trade["units_usd"] * (price - trade["entry_price"])
            total.append(earned)
        return total
