"""`signals sweep` from the shell: every point a backtest and a trial, each policy replayed once, clean ends."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pytest

from jobs import sweeping
from jobs.app import App
from jobs.history import FIRST, LAST
from jobs.replaying import Asked, frame_of
from jobs.settings import load
from signals.decide import policy_id
from signals.errors import DataError
from signals.model import Headline, Policy, Score
from signals.scoring.model import ScoringModel
from signals.store import bars, headlines, signals
from tests.core.conftest import HOUR, MINUTE, NOW, make_bar, make_headline, make_signal
from tests.jobs.conftest import Shell
from tests.properties.conftest import START
from tests.properties.test_house import minutes, news

GRID = ("--grid", "rules.strength_min=0.2,0.4,0.9", "--grid", "rules.horizon_s=600,none")
HUNDRED = ",".join(str(n) for n in range(100))
LONG = ("--grid", f"rules.latency_s={HUNDRED}", "--grid", f"rules.max_wait_s={HUNDRED}", "--processes", "2")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A hundred calls on fifty days, each followed by a rise; two of three said so."""
    shell = Shell(tmp_path_factory.mktemp("sweep"), "")
    told, seen, made = [], [], []
    for day in (n for n in range(70) if (NOW.weekday() + n) % 7 < 5):
        for number in range(2):
            at, name = NOW + day * 24 * HOUR + number * HOUR, f"{day}-{number}"
            seen.append(make_headline(name, known_at=at))
            told.append(
                make_signal(
                    signal_id=name, headline_id=name, direction="up" if (day + number) % 3 else "down", known_at=at,
                    scored_at=at, valid_until=at + HOUR, horizon_s=1800,
                )
            )  # fmt: skip
            made += [make_bar(at + n * MINUTE, 150 + min(n, 30) * (1 + day % 7) / 500) for n in range(1, 60)]
    with contextlib.closing(App(load(shell.config, shell.env), clock=lambda: NOW)) as app, app.store.write() as conn:
        bars.add(conn, made)
        headlines.add(conn, seen)
        signals.add(conn, [], told, channel="USDJPY", now=NOW, encode=lambda _, epoch, seq: (f"{epoch}-{seq}", b"{}"))
    return shell


