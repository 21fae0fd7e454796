"""`signals replay` on a recorded live run: corrections, a retraction, the index, history of which some waits."""

import contextlib
import datetime as dt
import io
import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pandas as pd
import pytest
import sqlalchemy as sa

from jobs import logs
from jobs.admission import admit_history
from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.model import Headline, Withdrawal
from signals.store import bars, headlines, schema, signals, withdrawals
from tests.jobs.conftest import ARTICLES, Shell
from tests.properties.conftest import START, Clock
from tests.properties.test_house import minutes, news
from tests.properties.test_imported import brought

WAITING = 9


class Recorded(NamedTuple):
    """A home in which a service ran, and how much it told."""

    shell: Shell
    told: int
    signals: int
    retracted: int


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Three runs of the real service on its real Redis, and history that waits."""
    shell = Shell(tmp_path_factory.mktemp("recorded"), ARTICLES)
    clock = Clock(START)
    logs.configure(shell.home, stream=io.StringIO())
    with contextlib.closing(App(load(shell.config, shell.env), clock)) as app:
        live(app, clock)
        with app.store.read() as conn:
            _, told = signals.channel_state(conn, "USDJPY")
            made = conn.execute(sa.select(sa.func.count()).select_from(schema.signals)).scalar_one()
            gone = conn.execute(sa.select(schema.signals.c.signal_id).where(schema.signals.c.retracted_at.is_not(None)))
            return Recorded(shell, told, made, len(gone.all()))


def live(app: App, clock: Clock) -> None:
    """Three steps with corrections, retractions, bars read again and history."""
    batch, past, walk = news(90, seed=1), brought(60, seed=7), minutes(12, seed=2)
    corrected = msgspec.structs.replace(
        batch[0], headline_id="corrected", title=f"CORRECTED-{batch[0].title}", known_at=START - dt.timedelta(seconds=9)
    )
    for part in range(3):
        with app.store.write() as conn:
            headlines.add(conn, [*batch[part * 30 : part * 30 + 30], *([corrected] if part == 1 else [])])
            admit_history(conn, past[part * 17 : part * 17 + 17])
            learned = [msgspec.structs.replace(bar, known_at=clock()) for bar in walk[part * 240 : part * 240 + 240]]
            again = [
                msgspec.structs.replace(bar, close=bar.low, known_at=clock())
                for bar in walk[part * 240 - 9 : part * 240]
            ]
            bars.add(conn, [*learned, *again])
            kept = (
                conn.execute(sa.select(schema.signals.c.headline_id).order_by(schema.signals.c.headline_id))
                .scalars()
                .all()
            )
            fallen = [*kept[:2], *[name for name in kept if name.startswith("history")][:1]]
            withdrawals.add(conn, [Withdrawal(headline_id=n, known_at=clock(), reason="withdrawn") for n in fallen])
        assert runner_for(app).run("publish", "manual").outcome == "ok"
        clock.forward(minutes=7)
    with app.store.write() as conn:
        admit_history(conn, past[51:])
    assert len(past[51:]) == WAITING


def replayed(recorded: Recorded, *arguments: str) -> tuple[int, dict]:
    """The command's exit code and what it says."""
    done = recorded.shell.run("replay", "--json", *arguments)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_replay_gives_the_bytes_that_were_told(recorded: Recorded, tmp_path: Path) -> None:
    """Every message of news and every signal kept of history is the same; what waits follows and is said to."""
    page = tmp_path / "replay.html"
    code, said = replayed(recorded, "--to", str(tmp_path / "out"), "--check-lookahead", "--report", str(page))
    assert (code, said["by_the_same"], said["different"], said["first_differences"]) == (0, True, 0, [])
    assert said["same"] > recorded.told > 20
    assert said["retractions"] >= recorded.retracted >= 2
    assert said["waited"]["imported"] == WAITING
    assert said["headlines"] == 91 + 60
    frame = pd.read_parquet(tmp_path / "out" / "signals.parquet")
    assert len(frame) == said["signals"] > recorded.signals
    assert set(frame["model_id"]) == {said["model_id"]}
    assert set(frame["policy_id"]) == {said["policy_id"]}
    assert said["lookahead"]["differences"] == []
    assert "all the same byte for byte" in page.read_text()
    assert len(said["lookahead"]["cuts"]) == 5


