"""History through the live code path: the names for notebooks. Each loads its module when first asked for.

Frames
------
`signal_frame(signals, retractions)`, `bar_frame(bars)`: records of `signals.model` as frames; `research.frames` says
    which columns there are: times `datetime64[us, UTC]`, prices JPY per USD, `sign` + where the price should rise.
`read_export(folder)`: both of a `signals export`, from Parquet.

Archives
--------
`score_dataset(dataset, to, model)` → `Scored`: every headline of a Parquet dataset larger than memory, by parts, on
    processes or a Dask cluster; stopped, the same call goes on.

Prices and decisions over columns
---------------------------------
`PriceTable(bars).context(known_at, stale_after_s)`, `join_prices(...)`: price, age (seconds) and moves (basis points)
    as of each time, as the live path has them, a million rows at a time.
`decide_frame(frame, policy)`: signal or skip of scored headlines, as the live path decides.

Trading
-------
`Rules`, `Costs`, `FREE`, `backtest(signals, bars, rules, costs)` → `Backtest`: trades, what was not traded and why, and
    the account bar by bar, in JPY.
`to_vectorbt`, `to_backtesting`: the same trades in other backtesters.

What the price did, and whether it could be chance
--------------------------------------------------
`event_paths`, `outcomes`, `information_coefficient`: basis points after signals, by horizon.
`interval(values)` → `Interval`: a figure and its bounds; `deflated_sharpe`, `placebo`, `Ledger`: what is left of it
    after the trials that were made.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signals.research.backtest import Backtest, backtest
    from signals.research.bridges import to_backtesting, to_vectorbt
    from signals.research.bulk import decide_frame
    from signals.research.deflated import Deflated, deflated_sharpe
    from signals.research.exported import Export, read_export
    from signals.research.folds import combinatorial, walk_forward
    from signals.research.frames import bar_frame, signal_frame
    from signals.research.ic import information_coefficient, outcomes
    from signals.research.interval import Interval, interval
    from signals.research.join import PriceTable, join_prices, stacked
    from signals.research.ledger import Ledger
    from signals.research.placebo import Placebo, placebo
    from signals.research.rules import FREE, Costs, Rate, Rules
    from signals.research.score_dataset import Scored, score_dataset
    from signals.research.study import event_paths

__all__ = [
    "FREE",
    "Backtest",
    "Costs",
    "Deflated",
    "Export",
    "Interval",
    "Ledger",
    "Placebo",
    "PriceTable",
    "Rate",
    "Rules",
    "Scored",
    "backtest",
    "bar_frame",
    "combinatorial",
    "decide_frame",
    "deflated_sharpe",
    "event_paths",
    "information_coefficient",
    "interval",
    "join_prices",
    "outcomes",
    "placebo",
    "read_export",
    "score_dataset",
    "signal_frame",
    "stacked",
    "to_backtesting",
    "to_vectorbt",
    "walk_forward",
]

_HOMES = {
    "backtest": ("Backtest", "backtest"),
    "bridges": ("to_backtesting", "to_vectorbt"),
    "bulk": ("decide_frame",),
    "deflated": ("Deflated", "deflated_sharpe"),
    "exported": ("Export", "read_export"),
    "folds": ("combinatorial", "walk_forward"),
    "frames": ("bar_frame", "signal_frame"),
    "ic": ("information_coefficient", "outcomes"),
    "interval": ("Interval", "interval"),
    "join": ("PriceTable", "join_prices", "stacked"),
    "ledger": ("Ledger",),
    "placebo": ("Placebo", "placebo"),
    "rules": ("FREE", "Costs", "Rate", "Rules"),
    "score_dataset": ("Scored", "score_dataset"),
    "study": ("event_paths",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


class _Package(ModuleType):
    """Where a module bears the name of the function that it is for, the function is what the package gives.

    Importing a module puts it into its package under its name; `from signals.research import backtest` would then be
    the one or the other, as it happened to be loaded or not.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and _HOME_OF.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    """Load a public name from its module when it is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    """The public names beside what is loaded already."""
    return sorted({*globals(), *__all__})
