"""An archive of 2,000,000 headlines scored: Dask with two processes against one process, the same command and code.

Halves of the archive in turn, each side first once, so that a drift of the machine meets both; start and end of the
processes are counted. Fewer: `python -c "from tests.bench.archive import main; main(100_000)"`.
"""

import datetime as dt
import filecmp
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from signals.scoring.corpus import read_corpus
from tests.bench.timing import Row, seconds
from tests.conftest import ROOT

COUNT = 2_000_000
HALVES = 2
_FILE = 100_000
_GROUP = 25_000
_BEGIN = dt.datetime(2006, 1, 1, tzinfo=dt.UTC)
MIB = 1 << 20


def bench(count: int = COUNT) -> Iterator[Row]:
    """The rows."""
    took: dict[int, list[float]] = {1: [], 2: []}
    cpu: dict[int, list[float]] = {1: [], 2: []}
    peak_mib = {1: 0.0, 2: 0.0}
    same = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for half in range(HALVES):
            write(folder / f"in{half}", count // HALVES, half)
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        for half in range(HALVES):
            for processes in ((1, 2), (2, 1))[half % 2]:
                before = _children_s()
                done = _score(folder, half, processes, took)
                cpu[processes].append(_children_s() - before)
                peak_mib[processes] = max(peak_mib[processes], done["peak_bytes"] / MIB)
            same &= _same(folder / f"out{half}-1", folder / f"out{half}-2")
    one, two = sum(took[1]), sum(took[2])
    bytes_out = "the same bytes out" if same else "OTHER BYTES OUT"
    cores = len(os.sched_getaffinity(0))
    yield Row(f"{count:,} headlines, {size / MIB:,.0f} MiB of Parquet", cores, "cores", bytes_out)
    yield Row("  one process", count / one, "headlines/s", f"{one:,.0f} s, {sum(cpu[1]):,.0f} s of CPU")
    yield Row("  Dask, two processes", count / two, "headlines/s", f"{two:,.0f} s, {sum(cpu[2]):,.0f} s of CPU")
    yield Row("  quicker by", one / two, "x", "wanted: 1.6 on two free cores; starts of all processes are counted")
    yield Row("  peak memory of a process", peak_mib[2], "MiB", f"of 1,024 allowed; alone {peak_mib[1]:,.0f} MiB")


def write(folder: Path, count: int, salt: int = 0) -> None:
    """So many headlines a minute apart, a hundred thousand a file: titles of the corpus, each with a number."""
    titles = [row.text for row in read_corpus(ROOT / "seeds" / "headlines")]
    folder.mkdir(parents=True)
    for number, first in enumerate(range(0, count, _FILE)):
        rows = range(salt * count + first, salt * count + min(first + _FILE, count))
        table = pa.table(
            {
                "title": [f"{titles[row % len(titles)]} ({row})" for row in rows],
                "source": [f"wire{row % 7}" for row in rows],
                "published_at": pa.array(
                    [_BEGIN + dt.timedelta(minutes=5 * row) for row in rows], pa.timestamp("us", tz="UTC")
                ),
            }
        )
        pq.write_table(table, folder / f"{number:03d}.parquet", row_group_size=_GROUP, compression="zstd")


def _score(folder: Path, half: int, processes: int, took: dict[int, list[float]]) -> dict:
    command = [sys.executable, "-m", "jobs", "score", str(folder / f"in{half}"), "--json"]
    command += ["--to", str(folder / f"out{half}-{processes}"), "--processes", str(processes)]
    said: list[bytes] = []
    env = os.environ | {"SIGNALS_HOME": str(folder / "home")}
    took[processes].append(
        seconds(lambda: said.append(subprocess.run(command, check=True, cwd=ROOT, env=env, capture_output=True).stdout))
    )
    return json.loads(said[0])


def _same(one: Path, other: Path) -> bool:
    """The same files, and the same bytes in each."""
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    there = sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    return names == there and not any(filecmp.cmpfiles(one, other, names, shallow=False)[1:])


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(count: int) -> None:
    """With so many headlines."""
    for row in bench(count):
        print(f"{row.what:<50} {row.value:>12,.2f} {row.unit:<14} {row.against}")
