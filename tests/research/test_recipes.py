"""The recipes run as they are printed, and all come to the same answer."""

import datetime as dt
import math
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from signals.message import Signal
from signals.model import Bar
from signals.research.export import Covers, covering, write_day
from signals.research.export_schema import TABLES
from tests.conftest import ROOT
from tests.core.conftest import DAY, HOUR, MINUTE, NOW, SECOND, make_bar, make_signal
from tests.research.test_export import batch, plain

RECIPES = ROOT / "config" / "export" / "RECIPES.md"
BLOCK = re.compile(r"```(?:python|sql) (\w+)\n(.*?)```", re.DOTALL)
BLOCKS = dict(BLOCK.findall(RECIPES.read_text(encoding="utf-8")))

Answer = dict[str, tuple[int, float]]


def a_market() -> list[Bar]:
    """Two days of minutes with holes, one learned twice, beside bars that no recipe may take."""
    chance = np.random.default_rng(3)
    price = np.round(150 + np.cumsum(chance.normal(0, 0.02, 2880)), 3).tolist()
    bars = [
        make_bar(NOW + n * MINUTE, price[n]) for n in range(2880) if not (600 < n < 640 or n % 7 == 0)
    ]  # fmt: skip
    again = [make_bar(NOW + 61 * MINUTE, 149.0, known_at=NOW + DAY)]
    others = [make_bar(NOW + n * MINUTE, 100.0, source="other") for n in range(0, 2880, 3)]
    return [*bars, *again, *others, *(make_bar(NOW + n * HOUR, 100.0, length_s=3600) for n in range(48))]


def some_signals() -> list[Signal]:
    """Every ten minutes and a bit; some abstained, some into a hole, the last beyond the bars."""
    return [
        make_signal(
            signal_id=f"s{n}", known_at=NOW + n * 10 * MINUTE + n % 3 * SECOND, direction=("up", "flat", "down")[n % 3],
            abstained=n % 11 == 0, horizon_s=3600 if n % 2 else 600,
        )
        for n in range(300)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of them."""
    folder = tmp_path_factory.mktemp("recipes") / "lake"
    with covering(folder, Covers(("signals", "bars"))):
        for name, records in (("signals", some_signals()), ("bars", a_market())):
            days: dict[dt.date, list[dict[str, Any]]] = {}
            for record in records:
                days.setdefault(getattr(record, TABLES[name].at).date(), []).append(plain(record))
            for day, rows in days.items():
                write_day(folder, name, day, [batch(*rows)])
    return folder


def by_hand() -> Answer:
    """The question answered one signal at a time."""
    latest: dict[dt.datetime, Bar] = {}
    for bar in sorted(a_market(), key=lambda bar: bar.known_at):
        if bar.source == "yahoo" and bar.close_at - bar.open_at == MINUTE:
            latest[bar.open_at] = bar
    opens = sorted(latest)
    found: dict[str, list[float]] = {}
    for signal in some_signals():
        act = signal.known_at + 2 * SECOND
        entry = next((at for at in opens if at >= act), None)
        if signal.abstained or entry is None or entry - act > 15 * MINUTE:
            continue
        leave = next((at for at in opens if at >= entry + signal.horizon_s * SECOND), None)
        if leave is not None:
            moved = math.log(latest[leave].open / latest[entry].open)
            found.setdefault(signal.direction, []).append(1e4 * moved)
    return {direction: (len(moves), sum(moves) / len(moves)) for direction, moves in found.items()}


def run(name: str, lake: Path) -> Answer:
    """A recipe's answer."""
    if name == "duckdb":
        rows = duckdb.sql(BLOCKS[name].replace("{LAKE}", str(lake))).fetchall()
    else:
        scope: dict[str, Any] = {"LAKE": str(lake)}
        exec(BLOCKS[name], scope)
        answer = scope["answer"]
        rows = answer.reset_index().to_numpy().tolist() if isinstance(answer, pd.DataFrame) else answer.rows()
    return {direction: (count, mean) for direction, count, mean in rows}


@pytest.mark.parametrize("name", ["pandas", "duckdb", "polars"])
def test_a_recipe_gives_the_answer(name: str, lake: Path) -> None:
    """As many trades of each direction and the same mean as one by one."""
    expected = by_hand()
    assert set(expected) == {"up", "flat", "down"} and 200 < sum(count for count, _ in expected.values()) < 290
    found = run(name, lake)
    assert {direction: count for direction, (count, _) in found.items()} == {d: n for d, (n, _) in expected.items()}
    for direction, (_, mean) in expected.items():
        assert found[direction][1] == pytest.approx(mean, rel=1e-9)


def test_the_export_gives_the_frames_of_research(lake: Path) -> None:
    """The last recipe: all signals, and each minute once."""
    scope: dict[str, Any] = {"LAKE": str(lake)}
    exec(BLOCKS["research"], scope)
    assert (len(scope["signals"]), scope["bars"].index.is_unique) == (300, True)


def test_every_recipe_is_run() -> None:
    """No block is printed that no test runs."""
    assert set(BLOCKS) == {"pandas", "duckdb", "polars", "research", "duckdb_scores"}  # the last with the scores