def swept(home: Shell, *arguments: str) -> dict:
    done = home.run("sweep", "--json", *(() if "--processes" in arguments else ("--processes", "1")), *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_point_is_its_backtest_and_a_trial(home: Shell) -> None:
    """A point has the figures of `signals backtest` with its values, which then is no new trial."""
    found = swept(home, *GRID)
    assert [one["values"]["rules.horizon_s"] for one in found["points"]] == [600, None] * 3
    lines = (home.home / "trials.jsonl").read_text().splitlines()
    assert len(lines) == found["tried"] == 6
    assert len({json.loads(line)["run_id"] for line in lines}) == 1
    point = found["points"][0]
    done = home.run(
        "backtest", "--json", "--no-lookahead", "--placebos", "20", "--set", "rules.strength_min=0.2",
        "--set", "rules.horizon_s=600",
    )  # fmt: skip
    alone = json.loads(done.stdout)
    assert point["trades"] == alone["summary"]["trades"] == 100
    assert (point["sharpe"], point["net_bp"]) == (alone["summary"]["sharpe"], alone["summary"]["mean_net_bp"])
    assert "6 distinct trials in trials.jsonl" in alone["notes"]


def test_what_is_out_of_sample_stands_first_and_all_points_are_written(home: Shell, tmp_path: Path) -> None:
    """The walk forward leads, then the best of so many with its deflated chance; files have every point."""
    arguments = ("--walk-forward", "3", "--report", str(tmp_path / "r.html"), "--to", str(tmp_path / "t"))
    found = swept(home, *GRID, *arguments)
    assert found["verdict"][0].startswith("Out of sample, chosen on past days only: ")
    assert found["verdict"][1].startswith("The best of 6 tried: rules.")
    assert "trials of the ledger counted (deflated)" in found["verdict"][2]
    assert found["best"]["rank"] == 1
    assert len(found["out_of_sample"][0]["choices"]) == 3
    points = pd.read_parquet(tmp_path / "t" / "points.parquet")
    assert points["rank"].tolist() == [one["rank"] for one in found["points"]]
    assert len(pd.read_parquet(tmp_path / "t" / "choices.parquet")) == 3
    html = (tmp_path / "r.html").read_text()
    assert "Heat map" in html
    assert html.index("Out of sample") < html.index("The best of 6 tried")


def test_without_a_walk_the_screen_says_what_is_missing(home: Shell) -> None:
    """Chosen and measured on the same days: said. At most twenty rows, and where the others are."""
    done = home.run("sweep", "--grid", f"rules.latency_s={','.join(str(n) for n in range(25))}", "--processes", "1")
    assert done.returncode == 0, done.stderr
    assert "chosen and measured on the same days: --walk-forward 5" in done.stdout
    assert "The best of 25 tried" in done.stdout
    assert "the best 20 of 25" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--grid: holds no point - give --grid rules.strength_min=0.2,0.4"),
        (("--grid", "rules.strength_min="), 2, "--grid rules.strength_min: has no value"),
        (("--grid", "rules.strength_min"), 2, "--grid: 'rules.strength_min' has no values"),
        (("--grid", "rules.strength=1"), 2, "--grid rules.strength: there is no such key"),
        (("--grid", "rules.strength_min=0.2,2"), 2, "--grid rules.strength_min: Expected `float` <= 1.0, not 2"),
        (("--grid", "rules.positions=one,two"), 2, "--grid rules.positions: Invalid enum value 'two'"),
        ((*LONG, "--grid", "rules.horizon_s=60,90"), 2, "--grid: 20,000 points are more than 10,000 - take fewer"),
        (("--grid", "rules.latency_s=1", "--grid", "rules.latency_s=2"), 2, "--grid rules.latency_s: is given twice"),
        (("--grid", "policy.ttl_s=60", "--signals", "store"), 2, "--grid policy: changes nothing of signals made"),
        (("--grid", "rules.latency_s=1", "--cluster", "there"), 2, "--cluster: 'there' is no address"),
        (
            ("--grid", "rules.latency_s=1", "--cluster", "tcp://127.0.0.1:9"),
            1,
            "--cluster tcp://127.0.0.1:9: no answer",
        ),
        ((*GRID, "--walk-forward", "60"), 1, "days: 50 for 60 tests"),
    ],
)
def test_a_mistake_is_one_line_with_its_mend(home: Shell, arguments: Sequence[str], code: int, said: str) -> None:
    """Never a traceback; what cannot be is told before anything is counted."""
    before = (home.home / "trials.jsonl").read_bytes() if (home.home / "trials.jsonl").exists() else b""
    done = home.run("sweep", *arguments)
    assert done.returncode == code
    assert done.stderr.startswith(f"signals: {said}"), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert ((home.home / "trials.jsonl").read_bytes() if before else b"") == before


