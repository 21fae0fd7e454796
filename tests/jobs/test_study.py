"""`signals study` from the shell: a planted reaction is found, what is written and told, and what is refused."""

import datetime as dt
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.conftest import Shell
from tests.research.planted import AFTER_BP, days, market

KNOWN = days(16)
TITLES = (
    ("US CPI m/m 0.1% vs 0.3% expected", "US CPI m/m 0.5% vs 0.3% expected"),
    ("US retail sales m/m -0.6% vs 0.2% expected", "US retail sales m/m 1.1% vs 0.2% expected"),
    ("US ISM services PMI 49.1 vs 52.0 expected", "US ISM services PMI 54.8 vs 52.0 expected"),
    ("US non-farm payrolls 90K vs 180K expected", "US non-farm payrolls 280K vs 180K expected"),
)
"""Below and above what was expected; none within two days of its like, which would be a repeat."""
LEVEL = 158 / 150
"""Where USD/JPY stood in those days: bars of another level would be refused as another pair's."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Sixteen figures, a market that follows each of them, and what the pipeline made of both."""
    folder = tmp_path_factory.mktemp("study")
    shell = Shell(folder, "")
    signs = [1 if n % 2 else -1 for n in range(16)]
    bars = market(
        list(zip(KNOWN, map(float, signs), strict=True)), until=KNOWN[-1] + dt.timedelta(hours=8), noise_bp=0.2
    )
    (bars[["open", "high", "low", "close"]] * LEVEL).to_csv(folder / "bars.csv")
    lines = ["title,date"]
    for number, (at, sign) in enumerate(zip(KNOWN, signs, strict=True)):
        title = TITLES[number % len(TITLES)][sign > 0]
        lines.append(f"{title},{at - dt.timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}")
    (folder / "news.csv").write_text("\n".join(lines))
    for arguments in (
        ("import", str(folder / "bars.csv"), "--bars", "--source", "mine"),
        ("import", str(folder / "news.csv")),
        ("jobs", "run", "publish"),
    ):
        done = shell.run(*arguments)
        assert done.returncode == 0, done.stderr
    return shell


def test_the_planted_reaction_is_told_with_its_bounds(home: Shell, tmp_path: Path) -> None:
    """The table says what moved, on how many calls and days, at what resolution, and where the rest is."""
    report, tables = tmp_path / "study.html", tmp_path / "tables"
    done = home.run("study", "--allow-backfilled", "--report", str(report), "--to", str(tables))
    assert done.returncode == 0, done.stderr
    assert "16 signals on 16 days" in done.stdout
    assert "Bars of 1 min: the price at known_at is up to 1 min old." in done.stdout
    moved = re.search(
        r"price moved \+([\d.]+) \[\+([\d.]+), \+([\d.]+)\] bp as called \(16 calls on 16 days\)", done.stdout
    )
    assert moved and float(moved[2]) < AFTER_BP < float(moved[3])
    assert "us.inflation" in done.stdout and str(report) in done.stdout
    page = report.read_text()
    assert page.count("<img ") >= 6
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)  # asks no other file and no host
    names = "ic ic_months moved_before outcomes paths releases reliability surprises"
    assert sorted(path.stem for path in tables.iterdir()) == names.split()
    assert len(pd.read_parquet(tables / "outcomes.parquet")) == 16
    assert pd.read_parquet(tables / "releases.parquet")["event"].nunique() == len(TITLES)


def test_programs_get_one_object(home: Shell) -> None:
    """With `--json`: the same findings, the tables, what was left out; what is unknown is null."""
    done = home.run("study", "--allow-backfilled", "--json", "--horizon", "900", "--flat-band-bp", "1")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["signals"], told["days"], told["bar_s"]) == (16, 16, 60)
    assert (told["calls"]["hits"], told["calls"]["hit_rate"]["n"]) == (16, 16)
    quarter = [row for row in told["ic"] if row["horizon_s"] == 900 and row["entry"] == "next open"]
    assert quarter[0]["mean_bp"] == pytest.approx(AFTER_BP, abs=1)
    assert any("backfilled" in note for note in told["notes"])
    assert told["moved_before"][0]["share"] == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ((), 1, "16 backfilled - --allow-backfilled takes them"),
        (("--allow-backfilled", "--from", "soon"), 2, "signals: --from: 'soon' is no time"),
        (("--allow-backfilled", "--bars", "mine:3600"), 1, "signals: bars mine:3600: the store has none"),
        (("--allow-backfilled", "--report", "none/r.html"), 1, "signals: none/r.html: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_line(home: Shell, arguments, code: int, line: str) -> None:
    """The option or what is missing, and the mend."""
    done = home.run("study", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert line in done.stderr


def test_a_latency_without_end_is_refused(home: Shell) -> None:
    """As any figure out of range: by usage, not by a traceback."""
    done = home.run("study", "--allow-backfilled", "--latency", "inf")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
