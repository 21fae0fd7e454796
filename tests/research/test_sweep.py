"""Sweeps: the same rows wherever they are made, choices that know no future, and honest words about the best."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from signals.decide import policy_id
from signals.errors import ConfigError, DataError, WorkerError
from signals.model import Policy
from signals.research import spread
from signals.research.accounting import summary
from signals.research.backtest import backtest
from signals.research.columns import SIGNAL_COLUMNS
from signals.research.folds import walk_forward
from signals.research.journal import Journal
from signals.research.ledger import Ledger
from signals.research.rules import FREE, Costs, Rules
from signals.research.spread import Mapper
from signals.research.sweep import Figures, World, evaluate, evaluated, grid, policies, sweep, table, trial_of
from signals.research.sweep_forward import Forward, plan, walk
from signals.research.sweep_page import sweep_page
from signals.research.swept import Swept, conclude, lines, rows
from tests.research.worlds import world

BASE = (Policy(), Rules(), FREE)
AXES: dict[str, list[Any]] = {"rules.strength_min": [0.3, 0.65], "rules.horizon_s": [900, 3600, None]}
OTHER = Policy(novelty_min=0.4)


@pytest.fixture(scope="module")
def ground() -> World:
    """30 days; the signals of the one policy know the price, those of the other are wrong as often as right."""
    made = world(3, days=30, signals=600, edge_bp=6.0, copies=1)
    blind = made.signals.copy()
    blind["sign"] = np.random.default_rng(4).choice([-1, 1], len(blind)).astype("int8")
    found = World({policy_id(Policy()): made.signals, policy_id(OTHER): blind}, made.bars)
    assert len(found.calendar[0]) == 30
    return found


def here(ground: World) -> Mapper:
    return lambda task, items: (task(ground, item) for item in items)


def test_a_grid_has_every_combination_once_and_in_order() -> None:
    """The last axis varies first; what no axis names stays; values are converted and null is null."""
    points = grid({"policy.novelty_min": [0, 0.5], "rules.horizon_s": [60, None]}, *BASE)
    assert [(p.policy.novelty_min, p.rules.horizon_s) for p in points] == [(0, 60), (0, None), (0.5, 60), (0.5, None)]
    assert points[0].values == (("policy.novelty_min", 0), ("rules.horizon_s", 60))
    assert {p.costs for p in points} == {FREE}
    assert [one.novelty_min for one in policies(points)] == [0, 0.5]


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({}, "--grid: holds no point"),
        ({"rules.strength_min": []}, "--grid rules.strength_min: has no value"),
        ({"rules.strength": [1]}, "--grid rules.strength: there is no such key - the keys: rules.strength_min"),
        ({"prices.x": [1]}, "--grid prices.x: there is no such key"),
        ({"rules.strength_min": [0.5, 2.0]}, "--grid rules.strength_min: Expected `float` <= 1.0, not 2.0"),
        ({"policy.ttl_s": ["soon"]}, "--grid policy.ttl_s: Expected `int`, got `str`, not 'soon'"),
        ({"rules.strength_min": [1, 0.5, 1.0]}, "--grid rules.strength_min: 1.0 stands twice"),
        ({"rules.horizon_s": list(range(1, 10_002))}, "--grid: 10,001 points are more than 10,000"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(axes: dict[str, list[Any]], said: str) -> None:
    """Each mistake is one line that names the key; nothing is left out in silence."""
    with pytest.raises(ConfigError) as caught:
        grid(axes, *BASE)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_many_points_may_be_meant() -> None:
    """Whoever says so gets more than ten thousand."""
    assert len(grid({"rules.horizon_s": list(range(1, 10_002))}, *BASE, most=None)) == 10_001


def test_a_point_has_the_figures_of_its_backtest(ground: World) -> None:
    """A sweep is many backtests, nothing else; what it leaves behind of the frames no backtest reads."""
    full = ground.of(grid(AXES, *BASE)[0]).assign(title="read by nobody", p_up=np.nan)
    assert list(World({"": full}, ground.bars).signals[""]) == list(SIGNAL_COLUMNS)
    for point, found in zip(points := grid(AXES, *BASE), sweep(points, here(ground)), strict=True):
        plain = summary(backtest(full, ground.bars, point.rules, point.costs))
        assert found == evaluate(point, full, ground.bars)
        assert (found.trades, found.net_bp, found.sharpe) == (plain.trades, plain.mean_net_bp, plain.sharpe)
        assert (found.net_percent, found.hit_rate) == (plain.net_percent, plain.hit_rate)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A real Dask cluster of two processes on loopback; its address."""
    from distributed import LocalCluster

    made: Any = LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0")
    with made:
        yield made.scheduler_address


