"""Information coefficients and outcomes: planted ones are found, and chance is called chance."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from signals.research import ic
from signals.research.ic import Band, information_coefficient, judge, monthly, outcomes, reliability
from tests.core.conftest import HOUR
from tests.research.planted import AFTER_BP, bars_of, calls, days, market

KNOWN = days(24)
SIGNS = [1 if n % 2 else -1 for n in range(24)]
UNTIL = KNOWN[-1] + 30 * HOUR
STRENGTHS = np.random.default_rng(5).permutation(24) / 24 * 0.9 + 0.05


def called(sizes=STRENGTHS) -> pd.DataFrame:
    """Calls of these strengths."""
    return calls(list(zip(KNOWN, SIGNS, strict=True))).assign(strength=sizes)


def moving(sizes=STRENGTHS, signs=SIGNS, noise_bp: float = 0.0) -> pd.DataFrame:
    """A market that moves by so much after each."""
    return market(
        [(at, sign * size) for at, sign, size in zip(KNOWN, signs, sizes, strict=True)], until=UNTIL, noise_bp=noise_bp
    )


def at(table: pd.DataFrame, horizon_s: int, measure: str = "strength") -> pd.Series:
    """One row of a table of coefficients."""
    return table[(table["horizon_s"] == horizon_s) & (table["measure"] == measure)].iloc[0]


def test_who_calls_every_move_rightly_has_a_coefficient_of_one():
    """Where the price moves as far as was called, ranks agree; turned round, they disagree."""
    table = information_coefficient(called(), moving())
    assert (at(table, 900)["ic"], at(table, 900)["n"]) == (pytest.approx(1), 24)
    assert at(table, 900)["mean_bp"] == pytest.approx(AFTER_BP * STRENGTHS.mean(), rel=1e-6)
    wrong = information_coefficient(called(), moving(signs=[-sign for sign in SIGNS]))
    assert at(wrong, 900)["ic"] == pytest.approx(-1)
    assert at(wrong, 900)["mean_bp"] == pytest.approx(-AFTER_BP * STRENGTHS.mean(), rel=1e-6)


def test_a_reaction_of_ten_minutes_is_had_by_halves_in_five():
    """The coefficient is of the return from the next open: five minutes hold half of the planted move."""
    table = information_coefficient(called(), moving())
    assert at(table, 300)["mean_bp"] == pytest.approx(at(table, 900)["mean_bp"] / 2, rel=1e-6)
    late = information_coefficient(called(), moving(), latency_s=1200)
    assert at(late, 900)["mean_bp"] == pytest.approx(0, abs=1e-9)


def test_calls_that_say_nothing_are_not_told_from_chance():
    """Of a market that does not react the bounds hold 0."""
    row = at(information_coefficient(called(), market([], until=UNTIL, noise_bp=0.5, seed=3)), 3600)
    assert row["low"] < 0 < row["high"] and row["mean_low"] < 0 < row["mean_high"]


def test_only_whole_bars_are_held():
    """Bars of an hour show no five minutes; both measures are given for each holding time."""
    table = information_coefficient(called(), bars_of(np.linspace(150, 151, 900), HOUR))
    assert table["horizon_s"].tolist() == [3600, 7200, 14_400, 28_800, 86_400] * 2


def test_abstained_signals_are_no_calls():
    """They are in no coefficient and no outcome, whatever their probabilities."""
    signals = called()
    signals.loc[:5, "abstained"] = True
    assert at(information_coefficient(signals, moving()), 900)["n"] == 18
    assert len(outcomes(signals, moving())) == 18


def test_months_of_few_rows_have_no_coefficient():
    """22 signals of March have one, two of April have none."""
    months = monthly(called(), moving(), horizon_s=900)
    assert months["month"].tolist() == ["2026-03", "2026-04"]
    assert months["n"].tolist() == [22, 2]
    assert months["ic"].tolist() == pytest.approx([1, math.nan], nan_ok=True)


def judged() -> pd.DataFrame:
    """Of 18 calls 12 went as called, 4 went the other way, 2 stayed; six more said flat, and the price rose."""
    sizes = np.array([1.0] * 12 + [-1.0] * 4 + [0.0] * 2 + [1.0] * 6)
    signs = [*SIGNS[:18], *[0] * 6]
    towards = [sign or 1 for sign in signs]
    return outcomes(calls(list(zip(KNOWN, signs, strict=True))), moving(sizes, towards), 900, 1.0)


def test_hits_are_counted_among_the_moves():
    """12 of 16, with Wilson's bounds as statsmodels has them; what stayed flat is counted apart."""
    found = judge(judged())
    assert (found.called, found.flat, found.hits, found.hit_rate.n) == (18, 2, 12, 16)
    assert found.hit_rate.value == 0.75
    assert found.wilson == pytest.approx(proportion_confint(12, 16, method="wilson"))
    assert found.hit_rate.low < 0.75 < found.hit_rate.high


