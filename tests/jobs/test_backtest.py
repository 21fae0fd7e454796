"""The backtest from the shell: what was told, traded on what followed, and held against chance."""

import json
from pathlib import Path

import pandas as pd
import pytest

from jobs.app import App
from jobs.settings import load
from signals.store import bars, headlines, signals
from tests.core.conftest import HOUR, MINUTE, NOW, make_bar, make_headline, make_signal
from tests.jobs.conftest import Shell


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A hundred calls on fifty days, each followed by a rise, of another size each day; two of three said so."""
    shell = Shell(tmp_path_factory.mktemp("backtest"), "")
    app = App(load(shell.config, shell.env), clock=lambda: NOW)
    told, seen, made = [], [], []
    for day in (n for n in range(70) if (NOW.weekday() + n) % 7 < 5):
        for number in range(2):
            at = NOW + day * 24 * HOUR + number * HOUR
            name = f"{day}-{number}"
            seen.append(make_headline(name, known_at=at))
            told.append(
                make_signal(
                    signal_id=name, headline_id=name, direction="up" if (day + number) % 3 else "down", known_at=at,
                    scored_at=at, valid_until=at + HOUR, horizon_s=1800,
                )
            )  # fmt: skip
            made += [make_bar(at + n * MINUTE, 150 + min(n, 30) * (1 + day % 7) / 500) for n in range(1, 60)]
    with app.store.write() as conn:
        bars.add(conn, made)
        headlines.add(conn, seen)
        signals.add(conn, [], told, channel="USDJPY", now=NOW, encode=lambda _, epoch, seq: (f"{epoch}-{seq}", b"{}"))
    app.close()
    return shell


def run(home: Shell, *arguments: str) -> dict:
    done = home.run("backtest", "--no-lookahead", "--placebos", "20", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_was_told_is_traded_and_said_with_its_interval(home: Shell, tmp_path: Path) -> None:
    """Traded, reported with bounds, and with ids and hashes of all inputs; the tables add up to the summary."""
    found = run(home, "--report", str(tmp_path / "r.html"), "--to", str(tmp_path / "tables"))
    assert found["summary"]["trades"] == 100
    low, value, high = (found["intervals"]["gross_bp"][name] for name in ("low", "value", "high"))
    assert low <= value <= high
    assert f"{found['intervals']['net_bp']['low']:+.2f} to " in found["verdict"]
    assert found["intervals"]["net_bp"]["value"] < value
    assert set(found["inputs"]) >= {"signals (SHA-256)", "bars (SHA-256)", "model", "policy", "rules and costs", "code"}
    trades = pd.read_parquet(tmp_path / "tables" / "trades.parquet")
    assert trades["net_jpy"].sum() == pytest.approx(found["summary"]["net_jpy"])
    assert "<svg" not in (tmp_path / "r.html").read_text()[:100]
    assert "data:image/svg+xml" in (tmp_path / "r.html").read_text()


def test_the_same_run_is_the_same_trial_and_another_is_another(home: Shell) -> None:
    """Trials are counted by what they are, not by how often they are run; one not noted was made all the same."""
    before = run(home)["deflated"]["trials"]
    assert run(home)["deflated"]["trials"] == before
    assert run(home, "--set", "rules.horizon_s=600")["deflated"]["trials"] == before + 1
    left_out = run(home, "--no-count", "--set", "rules.horizon_s=700")
    assert left_out["deflated"]["trials"] == before + 2
    assert any(f"{before + 1} distinct trials" in note and "not noted" in note for note in left_out["notes"])


def test_a_single_day_is_traded_and_said_to_be_too_little(home: Shell) -> None:
    """One FX day has trades and a result, no Sharpe ratio and no bounds: null where nothing can be told."""
    found = run(home, "--no-count", "--from", "2026-03-04", "--until", "2026-03-05")
    assert (found["summary"]["trades"], found["summary"]["days"]) == (2, 1)
    assert found["intervals"]["sharpe"]["value"] is None
    assert found["verdict"].endswith("too few days to say anything.")


def test_costs_and_rules_can_be_set(home: Shell) -> None:
    """Dearer trading nets less by what it costs; stronger signals only are fewer trades."""
    cheap, dear = (run(home, "--set", f"costs.slippage_pips={pips}")["intervals"] for pips in (0.0, 1.0))
    assert cheap["net_bp"]["value"] - dear["net_bp"]["value"] == pytest.approx(2 * 0.01 / 150 * 1e4, rel=1e-2)
    assert run(home, "--set", "rules.strength_min=0.9")["summary"]["trades"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "rules.strength=1"), "--set rules.strength: there is no such key - the keys: rules.strength_min"),
        (("--set", "rules.strength_min=2"), "--set rules.strength_min: Expected `float` <= 1.0"),
        (("--set", "tempo=3"), "--set: 'tempo=3' sets nothing - as rules.NAME=VALUE"),
        (("--bars", "ecb:86400"), "bars ecb:86400: the store has none"),
        (("--from", "2031-01-01"), "signals: there are none in this time"),
        (("--from", "0001-01-01T00:00+05:00"), "--from: '0001-01-01T00:00+05:00' is no time"),
        (("--set", "rules.capital_jpy=inf"), "--set rules.capital_jpy: inf is no figure to reckon with"),
        (
            ("--set", "costs.spread_pips=0.4"),
            "--set costs.spread_pips: Expected `array`, got `float`, not 0.4 - write a list: [0.4]",
        ),
        (("--from", "2026-03-02", "--until", "2026-03-02"), "--until 2026-03-02: is not after --from"),
        (("--to", __file__), f"--to {__file__}: there is a file where a folder is to be - name a folder"),
        (("--signals", "stroe"), "stroe: there is no such file - --signals takes store, replay or a Parquet file"),
    ],
)
def test_a_mistake_is_one_line_with_its_mend(home: Shell, arguments: tuple[str, ...], said: str) -> None:
    """Usage errors end with 2, missing data with 1; never a traceback, and no trial is counted."""
    report = home.home.parent / "none.html"
    done = home.run("backtest", "--report", str(report), *arguments)
    assert not report.exists(), "an empty page was left behind"
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(f"signals: {said}"), done.stderr
    assert len(done.stderr.splitlines()) == 1
