"""The package as a bot imports it."""

import json
import subprocess
import sys
from pathlib import Path

import signals

ROOT = Path(__file__).parents[2]
BOT = """
import json, sys, time
begun = time.process_time()
import signals
from signals import connect, connect_async, decode, Event, Received, Signal
took_s = time.process_time() - begun
heavy = {"pandas", "numpy", "scipy", "sklearn", "sqlalchemy", "yfinance", "aiohttp", "jobs"}
assert "redis" not in sys.modules  # it comes with the first client
signals.Client(lambda: "redis://127.0.0.1:1", clock=lambda: None)
signals.AsyncClient(lambda: "redis://127.0.0.1:1", clock=lambda: None)
print(json.dumps([took_s, sorted(heavy & {name.partition(".")[0] for name in sys.modules})]))
"""


def bot() -> tuple[float, list[str]]:
    """Seconds of a processor that a bot's imports take in a fresh process, and what heavy things the client loads."""
    done = subprocess.run([sys.executable, "-c", BOT], capture_output=True, text=True, check=True, cwd=ROOT)
    took_s, heavy = json.loads(done.stdout)
    return took_s, heavy


def test_a_bot_loads_little_and_quickly() -> None:
    """The client takes under 200 ms of a processor to load, and brings neither pandas nor the store."""
    runs = [bot() for _ in range(3)]
    assert min(took_s for took_s, _ in runs) < 0.2
    assert [heavy for _, heavy in runs] == [[], [], []]


def test_every_public_name_is_there() -> None:
    """Each name of `__all__` loads, is listed, and no other name is made up."""
    for name in signals.__all__:
        assert getattr(signals, name) is not None
    assert set(signals.__all__) <= set(dir(signals))
    assert not hasattr(signals, "no_such_name")
    assert signals.__version__ == "0.1.0"
