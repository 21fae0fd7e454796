"""`signals.research` as a notebook imports it."""

import subprocess
import sys

import pytest

from signals import research
from tests.conftest import ROOT

NOTEBOOK = """
import sys
import signals.research
assert not {"pandas", "sklearn", "sqlalchemy", "pyarrow"} & set(sys.modules)
from signals.research import Rules, backtest, bar_frame, read_export, signal_frame
assert not {"sklearn", "sqlalchemy", "redis", "yfinance", "pyarrow.parquet", "vectorbt"} & set(sys.modules)
assert callable(backtest)
"""


@pytest.mark.parametrize("name", research.__all__)
def test_a_public_name_loads(name: str) -> None:
    """Each name of `__all__` is there and listed."""
    assert getattr(research, name) is not None
    assert name in dir(research)


def test_every_name_has_one_home() -> None:
    """The table of homes and the list of names are the same."""
    assert sorted(research.__all__) == sorted(research._HOME_OF)
    assert len(research._HOME_OF) == sum(len(names) for names in research._HOMES.values())


def test_no_other_name_is_made_up() -> None:
    """What is not public is an error, as of any module."""
    assert not hasattr(research, "no_such_name")


@pytest.mark.parametrize("first", ["signals.research.backtest", "signals.research.bridges", "signals.research"])
def test_a_function_is_not_taken_for_its_module(first: str) -> None:
    """`backtest` is the function, whatever was loaded before, and its module can still be imported from."""
    code = f"import {first}; from signals.research import backtest; from signals.research.backtest import Backtest"
    done = subprocess.run([sys.executable, "-c", f"{code}; print(backtest.__name__)"], capture_output=True, text=True,
                          check=True, cwd=ROOT)  # fmt: skip
    assert done.stdout == "backtest\n"


def test_little_is_loaded_before_it_is_asked_for() -> None:
    """The package alone loads nothing heavy; frames and backtests need pandas and no store, broker or model."""
    subprocess.run([sys.executable, "-c", NOTEBOOK], check=True, cwd=ROOT)
