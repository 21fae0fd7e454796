"""Rows a second into the store from a CSV file, and the memory that ten times as many rows take."""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.timing import Row
from tests.conftest import ROOT

ROWS = 200_000
FEW = ROWS // 10


def bench() -> Iterator[Row]:
    """The rows."""
    with tempfile.TemporaryDirectory() as folder:
        few_s, few_mb = _import(Path(folder), FEW)
        many_s, many_mb = _import(Path(folder), ROWS)
        bare_s = _bare_s(Path(folder) / f"{ROWS}.csv")
    yield Row(f"CSV of {ROWS:,} rows into SQLite", ROWS / many_s, "rows/s", "wanted: 5,000")
    yield Row(f"  of {FEW:,} rows", FEW / few_s, "rows/s")
    yield Row("  csv.DictReader alone", ROWS / bare_s, "rows/s", f"ours is {many_s / bare_s:.0f} x as long")
    yield Row(f"peak memory, {ROWS:,} rows", many_mb, "MB", f"with {FEW:,} rows {few_mb:.1f} MB; wanted: flat")


_TIMED = """
import sys, time
from pathlib import Path
from jobs import importing
from jobs.app import App
from jobs.settings import load
app = App(load(Path(sys.argv[1]), {"SIGNALS_HOME": sys.argv[2]}))
app.store
start = time.perf_counter()
done = importing.import_file(app, importing.open_file(Path(sys.argv[3]), importing.Options()))
took = time.perf_counter() - start
app.close()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))  # getrusage would tell of the parent
print(done.counts.new, took, int(status["VmHWM"].split()[0]) / 1024)
"""


def _import(folder: Path, rows: int) -> tuple[float, float]:
    """Seconds and peak memory of a process that imports a file of so many rows."""
    path = folder / f"{rows}.csv"
    write(path, rows)
    command = [sys.executable, "-c", _TIMED, str(ROOT / "config" / "signals.toml"), str(folder / f"home{rows}"), path]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    new, took, peak_mb = done.stdout.split()
    if int(new) != rows:
        raise SystemExit(f"only {new} of {rows} rows were new")
    return float(took), float(peak_mb)


def write(path: Path, rows: int) -> None:
    """A file of made headlines, a minute apart."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["title", "published_at", "url", "source", "summary"])
        for n in range(rows):
            day, minute = divmod(n, 1440)
            at = f"{2005 + day // 336}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}T{minute // 60:02}:{minute % 60:02}:00Z"
            title = f"Dollar trades near {100 + n % 60}.{n % 100:02} yen as traders weigh report {n}"
            out.writerow(
                [title, at, f"https://news.example.com/fx/{n}?page=1", f"wire{n % 7}", f"Summary of report {n}."]
            )


def _bare_s(path: Path) -> float:
    from tests.bench.timing import seconds

    def read() -> None:
        with path.open(encoding="utf-8", newline="") as file:
            for _ in csv.DictReader(file):
                pass

    return seconds(read)
