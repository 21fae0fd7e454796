"""The deflated Sharpe ratio: the paper's own example, and noise by the thousand."""

import math

import numpy as np
import pytest

from signals.errors import DataError
from signals.research.deflated import (
    DAYS_MIN,
    Moments,
    deflated_sharpe,
    luck_sharpe,
    moments,
    probabilistic_sharpe,
    track_days,
)  # fmt: skip

PAPER = Moments(sharpe=2.5 / math.sqrt(250), skew=-3.0, kurtosis=10.0, days=1250)
"""Five years of days, a ratio of 2.5 a year, tails as of short options (2014, "A numerical example")."""


@pytest.mark.parametrize(("trials", "deflated"), [(100, 0.9004), (46, 0.9505)])
def test_the_example_of_the_paper(trials, deflated):
    """Among 100 trials with a variance of 1/2 a year it is no discovery at 95%, among 46 it is."""
    luck = luck_sharpe(trials, 0.5 / 250)
    assert probabilistic_sharpe(PAPER, luck) == pytest.approx(deflated, abs=5e-5)
    if trials == 100:
        assert luck == pytest.approx(0.1132, abs=5e-5)


def test_with_normal_tails_more_trials_are_forgiven():
    """The same ratio with normal returns stays a discovery up to 88 trials."""
    normal = PAPER._replace(skew=0.0, kurtosis=3.0)
    assert probabilistic_sharpe(normal, luck_sharpe(88, 0.5 / 250)) == pytest.approx(0.9505, abs=5e-5)


def test_what_luck_brings_is_what_the_best_of_noise_brings():
    """The expected maximum is met by simulation within 2%."""
    best = np.random.default_rng(1).normal(0, 0.06, (20_000, 50)).max(axis=1).mean()
    assert luck_sharpe(50, 0.06**2) == pytest.approx(best, rel=0.02)


def test_the_best_of_fifty_without_skill_is_seldom_called_skill():
    """At 95% it happens in at most 7 of 100 searches; the undeflated ratio falls for most of them."""
    chance = np.random.default_rng(2)
    deflated, undeflated = [], []
    for _ in range(300):
        trials = chance.standard_t(4, (50, 260)) * 1e-3
        ratios = trials.mean(axis=1) / trials.std(axis=1, ddof=1)
        found = deflated_sharpe(trials[ratios.argmax()], 50, float(ratios.var(ddof=1)))
        deflated.append(found.deflated > 0.95)
        undeflated.append(found.probability > 0.95)
    assert np.mean(deflated) <= 0.07
    assert np.mean(undeflated) > 0.8


def test_a_true_edge_is_still_seen():
    """A ratio of 4 a year over two years stands out of 50 trials."""
    chance = np.random.default_rng(3)
    seen = [deflated_sharpe(chance.normal(4 / math.sqrt(260), 1, 520), 50, 1 / 520).deflated > 0.95 for _ in range(100)]
    assert np.mean(seen) > 0.8


def test_the_track_record_is_the_length_at_which_it_is_sure():
    """A record of just the days asked for is above 0 with just 95%."""
    days = track_days(PAPER)
    assert probabilistic_sharpe(PAPER._replace(days=days)) == pytest.approx(0.95)
    assert track_days(PAPER._replace(sharpe=-0.1)) == math.inf


def test_one_trial_has_nothing_to_deflate():
    """Its deflated probability is the plain one, and no variance is needed."""
    found = deflated_sharpe(np.random.default_rng(4).normal(0.1, 1, 300))
    assert found.deflated == found.probability
    assert found.luck_sharpe == 0


def test_too_little_says_nothing():
    """Few days, or none that differ, give NaN and not a number to be quoted."""
    few = deflated_sharpe(np.random.default_rng(5).normal(1, 1, DAYS_MIN - 1))
    idle = deflated_sharpe(np.zeros(100))
    assert all(math.isnan(x) for found in (few, idle) for x in (found.deflated, found.sharpe_year, found.track_days))
    assert moments([0.001] * 40).sharpe != moments([0.001] * 40).sharpe


@pytest.mark.parametrize(("trials", "variance"), [(0, 1.0), (2, math.nan), (2, -1.0)])
def test_what_cannot_be_deflated_is_refused(trials, variance):
    """No trials, or several without their variance."""
    with pytest.raises(DataError, match="trials"):
        deflated_sharpe(np.ones(100), trials, variance)


def test_a_hole_in_the_returns_is_refused():
    """A NaN would make every figure NaN without a reason given."""
    with pytest.raises(DataError, match="no number"):
        deflated_sharpe([0.1, math.nan] * 50)
