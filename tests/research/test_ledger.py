"""The ledger of trials: counted once, kept through kills and crowds."""

import math
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from signals.errors import StoreError
from signals.research.ledger import Ledger, Trial

PLAIN = Trial(
    run_id="r1", at="2026-03-02T10:00:00Z", rules_id="rules", policy_id="policy", model_id="model", inputs_id="data",
    first_day="2025-01-01", last_day="2026-01-01", days=260, sharpe_day=0.1,
)  # fmt: skip
CROWD = """
import sys
from pathlib import Path
import msgspec
from signals.research.ledger import Ledger, Trial
plain = msgspec.json.decode(sys.argv[2], type=Trial)
for n in range(25):
    Ledger(Path(sys.argv[1])).add(msgspec.structs.replace(plain, rules_id=f"{sys.argv[3]}-{n}"))
"""


def trial(**changes) -> Trial:
    return msgspec.structs.replace(PLAIN, **changes)


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "home" / "trials.jsonl")


def test_the_same_trial_counts_once(ledger):
    """Whatever its run and time; its last result stands, and the runs are counted apart."""
    ledger.add(trial())
    held = ledger.add(trial(run_id="r2", at="2026-03-03T10:00:00Z", sharpe_day=0.2))
    assert (held.number, held.runs) == (1, 2)
    assert held.distinct[0].sharpe_day == 0.2


@pytest.mark.parametrize("name", ["rules_id", "policy_id", "model_id", "inputs_id", "first_day", "last_day"])
def test_whatever_is_changed_makes_another_trial(ledger, name):
    """Rules, policy, model, data and period each tell trials apart."""
    ledger.add(trial())
    assert ledger.add(trial(**{name: "other"})).number == 2


def test_the_variance_is_of_the_distinct_ones(ledger):
    """A trial repeated, or one without a ratio, does not pull it; two ratios at least are needed."""
    for number, ratio in enumerate([0.1, 0.3, None, -0.2]):
        held = ledger.add(trial(rules_id=str(number), sharpe_day=ratio))
        if number == 0:
            assert math.isnan(held.variance)
    held = ledger.add(trial(rules_id="1", sharpe_day=0.3))
    assert held.number == 4
    assert held.variance == pytest.approx(np.var([0.1, 0.3, -0.2], ddof=1))


def test_no_ledger_yet_is_an_empty_one(ledger):
    """Reading makes no file."""
    assert ledger.read() == ([], 0, ())
    assert not ledger.path.exists()


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_torn_line_costs_only_itself(ledger, kept):
    """A line cut anywhere by a kill is named by its number, and the next trial begins a line of its own."""
    ledger.add(trial())
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole + whole.rstrip(b"\n")[:kept])
    assert ledger.read().unreadable == (2,)
    held = ledger.add(trial(rules_id="next"))
    assert (held.number, held.runs, held.unreadable) == (2, 2, (2,))


def test_a_line_without_its_end_is_whole(ledger):
    """Cut just before its newline nothing is missing: it counts, and nothing is glued to it."""
    ledger.add(trial())
    ledger.path.write_bytes(ledger.path.read_bytes().rstrip(b"\n"))
    assert ledger.add(trial(rules_id="next")).number == 2
    assert ledger.read().unreadable == ()


def test_a_crowd_of_writers_loses_nothing(ledger):
    """Four processes at once: every trial of each stands there, every line whole."""
    told = msgspec.json.encode(trial()).decode()
    crowd = [subprocess.Popen([sys.executable, "-c", CROWD, str(ledger.path), told, str(n)]) for n in range(4)]
    assert [process.wait(60) for process in crowd] == [0] * 4
    held = ledger.read()
    assert (held.number, held.runs, held.unreadable) == (100, 100, ())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """One line with the file and the mend, no traceback of the system's."""
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"trials\.jsonl: .* - check"):
        Ledger(tmp_path / "home" / "trials.jsonl").add(trial())


def test_fields_of_later_versions_are_passed_over(ledger):
    """A ledger that a newer version wrote to is still read."""
    ledger.add(trial())
    Path(ledger.path).write_bytes(ledger.path.read_bytes().replace(b'{"run_id"', b'{"mood":"good","run_id"'))
    assert ledger.read().number == 1