def test_another_policy_is_not_what_was_told(recorded: Recorded, tmp_path: Path) -> None:
    """It says so, marks the rows, and does not fail: it was asked for."""
    code, said = replayed(recorded, "--set", "policy.novelty_min=0.3", "--to", str(tmp_path))
    assert (code, said["by_the_same"]) == (0, False)
    assert said["different"] > 0
    assert [said["model_id"], said["policy_id"]] not in said["told_by"]
    assert set(pd.read_parquet(tmp_path / "signals.parquet")["policy_id"]) == {said["policy_id"]}
    assert "this is not what was told" in recorded.shell.run("replay", "--set", "policy.novelty_min=0.3").stdout


def test_a_changed_row_is_found(recorded: Recorded, tmp_path: Path) -> None:
    """Where the store is no longer what the service read, the first differences are named and the exit code is 1."""
    copy = Shell(tmp_path, ARTICLES)
    copy.home.mkdir()
    with (
        contextlib.closing(sqlite3.connect(recorded.shell.home / "signals.db")) as old,
        contextlib.closing(sqlite3.connect(copy.home / "signals.db")) as new,
    ):
        old.backup(new)
    with contextlib.closing(App(load(copy.config, copy.env))) as app, app.store.write() as conn:
        raised = {name: schema.bars.c[name] + 1 for name in ("open", "high", "low", "close")}
        conn.execute(sa.update(schema.bars).values(raised))
    done = copy.run("replay")
    assert done.returncode == 1
    assert "are not what was told" in done.stdout
    assert "ref_price was " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "policy.novel=1"], "--set policy.novel: there is no such key"),
        (["--set", "policy.novelty_min=2"], "--set policy.novelty_min: Expected `float` <= 1.0"),
        (["--set", "novelty_min=0.5"], "--set: 'novelty_min=0.5' sets nothing"),
        (["--from", "yesterday"], "--from: 'yesterday' is no time"),
        (["--model", "nowhere.skops"], "nowhere.skops"),
    ],
)
def test_what_cannot_be_understood_is_one_line(recorded: Recorded, arguments: list[str], said: str) -> None:
    """Naming the option and the mend, without a traceback."""
    done = recorded.shell.run("replay", *arguments)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def beforehand(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scores of an export of the home, in small parts."""
    folder = tmp_path_factory.mktemp("beforehand")
    recorded.shell.run("export", "--to", str(folder / "lake"), "--what", "headlines")
    asked = ("--to", str(folder / "scored"), "--processes", "1", "--rows-per-part", "7")
    done = recorded.shell.run("score", str(folder / "lake"), *asked)
    assert done.returncode == 0, done.stderr
    return folder / "scored"


def test_scores_made_beforehand_change_no_byte(recorded: Recorded, beforehand: Path, monkeypatch: Any) -> None:
    """Every score is taken from there, none is made anew but with evidence; all that was told is told again."""
    from jobs import replaying
    from jobs.history import FIRST, LAST
    from signals.scoring.model import ScoringModel

    made: list[Headline] = []
    monkeypatch.setattr(ScoringModel, "answers", lambda _, those: made.extend(those) or [])
    settings = load(recorded.shell.config, recorded.shell.env)
    with contextlib.closing(App(settings, Clock(START + dt.timedelta(days=1)))) as app:
        done = replaying.run(app, replaying.Asked(FIRST, LAST, scores=beforehand))
    assert done.by_the_same and done.comparison.different == 0 and done.comparison.same >= recorded.told > 0
    assert done.prescored == done.headlines > 0
    assert made == []


def test_a_score_that_is_not_there_is_made(recorded: Recorded, beforehand: Path, tmp_path: Path) -> None:
    """A part less costs time, nothing else; a folder without scores, or of another model, is refused."""
    folder = tmp_path / "scored"
    shutil.copytree(beforehand, folder)
    next(iter(sorted(folder.rglob("date=*/*.parquet")))).unlink()
    done = recorded.shell.run("replay", "--scores", str(folder), "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["different"], found["by_the_same"]) == (0, 0, True)
    assert 0 < found["prescored"] < found["headlines"]
    manifest = folder / "_scored.json"
    manifest.write_text(re.sub(r'"model_id": "\w+"', '"model_id": "other"', manifest.read_text()))
    for where, said in ((folder, "holds scores by model other, not"), (tmp_path, "holds no scores - signals score")):
        refused = recorded.shell.run("replay", "--scores", str(where))
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"signals: {where}: {said}") and refused.stderr.count("\n") == 1