@pytest.fixture(scope="module")
def plain(ground: World) -> tuple[list[Figures], list[Forward]]:
    """What one process makes of it."""
    points = grid(AXES | {"policy.novelty_min": [0.6, 0.4]}, *BASE)
    return sweep(points, here(ground)), walk(points, ground, here(ground), plan(points, ground, 3))


@pytest.mark.parametrize("place", ["1 process", "2 processes", "a cluster"])
def test_the_rows_are_the_same_wherever_they_are_made(
    ground: World, plain: tuple[list[Figures], list[Forward]], place: str, request: pytest.FixtureRequest
) -> None:
    """Bit for bit and in the order of the grid, in sample and out."""
    points = grid(AXES | {"policy.novelty_min": [0.6, 0.4]}, *BASE)
    made = {
        "1 process": lambda: spread.processes(ground, 1),
        "2 processes": lambda: spread.processes(ground, 2),
        "a cluster": lambda: spread.dask(ground, request.getfixturevalue("cluster")),
    }
    with made[place]() as mapper:
        found, forward = sweep(points, mapper), walk(points, ground, mapper, plan(points, ground, 3))
    assert found == plain[0]
    assert not ours()
    assert len({one.sharpe for one in found}) > 6  # an order that was lost would show
    assert forward[0].returns.equals(plain[1][0].returns)
    assert forward[0].choices.equals(plain[1][0].choices)


def test_a_walk_is_that_of_the_folds(ground: World) -> None:
    """With one policy and one set of costs it is `folds.walk_forward`, to the last bit."""
    points = grid(AXES, *BASE)
    made = walk(points, ground, here(ground), plan(points, ground, 3))[0]
    rules = [point.rules for point in points]
    wanted = walk_forward(ground.of(points[0]), ground.bars, rules, FREE, train_days=8, test_days=7, expand=True)
    assert wanted.purge_days == 1
    assert made.returns.equals(wanted.returns[0].rename("return"))
    for name in ("train_from", "train_to", "test_from", "test_to", "choice", "train_sharpe", "test_trades"):
        assert made.choices[name].tolist() == wanted.choices[name].tolist(), name


def test_the_policy_is_chosen_too(ground: World) -> None:
    """Where one policy's signals know the price, every stretch is traded with that one, and earns."""
    points = grid({"policy.novelty_min": [0.4, 0.6], "rules.strength_min": [0.3, 0.65]}, *BASE)
    made = walk(points, ground, here(ground), plan(points, ground, 3))[0]
    assert {points[choice].policy for choice in made.choices["choice"]} == {Policy()}
    assert made.sharpe.value > 0


def test_a_choice_knows_nothing_of_what_follows(ground: World) -> None:
    """Signals that turn wrong with the last test change no choice, though in sample others are the best then."""
    points = grid({"policy.novelty_min": [0.6, 0.4]}, *BASE)
    first = walk(points, ground, here(ground), plan(points, ground, 3))[0]
    turned = {name: frame.copy() for name, frame in ground.signals.items()}
    known = turned[policy_id(Policy())]
    start = first.choices["test_from"].iloc[-1].tz_localize("America/New_York") - pd.Timedelta(hours=7)
    known["sign"] = known["sign"].where(known["known_at"] < start, -known["sign"])
    other = World(turned, ground.bars)
    second = walk(points, other, here(other), plan(points, other, 3))[0]
    assert second.choices["choice"].tolist() == first.choices["choice"].tolist()
    assert second.returns.iloc[-7:].sum() < 0 < first.returns.iloc[-7:].sum()
    assert second.returns.iloc[:-7].equals(first.returns.iloc[:-7])


