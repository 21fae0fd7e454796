"""The decision over columns: what `signals.decide` says of each of a million headlines, for one policy after another.

For sweeps. Stories are taken as given: under a policy that skips other headlines, other signals would stand, and a
repeat might be told that was not. `replay` runs stories anew, and is the last word.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.decide import policy_id
from signals.errors import DataError
from signals.model import DIRECTIONS, Policy, SkipReason
from signals.research.frames import SIGN
from signals.research.rounding import rounded

HEADLINE_COLUMNS = ("known_at", "source_published_at", "backfilled")
SCORE_COLUMNS = ("relevance", "p_up", "p_down", "direction", "abstained", "abstain_reason")
PLACE_COLUMNS = ("novelty", "corrects", "retracted", "withdraws", "standing")
NEEDED = (*HEADLINE_COLUMNS, *SCORE_COLUMNS, *PLACE_COLUMNS)
"""`standing` is the `signal_id` that stood for the story until then; null where none did."""
_REASONS: tuple[SkipReason, ...] = ("withdrawal", "irrelevant", "undated", "stale_news", "duplicate")
"""In the order in which `decide` asks for them."""
_SIGNS = np.array([SIGN[name] for name in DIRECTIONS])
_FLAT = DIRECTIONS.index("flat")
_SECOND = 1_000_000
"""Times are counted in microseconds."""


def decide_frame(frame: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """What `decide.decide` makes of each row: a skip with its reason, or the fields that a signal has of it.

    Parameters
    ----------
    frame : scored headlines, any order and index, with the columns `NEEDED`; times `datetime64[us, UTC]`.

    Returns
    -------
    The same index; `skip_reason` (null: it is a signal), and where it is one: `action`, `supersedes`, `direction`,
    `sign` (+1 up, -1 down, 0 flat or abstained), `strength`, `abstained`, `abstain_reason`, `valid_until` (UTC),
    `horizon_s`, `policy_id`. Of skipped rows `sign` is 0, `abstained` False, `strength` NaN, the others null.

    Raises
    ------
    DataError : a column is missing.
    """
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise DataError("scored headlines", f"have no column {missing[0]}", f"they need {', '.join(NEEDED)}")
    reasons = _skip_reasons(frame, policy)
    told = reasons < 0
    undated = frame["source_published_at"].isna().to_numpy()
    abstained = (frame["abstained"].to_numpy(dtype="bool") | undated) & told
    direction = np.where(abstained, _FLAT, pd.Categorical(frame["direction"], DIRECTIONS).codes)
    standing = frame["standing"].astype("str").where(told)
    made = {
        "skip_reason": _named(_REASONS, reasons),
        "action": _named(("created", "updated"), np.where(told, standing.notna(), -1)),
        "supersedes": standing.array,
        "direction": _named(DIRECTIONS, np.where(told, direction, -1)),
        "sign": np.where(told & ~abstained, _SIGNS[direction], 0).astype("int8"),
        "strength": np.where(abstained, 0.0, _strength(frame, told)),
        "abstained": abstained,
        "abstain_reason": _abstain_reason(frame["abstain_reason"], undated).where(told).array,
        "valid_until": _valid_until(frame, policy).where(told),
        "horizon_s": np.where(told, float(policy.horizon_s), np.nan),
        "policy_id": _named((policy_id(policy),), np.where(told, 0, -1)),
    }
    return pd.DataFrame(made).set_axis(frame.index)


def _skip_reasons(frame: pd.DataFrame, policy: Policy) -> NDArray[np.int64]:
    """Place of the reason in `_REASONS`, the first that holds as `decide` asks them; -1 where none does."""
    published, backfilled = frame["source_published_at"], frame["backfilled"].to_numpy(dtype="bool")
    age_s = (_us(frame["known_at"]) - _us(published)) / _SECOND
    dated = published.notna().to_numpy()
    new = frame["corrects"].notna().to_numpy() | frame["retracted"].to_numpy(dtype="bool")
    holds: dict[SkipReason, NDArray[np.bool_]] = {
        "withdrawal": frame["withdraws"].to_numpy(dtype="bool"),
        "irrelevant": frame["relevance"].to_numpy() < policy.relevance_min,
        "undated": backfilled & ~dated,
        "stale_news": ~backfilled & dated & (age_s > policy.max_news_age_s),
        "duplicate": (frame["novelty"].to_numpy() < policy.novelty_min) & ~new,
    }
    return np.select([holds[name] for name in _REASONS], list(range(len(_REASONS))), -1)


def _strength(frame: pd.DataFrame, told: NDArray[np.bool_]) -> NDArray[np.float64]:
    """As `decide`: relevance times the distance of the two shares, rounded; NaN where nothing is told."""
    relevance, up, down = (frame[name].to_numpy(dtype="float64") for name in ("relevance", "p_up", "p_down"))

    def exactly(near: NDArray[np.intp]) -> list[float]:
        rows = zip(relevance[near].tolist(), up[near].tolist(), down[near].tolist(), strict=True)
        return [round(r * abs(u - d), 4) for r, u, d in rows]

    return rounded(np.where(told, relevance * np.abs(up - down), np.nan), 4, exactly)


def _abstain_reason(given: "pd.Series[str]", undated: NDArray[np.bool_]) -> "pd.Series[str]":
    """The model's reason, else that the publisher gave no time."""
    reason = given.astype("str")
    reason = reason.where(reason != "")
    return reason.mask(reason.isna() & undated, "undated")


def _valid_until(frame: pd.DataFrame, policy: Policy) -> pd.DatetimeIndex:
    """From the publisher's time where it is earlier than ours."""
    known, published = _us(frame["known_at"]), _us(frame["source_published_at"])
    start = np.where(frame["source_published_at"].isna(), known, np.minimum(known, published))
    return pd.DatetimeIndex((start + policy.ttl_s * _SECOND).view("datetime64[us]"), tz="UTC")


def _named(names: Sequence[str], places: NDArray[np.int64]) -> pd.api.extensions.ExtensionArray:
    """Texts by their place among `names`; null for -1."""
    return pd.array(list(names), dtype="str").take(places, allow_fill=True)


def _us(times: "pd.Series[pd.Timestamp]") -> NDArray[np.int64]:
    return pd.DatetimeIndex(times).as_unit("us").asi8
