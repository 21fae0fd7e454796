"""What every research command works on: signals and bars of one stretch of time, checked, and with what was left out.

Signals come from the store as they were told, from a replay of the archive (with another model or policy, if asked),
or from a Parquet file. Bars are one series: one source and one length.
"""

import datetime as dt
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import sqlalchemy as sa

import signals as package
from jobs import series
from jobs.app import App
from jobs.replaying import Asked, frame_of
from signals.errors import DataError
from signals.model import Policy
from signals.research.files import fingerprint, read_signals
from signals.research.frames import witnessed
from signals.research.gather import Gather
from signals.store import told

FIRST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LAST = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
From = Literal["store", "replay"] | Path
_ALLOW = "--allow-backfilled takes them, at times that were reconstructed"


class History(NamedTuple):
    """Signals and bars for research; frames as in `signals.research.frames`."""

    signals: pd.DataFrame
    bars: pd.DataFrame
    notes: tuple[str, ...]
    """What was left out or assumed: for the report, a line each."""
    inputs: Mapping[str, str]
    """SHA-256 of the frames, by `signals` and `bars`."""
    model_ids: tuple[str, ...]
    policy_ids: tuple[str, ...]
    code_version: str
    refused: Mapping[str, int]
    """Rows that were left out, by the reason."""


def load(
    app: App,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    signals_from: From = "store",
    model: Path | None = None,
    policy: Policy | None = None,
    bars: str | None = None,
    allow_backfilled: bool = False,
) -> History:
    """Signals known within [since, until) and the bars to go with them.

    Parameters
    ----------
    signals_from : the store's as they were told, those of a replay, or a Parquet file of them.
    model, policy : of a replay, in place of the service's.
    bars : a series as `yahoo:3600`; null: the finest that is no daily reference and covers the signals.
    allow_backfilled : take signals whose `known_at` was reconstructed, and undated ones.

    Raises
    ------
    DataError : no signals or no bars that can be used; names the mend.
    """
    frame, notes = _signals(app, signals_from, since or FIRST, until or LAST, model, policy)
    frame, refused = witnessed(frame, allow_backfilled=allow_backfilled)
    notes += [f"signals left out: {count:,} {reason}" for reason, count in refused.items()]
    kept = int(frame["backfilled"].sum())
    notes += [f"of the signals {kept:,} backfilled: their known_at was reconstructed, not witnessed"] if kept else []
    if frame.empty:
        raise DataError("signals", *_nothing(refused))
    with app.store.read() as conn:
        found = series.choose(conn, frame["known_at"], bars, since, until)
    return History(
        frame,
        found.bars,
        (*notes, *found.notes),
        {"signals": fingerprint(frame), "bars": fingerprint(found.bars)},
        tuple(sorted(frame["model_id"].unique())),
        tuple(sorted(frame["policy_id"].unique())),
        code_version(),
        refused,
    )


def stored(conn: sa.Connection, since: dt.datetime, until: dt.datetime) -> pd.DataFrame:
    """The store's signals known within [since, until), as they were told."""
    gather = Gather()
    for texts in told.texts(conn, since, until):
        gather.add_texts(texts)
    gather.retract({name: at for name, at in told.retractions(conn).items() if at < until})
    return gather.frame()


@functools.cache
def code_version() -> str:
    """The version, and the first digits of a hash of the code that makes signals."""
    digest = hashlib.sha256()
    root = Path(package.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".tsv", ".json"):
            digest.update(f"\x1e{path.relative_to(root).as_posix()}\x1f".encode())
            digest.update(path.read_bytes())
    return f"{package.__version__}+{digest.hexdigest()[:12]}"


def _signals(
    app: App, source: From, since: dt.datetime, until: dt.datetime, model: Path | None, policy: Policy | None
) -> tuple[pd.DataFrame, list[str]]:
    if source != "replay" and (model or policy):
        raise DataError("--model, --set", "change nothing of signals that were made before", "add --signals replay")
    if source == "replay":
        return frame_of(app, Asked(since, until, model, policy))
    if isinstance(source, Path):
        frame = read_signals(source)
        within = (frame["known_at"] >= since) & (frame["known_at"] < until)
        return frame[within].reset_index(drop=True), [f"signals of {source.name}"]
    with app.store.read() as conn:
        return stored(conn, since, until), ["signals as they were told"]


def _nothing(refused: Mapping[str, int]) -> tuple[str, str]:
    if refused:
        said = " and ".join(f"{count:,} {reason}" for reason, count in refused.items())
        return f"none is left: {said}", _ALLOW
    return "there are none in this time", "`signals run` makes some; `signals import` brings history"
