"""The book: situations with their arithmetic written out, which the backtest has to meet to the yen."""

import csv
from typing import Any

import pandas as pd
import pytest

from signals.research.backtest import backtest
from signals.research.fills import EXITS
from signals.research.orders import REFUSALS
from signals.research.rules import Costs, Rate, Rules
from tests.conftest import ROOT
from tests.research.making import bar_table, signal_table

COSTS = Costs(
    spread_pips=tuple(2.0 if hour % 24 == 0 else 0.4 for hour in range(168)),
    slippage_pips=0.1,
    rates=(Rate(since="2026-01-01", usd=4.0, jpy=0.4), Rate(since="2026-03-05", usd=3.5, jpy=0.4)),
    markup_percent=0.6,
)
"""0.4 pips, 2.0 in the hour after 17:00 New York."""


def _book() -> list[dict[str, str]]:
    with (ROOT / "tests/research/book.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _at(text: str) -> pd.Timestamp:
    """`3T10:00` is the third of March 2026, UTC."""
    day, clock = text.split("T")
    return pd.Timestamp(f"2026-03-{int(day):02}T{clock}", tz="UTC").as_unit("us")


def _rules(text: str) -> Rules:
    words: dict[str, Any] = {"true": True, "false": False}
    pairs = [pair.split("=") for pair in text.split()]
    read = {key: words[value] if value in words else value.strip("'") for key, value in pairs}
    whole = ("horizon_s",)
    return Rules(**{k: int(v) if k in whole else float(v) if k.endswith("pips") else v for k, v in read.items()})


def _bars(text: str) -> pd.DataFrame:
    rows = [row.split() for row in text.split("; ")]
    at = pd.DatetimeIndex([_at(row[0]) for row in rows])
    return bar_table(at, [row[1:] for row in rows], pd.Timedelta(minutes=1))


def _signals(text: str) -> pd.DataFrame:
    made = []
    for row in text.split("; "):
        name, known, strength, *more = row.split()
        told = dict(word.partition("=")[::2] for word in more)
        frame = signal_table(
            pd.DatetimeIndex([_at(known)]), signal_id=name, strength=abs(float(strength)), horizon_s=int(told["h"]),
            sign={"+": 1, "-": -1}.get(strength[0], 0), abstained="abstained" in told,
            volatility_60m_bp=float(told.get("vol", "nan")),
        )  # fmt: skip
        for column, key in (("valid_until", "until"), ("voided_at", "void")):
            if key in told:
                frame[column] = _at(told[key])
        made.append(frame)
    return pd.concat(made, ignore_index=True)


@pytest.mark.parametrize("case", _book(), ids=lambda case: case["case"])
def test_the_book(case: dict[str, str]):
    """Each situation ends as written down: what is traded at the price and sum, what is not with its reason."""
    made = backtest(_signals(case["signals"]), _bars(case["bars"]), _rules(case["rules"]), COSTS)
    refused = made.not_traded.set_index("signal_id")["reason"].to_dict()
    if not case["units_usd"]:
        assert refused[case["signal"]] == case["outcome"]
        return
    trade = made.trades.set_index("signal_id").loc[case["signal"]]
    assert trade["exit_reason"] == case["outcome"]
    for column, key in (
        ("units_usd", "units_usd"), ("entry_price", "entry"), ("exit_price", "exit"), ("gross_pips", "gross_pips"),
        ("rollover_jpy", "rollover_jpy"), ("net_jpy", "net_jpy"),
    ):  # fmt: skip
        assert trade[column] == pytest.approx(float(case[key]), abs=1e-6), column


def test_the_book_has_every_situation():
    """Each reason for an end and each for not trading stands in it."""
    assert {case["outcome"] for case in _book()} >= {*EXITS, *REFUSALS}