def test_costs_are_no_choice(ground: World) -> None:
    """Each costs of the grid is walked by itself, the dearer one too, and says whose it is."""
    points = grid({"costs.slippage_pips": [0.0, 2.0], "rules.strength_min": [0.3, 0.65]}, *BASE)
    cheap, dear = walk(points, ground, here(ground), plan(points, ground, 2))
    assert (cheap.costs.slippage_pips, dear.costs.slippage_pips) == (0.0, 2.0)
    assert {points[choice].costs for choice in dear.choices["choice"]} == {dear.costs}
    assert dear.net_bp.value < cheap.net_bp.value - 2


def test_too_few_days_for_the_tests_are_refused(ground: World) -> None:
    """Never fewer tests than were asked for, without a word."""
    with pytest.raises(DataError, match="30 for 30 tests"):
        plan(grid(AXES, *BASE), ground, 30)


def test_where_nothing_is_traded_nothing_is_claimed(ground: World, tmp_path: Any) -> None:
    """No signal is strong enough: rows of no trade, no best, no Sharpe ratio out of sample."""
    weak = World({name: frame.assign(strength=0.1) for name, frame in ground.signals.items()}, ground.bars)
    found = swept(weak, {"rules.strength_min": [0.9], "rules.horizon_s": [60, 120]}, tmp_path)
    assert found.best == -1
    assert "nothing was traded, nothing is shown" in lines(found)[0]
    assert lines(found)[1] == "None of 2 points tried made trades enough for a Sharpe ratio."
    assert "Every point" in sweep_page(found, [], {})


def swept(ground: World, axes: dict[str, list[Any]], folder: Any, costs: Costs = FREE) -> Swept:
    points = grid(axes, Policy(), Rules(), costs)
    found = sweep(points, here(ground))
    ids = {"run_id": "r", "at": "2026-03-02", "model_id": "m", "made_by": "p", "inputs_id": "i"}
    trials = Ledger(folder / "trials.jsonl").add_all(
        [trial_of(point, one, **ids) for point, one in zip(points, found, strict=True)]
    )
    return conclude(points, found, ground, walk(points, ground, here(ground), plan(points, ground, 2)), trials)


def test_the_best_is_called_the_best_of_so_many(ground: World, tmp_path: Any) -> None:
    """Out of sample first; then the best with the number tried, and its chance once all of them are counted."""
    found = swept(ground, {"rules.strength_min": [0.3, 0.5, 0.7], "rules.horizon_s": [300, 7200]}, tmp_path)
    first, second, third = lines(found)
    assert first.startswith("Out of sample, chosen on past days only: +")
    assert second.startswith("The best of 6 tried: rules.strength_min=")
    assert "6 trials of the ledger counted (deflated)" in third
    assert found.deflated is not None
    assert found.deflated.luck_sharpe > 0
    best = max(one.sharpe for one in found.figures)
    assert found.figures[found.best].sharpe == best == float(found.table.set_index("rank")["sharpe"].loc[1])
    assert [row[0] for row in rows(found)] == [str(n) for n in range(1, 7)]
    html = sweep_page(found, ["a note"], {"bars": "made:60"})
    assert html.index("Out of sample") < html.index("The best of 6")
    assert "Heat map of Sharpe ratios by rules.strength_min and rules.horizon_s" in html


def test_points_without_a_ratio_come_last() -> None:
    """NaN is no ratio: it never ranks before one, and equals keep the order of the grid."""
    points = grid({"rules.horizon_s": [1, 2, 3, None]}, *BASE)
    ratios = (np.nan, 1.0, 1.0, 2.0)
    found = [Figures(0, 0, 0, 0, 0, ratio, 0, 0, ratio, 1, "", "") for ratio in ratios]
    assert table(points, found)["rank"].tolist() == [4, 2, 3, 1]


def test_a_sweep_is_one_entry_after_another_in_the_ledger(tmp_path: Any, ground: World) -> None:
    """All points at once are the same as each alone; none is lost, and a sweep run again adds none."""
    points = grid(AXES, *BASE)
    ids = {"run_id": "r", "at": "2026-03-02", "model_id": "m", "made_by": "p", "inputs_id": "i"}
    made = [trial_of(p, f, **ids) for p, f in zip(points, sweep(points, here(ground)), strict=True)]
    together, alone = Ledger(tmp_path / "together.jsonl"), Ledger(tmp_path / "alone.jsonl")
    together.add_all(made)
    for one in made:
        alone.add(one)
    assert together.path.read_bytes() == alone.path.read_bytes()
    assert together.add_all(made).number == len(made)
    assert together.add_all([]).number == len(made)


