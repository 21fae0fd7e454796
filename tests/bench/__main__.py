"""`make bench`: every timing beside a yardstick taken in the same run, since machines differ and drift.

Each figure is the median of several rounds, ours and the yardstick in turn.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # one core, for ours and for the yardsticks

import sys
from importlib import import_module

PARTS = {
    "scoring": "scoring",
    "publishing": "publishing",
    "store": "store",
    "client": "client",
    "feeds": "feeds",
    "importing": "importing",
    "archive": "archive",
    "join": "join",
    "replay": "replay",
    "backtest": "backtest",
    "whole": "whole",
    "sweep": "sweep",
    "noise": "research_noise",
    "stories": "stories",
    "scale": "scale",
    "workers": "workers",
    "chaos": "chaos",
    "takeover": "takeover",
    "drill": "drill",
}
"""Each part, and the module of it: loaded when asked for, since some need what others must not have loaded."""


def main(asked: list[str]) -> None:
    """Run the parts asked for, or all."""
    unknown = [name for name in asked if name not in PARTS]
    if unknown:
        sys.exit(f"bench: no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    for name in asked or PARTS:
        print(f"\n{name}")
        for row in import_module(f"tests.bench.{PARTS[name]}").bench():
            print(f"  {row.what:<58} {row.value:>12,.1f} {row.unit:<14} {row.against}")


if __name__ == "__main__":  # not in the processes that a part starts
    main(sys.argv[1:])