def test_the_brier_score_is_against_the_base_rates_of_these_rows():
    """By hand: right calls 0.06, wrong ones 1.46, calls of what stayed or of a move that flat denied 1.46."""
    found = judge(judged())
    assert found.brier.value == pytest.approx((12 * 0.06 + 12 * 1.46) / 24)
    table = judged()
    shares = table["outcome"].value_counts(normalize=True).to_numpy()
    assert found.brier_of_base_rates == pytest.approx(1 - (shares**2).sum())
    assert found.skill.value == pytest.approx(1 - found.brier.value / found.brier_of_base_rates)
    assert found.skill.low < found.skill.value < found.skill.high


def test_reliability_is_of_the_price():
    """Of the probabilities of 0.8 so many came as the price gave; each bin says how many rows it has."""
    table = reliability(judged())
    up = table[(table["side"] == "up") & (table["low"] == 0.8)].iloc[0]
    found = judged()
    mine = found[found["p_up"] == 0.8]
    assert (up["n"], up["said"]) == (len(mine), pytest.approx(0.8))
    assert up["came"] == (mine["outcome"] == 1).mean()
    assert up["came_low"] < up["came"] < up["came_high"]
    assert table.groupby("side")["n"].sum().tolist() == [24, 24]


def test_the_flat_band_follows_the_days_before_and_nothing_later():
    """A quarter of the usual move; wilder bars after a signal change no band of it."""
    signals = called()
    calm = moving(noise_bp=0.5)
    wild = calm.copy()
    later = wild.index >= pd.Timestamp(KNOWN[20])
    wild.loc[later, ["open", "close"]] *= np.where(np.arange(later.sum()) % 2, 1.01, 1.0)[:, None]
    wild.attrs |= calm.attrs
    before, after = (outcomes(signals, bars, 3600)["band_bp"] for bars in (calm, wild))
    assert before[:20].tolist() == after[:20].tolist()
    assert after[23] > 2 * before[23]
    assert before[12] == pytest.approx(0.25 * 0.5 * math.sqrt(60), rel=0.1)
    floor = outcomes(signals, calm, 3600, band=Band(least_bp=9, of_usual=0.25))["band_bp"]
    assert set(floor.dropna()) == {9}


def test_each_call_is_judged_over_its_own_horizon():
    """Unless another is asked for; one shorter than a bar is as long as the bar."""
    hourly = bars_of(np.linspace(150, 151, 900), HOUR)
    signals = called().assign(horizon_s=[7200, 60] * 12)
    assert outcomes(signals, hourly)["horizon_s"].tolist() == [7200, 3600] * 12
    assert set(outcomes(signals, hourly, 14_400)["horizon_s"]) == {14_400}


@pytest.mark.parametrize("count", [0, 1])
def test_of_nothing_and_of_one_call_nothing_is_claimed(count):
    """Every table has its columns, and no bounds."""
    signals = called().head(count)
    table = information_coefficient(signals, moving())
    assert table["n"].eq(count).all() and table["low"].isna().all() and table["mean_low"].isna().all()
    found = outcomes(signals, moving())
    calls_ = judge(found)
    assert calls_.called == count and math.isnan(calls_.hit_rate.low) and math.isnan(calls_.skill.low)
    assert len(reliability(found)) == 2 * count
    assert len(monthly(signals, moving(), horizon_s=900)) == count
    assert np.isnan(ic.wilson(0, 0)).all()


def test_what_was_told_late_is_had_late():
    """Half an hour after the move nothing of it is left from the next open, though the call was known before it."""
    late = called().assign(scored_at=lambda rows: rows["known_at"] + pd.Timedelta(minutes=30))
    table = information_coefficient(late, moving())
    assert at(table, 900)["mean_bp"] == pytest.approx(0, abs=1e-6)
    assert at(table, 3600)["n"] == 24
    assert outcomes(late, moving(), 900)["return_bp"].abs().max() == pytest.approx(0, abs=1e-6)
    history = late.assign(backfilled=True)
    assert at(information_coefficient(history, moving()), 900)["mean_bp"] > 1