@contextlib.contextmanager
def working(home: Shell) -> Iterator[subprocess.Popen[str]]:
    """A sweep in a session of its own whose two processes are at work; what is left of it at the end is ended."""
    running = subprocess.Popen(
        home.command("sweep", *LONG), env=home.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait(lambda: len(workers(running.pid)) == 2 and all(_busy(one) for one in workers(running.pid)))
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()


def _wait(done, seconds: float = 50) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


def session(leader: int) -> dict[int, str]:
    """Command lines by process, of a session."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                line = (path / "cmdline").read_text().replace("\0", " ")
                if line:  # one that is ending has none any more
                    found[int(path.name)] = line
    return found


def workers(leader: int) -> list[int]:
    return [pid for pid, line in session(leader).items() if "spawn_main" in line]


def _busy(pid: int) -> bool:
    """It has its imports behind it: the process maps what a backtest needs."""
    with contextlib.suppress(OSError):
        return "_qmc_cy" in Path(f"/proc/{pid}/maps").read_text()
    return False


def test_ctrl_c_ends_it_in_one_line_and_leaves_no_process(home: Shell) -> None:
    """As a terminal sends it, to all of them at once: no traceback of any, nothing counted."""
    with working(home) as running:
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=20)
        assert (running.returncode, said[-2000:]) == (1, "signals: stopped: the same command goes on from here\n")
        assert session(running.pid) == {}


def test_a_process_that_is_killed_is_one_line_and_leaves_no_process(home: Shell) -> None:
    """As when memory runs out: which, and the mend."""
    with working(home) as running:
        os.kill(workers(running.pid)[0], signal.SIGKILL)
        _, said = running.communicate(timeout=20)
        assert running.returncode == 1
        assert said.startswith("signals: processes: one of them died - ")
        assert len(said.splitlines()) == 1
        assert session(running.pid) == {}


def test_a_sweep_that_is_killed_takes_its_processes_along(home: Shell) -> None:
    """Nobody is left to end them: they end by themselves; and nothing of what they did is counted."""
    ledger = home.home / "trials.jsonl"
    before = ledger.read_bytes() if ledger.exists() else b""
    with working(home) as running:
        running.kill()
        assert running.wait() == -signal.SIGKILL
        _wait(lambda: session(running.pid) == {})
        assert session(running.pid) == {}
    assert (ledger.read_bytes() if ledger.exists() else b"") == before


POLICIES = [Policy(novelty_min=least) for least in (0.0, 0.6, 1.0)]
ALL = Asked(FIRST, LAST)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Headlines that wait, some repeated, and the minutes around them."""
    shell = Shell(tmp_path_factory.mktemp("archive"), "")
    with contextlib.closing(App(load(shell.config, shell.env), clock=lambda: START)) as app:
        with app.store.write() as conn:
            headlines.add(conn, news(90, seed=1))
            bars.add(conn, minutes(12, seed=2))
        yield app


def by_policy(archive: App, count: int = 1, allow_backfilled: bool = True) -> sweeping.Ready:
    return sweeping.by_policy(
        archive, POLICIES, ALL, bars=None, allow_backfilled=allow_backfilled, count=count, tell=lambda *_: None
    )


def test_each_policy_has_the_signals_of_its_own_replay(archive: App) -> None:
    """Those of `signals replay` with that policy, in one process or several, whatever was replayed before."""
    here, spread = by_policy(archive), by_policy(archive, count=2)
    counts = []
    for policy in POLICIES:
        alone, _ = frame_of(archive, ALL._replace(policy=policy))
        mine = here.world.signals[policy_id(policy)]
        pd.testing.assert_frame_equal(mine, alone[list(mine.columns)], check_exact=True)
        counts.append(len(mine))
        assert here.made[policy_id(policy)].policy_ids == (policy_id(policy),)
    assert counts[0] > counts[2] > 0
    for name, one in here.made.items():
        assert spread.made[name].inputs_id == one.inputs_id
    assert here.bars_id == spread.bars_id


def test_a_headline_is_scored_once_for_all_policies(archive: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its score does not depend on the policy."""
    asked: list[str] = []
    scored = ScoringModel.answers

    def counting(model: ScoringModel, these: Sequence[Headline]) -> list[Score]:
        asked.extend(one.headline_id for one in these)
        return scored(model, these)

    monkeypatch.setattr(ScoringModel, "answers", counting)
    by_policy(archive)
    assert len(asked) == len(set(asked)) > 50
    monkeypatch.setattr(sweeping, "REMEMBERED", 10)  # what cannot be kept is scored anew, to the same
    few = by_policy(archive)
    assert len(asked) > len(set(asked)) * 2
    assert [one.inputs_id for one in few.made.values()] == [one.inputs_id for one in by_policy(archive).made.values()]


def test_what_is_left_out_of_the_replays_is_said(archive: App) -> None:
    """Reconstructed times are refused unless asked for, and counted either way."""
    strict, lenient = by_policy(archive, allow_backfilled=False), by_policy(archive)
    assert any("signals of a policy left out: backfilled" in note for note in strict.notes)
    assert any("signals of a policy are backfilled" in note for note in lenient.notes)
    assert len(strict.world.signals[policy_id(POLICIES[0])]) < len(lenient.world.signals[policy_id(POLICIES[0])])
    assert "3 policies, each replayed once" in strict.notes


def test_a_time_without_signals_is_told(archive: App) -> None:
    """Where no policy makes any: one line with the mend, not a table of noughts."""
    late = ALL._replace(since=START.replace(year=2031))
    with pytest.raises(DataError, match="no policy of the grid makes any"):
        sweeping.by_policy(archive, POLICIES, late, bars=None, allow_backfilled=True, count=1, tell=lambda *_: None)


def test_a_grid_of_policies_replays_without_being_told(archive: App) -> None:
    """From the shell: policies and rules in one grid, on two processes, each policy with signals of its own."""
    shell = Shell.__new__(Shell)
    shell.home, shell.config = archive.settings.home, archive.settings.path
    shell.env = os.environ | {"SIGNALS_HOME": str(shell.home), "SIGNALS_BROKER_PORT": "0", "SIGNALS_CONSOLE_PORT": "0"}
    grids = ("--grid", "policy.novelty_min=0.0,1.0", "--grid", "rules.strength_min=0.1,0.5")
    found = swept(shell, *grids, "--processes", "2", "--allow-backfilled")
    counts = [one["signals"] for one in found["points"]]
    assert counts[0] == counts[1] > counts[2] == counts[3] > 0
    assert found["inputs"]["policy"].count(",") == 1
