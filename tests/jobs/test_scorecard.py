"""The scorecard from the shell: what was told live is settled at its horizon, and shown net of costs."""

import datetime as dt
import json
from pathlib import Path

import pytest

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.store import bars, forward_returns, headlines, signals
from tests.core.conftest import make_bar, make_headline, make_signal
from tests.jobs.conftest import Shell

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def home(tmp_path: Path) -> Shell:
    """Three signals told live, one of an archive, and minute bars that rise a pip each."""
    shell = Shell(tmp_path, "")
    app = App(load(shell.config, shell.env), clock=lambda: NOW)
    opened = [NOW + dt.timedelta(minutes=n) for n in range(180)]
    with app.store.write() as conn:
        bars.add(conn, [make_bar(at + dt.timedelta(minutes=1), 150 + n / 100) for n, at in enumerate(opened)])
        for name, way, backfilled in (
            ("a", "up", False),
            ("b", "down", False),
            ("c", "flat", False),
            ("d", "up", True),
        ):
            headlines.add(conn, [make_headline(name, known_at=NOW, backfilled=backfilled)])
            told = make_signal(
                signal_id=f"signal-{name}", headline_id=name, direction=way, known_at=NOW, scored_at=NOW,
                valid_until=NOW + HOUR, backfilled=backfilled,
            )  # fmt: skip
            signals.add(
                conn, [], [told], channel="USDJPY", now=NOW, encode=lambda _, epoch, seq: (f"{epoch}-{seq}", b"{}")
            )
    app.close()
    return shell


def settle(shell: Shell, now: dt.datetime) -> dict[str, int]:
    app = App(load(shell.config, shell.env), clock=lambda: now)
    done = runner_for(app).run("scorecard", "manual")
    app.close()
    assert done.outcome == "ok", done
    return done.counts


def test_each_signal_is_settled_once_at_its_horizon(home: Shell) -> None:
    """Nothing before the horizon, all three live ones after it, none a second time, and never the archive's."""
    assert settle(home, NOW + HOUR / 2) == {"settled": 0, "no_entry": 0, "no_exit": 0, "waiting": 3}
    assert settle(home, NOW + 2 * HOUR) == {"settled": 3, "no_entry": 0, "no_exit": 0, "waiting": 0}
    assert settle(home, NOW + 3 * HOUR)["settled"] == 0
    app = App(load(home.config, home.env))
    with app.store.read() as conn:
        kept = forward_returns.since(conn, NOW)
    app.close()
    assert [one.signal.signal_id for one in kept] == ["signal-a", "signal-b", "signal-c"]
    outcome = kept[0].outcome
    assert outcome is not None
    assert (outcome.entry_at, outcome.exit_at) == (NOW + HOUR / 60, NOW + HOUR + HOUR / 60)
    assert outcome.return_bp == pytest.approx(39.9, abs=0.1)


def test_the_card_counts_misses_and_quiet_calls(home: Shell) -> None:
    """Of two calls one hit and one missed; the flat one was wrong; all net of what it cost."""
    settle(home, NOW + 2 * HOUR)
    days = str((dt.datetime.now(dt.UTC) - NOW).days + 2)
    card = json.loads(home.run("scorecard", "--days", days, "--json").stdout)
    assert (card["calls"], card["hits"], card["misses"], card["quiet"]) == (2, 1, 1, 1)
    assert card["quiet_right"]["value"] == 0
    assert card["mean_net_bp"]["value"] < card["mean_gross_bp"]["value"] == pytest.approx(0, abs=1e-9)
    told = home.run("scorecard", "--days", days).stdout
    assert "missed" in told
    assert "not called" in told


def test_days_that_are_no_span_are_one_line(home: Shell) -> None:
    """A mistake on the command line is named, with the mend."""
    done = home.run("scorecard", "--days", "0")
    assert done.returncode == 2
    assert done.stderr.strip() == "signals: --days 0: is no span of days - a number from 1 to 36500"