def test_a_sweep_that_was_killed_goes_on_where_it_was(ground: World, tmp_path: Any) -> None:
    """Points that were done are not done again; a line that was cut off is; the rows are the same to the last bit."""
    points = grid(AXES | {"rules.strength_min": [0.3, 0.65, 1.0]}, *BASE)  # the strongest of all: no trade, NaN
    whole, walked = sweep(points, here(ground)), walk(points, ground, here(ground), plan(points, ground, 3))
    path = tmp_path / "sweeps" / "x.jsonl"
    killed = Journal(path).resuming(here(ground))(evaluated, points)
    assert [next(killed) for _ in range(4)] == whole[:4]
    with path.open("a") as file:
        file.write(path.read_text().splitlines()[-1][:30])
    done: list[Any] = []

    def counting(task: Any, items: Any) -> Iterator[Any]:
        done.extend((task.__name__, item) for item in items)
        return (task(ground, item) for item in items)

    journal = Journal(path)
    assert repr(sweep(points, journal.resuming(counting))) == repr(whole)
    assert done == [("evaluated", point) for point in points[4:]]
    for _ in range(2):  # the second finds what the first noted
        found = walk(points, ground, Journal(path).resuming(counting), plan(points, ground, 3))
        assert found[0].returns.equals(walked[0].returns)
        assert found[0].choices.equals(walked[0].choices)
    assert len([one for one, _ in done if one == "trained_on"]) == len(points)
    journal.forget()
    assert len(Journal(path)) == 0


def ours() -> list[Any]:
    """Processes that live on, but for the cluster's."""
    return [one for one in multiprocessing.active_children() if "Dask" not in one.name]


def _die(world: Any, item: int) -> int:
    if item == 3:
        os._exit(9)
    return item


def _fail(world: Any, item: int) -> int:
    raise DataError("bars", f"bad {item}", "mend")


def test_a_process_that_dies_is_one_clear_error_and_none_is_left() -> None:
    """As when one is killed for want of memory; the others are ended."""
    with pytest.raises(WorkerError, match="one of them died"), spread.processes(None, 2) as mapper:
        list(mapper(_die, list(range(8))))
    assert not ours()


def test_an_error_of_a_point_is_the_same_from_a_process() -> None:
    """What a backtest says of its data is said once, not wrapped."""
    with pytest.raises(DataError, match="bad 0"), spread.processes(None, 1) as mapper:
        list(mapper(_fail, [0, 1]))
    assert not ours()


def test_a_worker_of_a_cluster_that_dies_is_one_clear_error(cluster: str) -> None:
    """Tried again on others as the cluster sees fit, then told; the cluster lives on."""
    with pytest.raises(WorkerError, match="died"), spread.dask(None, cluster) as mapper:
        list(mapper(_die, [3]))
    with spread.dask(None, cluster) as mapper:
        assert list(mapper(_die, [1, 2])) == [1, 2]


@pytest.mark.parametrize("address", ["127.0.0.1", "tcp://127.0.0.1", "http://127.0.0.1:80", "tcp://a b:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """Before anything is asked of the network."""
    with pytest.raises(ConfigError, match="is no address - as tcp://"), spread.dask(None, address):
        pass


def test_a_cluster_that_is_not_there_is_told_at_once() -> None:
    """Nothing listens there: a line, not a wait for ever."""
    with pytest.raises(WorkerError, match="no answer within"), spread.dask(None, "tcp://127.0.0.1:9"):
        pass


def test_without_the_package_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment without the extra."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"distributed is not installed - pip install -e .\[scale\]"):
        spread.dask(None, "tcp://127.0.0.1:9").__enter__()


def test_a_point_travels_whole() -> None:
    """Rules and costs reach another process as they were, JSON alike."""
    import pickle

    point = grid(AXES, *BASE)[5]
    again = pickle.loads(pickle.dumps(point))
    assert again == point
    assert msgspec.json.encode(again) == msgspec.json.encode(point)
