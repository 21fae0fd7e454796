"""What a Sharpe ratio is worth once its length, its tails and the trials before it are counted.

Formulas: Bailey & López de Prado, "The Sharpe Ratio Efficient Frontier" (Journal of Risk 15(2), 2012) for the
probabilistic ratio and the track record; the same, "The Deflated Sharpe Ratio" (Journal of Portfolio Management 40(5),
2014) for what the best of many trials reaches by luck. All ratios here are per day, none is annualised, unless the
name says so. Daily returns are taken as independent of one another.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from signals.errors import DataError
from signals.research.accounting import DAYS_IN_YEAR

DAYS_MIN = 30
"""Below that skewness and kurtosis are guesses, and the normal law of the ratio's error is another."""


class Moments(NamedTuple):
    """Of daily returns: what the ratios below need to know of them."""

    sharpe: float
    """Mean over standard deviation, per day."""
    skew: float
    kurtosis: float
    """Not in excess: 3 for a normal law."""
    days: int


class Deflated(NamedTuple):
    """A Sharpe ratio and how sure it is; every figure is NaN where there are under `DAYS_MIN` days or no variation."""

    moments: Moments
    sharpe_year: float
    """Times the root of 260."""
    trials: int
    luck_sharpe: float
    """What the best of so many trials is expected to reach without any skill, per day."""
    probability: float
    """That the true ratio is above 0, had this been the only trial."""
    deflated: float
    """That the true ratio is above `luck_sharpe`; 0.95 is the usual bar."""
    track_days: float
    """Days that a ratio like this one must be kept up to be above 0 with 95%; infinite where it is not positive."""


def moments(returns: ArrayLike) -> Moments:
    """Moments of daily returns; NaN where they are under two or do not vary. Raises DataError for a NaN among them."""
    x = np.asarray(returns, dtype=np.float64)
    if not np.isfinite(x).all():
        raise DataError("daily returns", "hold a value that is no number", "give every day a return, 0 where idle")
    spread = float(x.std(ddof=1)) if len(x) > 1 else 0.0
    if spread <= np.finfo(np.float64).eps * float(np.abs(x).max(initial=0.0)):
        return Moments(math.nan, math.nan, math.nan, len(x))
    return Moments(
        float(x.mean()) / spread, float(stats.skew(x)), float(stats.kurtosis(x, fisher=False)), len(x)
    )  # fmt: skip


def probabilistic_sharpe(seen: Moments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio is above `benchmark` (per day).

    PSR = Φ((SR - SR*) √(n - 1) / √(1 - γ₃ SR + (γ₄ - 1)/4 SR²)), γ₃ skewness, γ₄ kurtosis (2012, equation 11; 2014,
    equation 2).
    """
    scale = _error_factor(seen)
    return float(stats.norm.cdf((seen.sharpe - benchmark) * math.sqrt(max(seen.days - 1, 0)) / math.sqrt(scale)))


def _error_factor(seen: Moments) -> float:
    """Squared error of the ratio times (n - 1), 1 for normal returns of ratio 0; positive as γ₄ >= 1 + γ₃²."""
    return 1 - seen.skew * seen.sharpe + (seen.kurtosis - 1) / 4 * seen.sharpe**2


def luck_sharpe(trials: int, variance: float) -> float:
    """What the best Sharpe ratio among so many independent trials without skill is expected to be.

    √V ((1 - γ) Φ⁻¹(1 - 1/N) + γ Φ⁻¹(1 - 1/(N e))), γ the Euler-Mascheroni constant, V the variance of the ratios across
    the trials (2014, equation 1 and appendix). One trial has picked nothing: 0. Trials that resemble one another make
    fewer than their number, so the figure errs on the strict side.

    Parameters
    ----------
    trials : how many distinct ones were made, this one included; DataError below 1.
    variance : of their ratios per day; DataError where it is missing (NaN) or negative though there are several.
    """
    if trials < 1:
        raise DataError("trials", f"there are {trials}", "count this one too")
    if trials == 1:
        return 0.0
    if not variance >= 0:
        raise DataError("trials", f"the variance of their Sharpe ratios is {variance}", "take it from the ledger")
    normal = stats.norm.ppf([1 - 1 / trials, 1 - 1 / (trials * math.e)])
    return math.sqrt(variance) * float((1 - np.euler_gamma) * normal[0] + np.euler_gamma * normal[1])


def track_days(seen: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Days of track record needed to say with such confidence that the ratio is above `benchmark` (2012, equation 13).

    1 + (1 - γ₃ SR + (γ₄ - 1)/4 SR²) (z / (SR - SR*))²; infinite where the ratio is not above it, NaN where unknown.
    """
    if math.isnan(seen.sharpe):
        return math.nan
    if seen.sharpe <= benchmark:
        return math.inf
    return float(1 + _error_factor(seen) * (stats.norm.ppf(confidence) / (seen.sharpe - benchmark)) ** 2)


def deflated_sharpe(returns: ArrayLike, trials: int = 1, variance: float = math.nan) -> Deflated:
    """The Sharpe ratio of daily returns against what luck would have brought over so many trials.

    Parameters
    ----------
    returns : of the chosen trial, one a day of the FX week, 0 where it did not trade.
    trials, variance : as `luck_sharpe`; from `ledger.Ledger`.
    """
    benchmark = luck_sharpe(trials, variance)
    seen = moments(returns)
    if seen.days < DAYS_MIN:
        seen = Moments(math.nan, math.nan, math.nan, seen.days)
    return Deflated(
        moments=seen, sharpe_year=seen.sharpe * math.sqrt(DAYS_IN_YEAR), trials=trials, luck_sharpe=benchmark,
        probability=probabilistic_sharpe(seen), deflated=probabilistic_sharpe(seen, benchmark),
        track_days=track_days(seen),
    )  # fmt: skip
