"""A frame of signals put together piece by piece, so that a million of them never stand in memory as objects.

What comes out equals `frames.signal_frame` of the same signals and retractions.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from signals.model import Retraction, Signal
from signals.research.frames import COLUMNS, DTYPES, SIGN, UTC, signal_frame

_TIMES = frozenset(name for name, dtype in DTYPES.items() if dtype == UTC)
_PIECE = 20_000
_Row = msgspec.defstruct(
    "_Row",
    [
        (field.name, str | None if field.name in _TIMES else field.type, None)
        for field in msgspec.structs.fields(Signal)
        if field.name in COLUMNS
    ],
)
"""A stored signal without what the frame leaves out; times are left as they are written."""


class Gather:
    """Signals and retractions in any order, each signal once; `frame()` at the end."""

    def __init__(self) -> None:
        self._pieces: list[pd.DataFrame] = []
        self._loose: list[Signal] = []
        self._retracted: dict[str, dt.datetime] = {}

    def add(self, told: Signal | Retraction) -> None:
        """One more."""
        if isinstance(told, Retraction):
            self.retract({told.signal_id: told.known_at})
            return
        self._loose.append(told)
        if len(self._loose) == _PIECE:
            self._settle()

    def add_texts(self, texts: Sequence[str]) -> None:
        """Signals as the store keeps them: JSON objects."""
        rows = msgspec.json.decode(f"[{','.join(texts)}]", type=list[_Row])  # type: ignore[valid-type]
        values = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
        self._pieces.append(pd.DataFrame({name: _column(name, values[name]) for name in COLUMNS}))

    def retract(self, known_at: Mapping[str, dt.datetime]) -> None:
        """When it became known of these signals that they no longer hold, UTC; the earliest counts."""
        for signal_id, at in known_at.items():
            self._retracted[signal_id] = min(at, self._retracted.get(signal_id, at))

    def frame(self) -> pd.DataFrame:
        """All of them, oldest `known_at` first."""
        self._settle()
        frame = pd.concat([signal_frame([])[list(COLUMNS)], *self._pieces], ignore_index=True).astype(DTYPES)
        frame["sign"] = np.where(frame["abstained"], 0, frame["direction"].map(SIGN)).astype("int8")
        frame["voided_at"] = self._voided(frame)
        return frame.sort_values(["known_at", "signal_id"], kind="stable", ignore_index=True)

    def _settle(self) -> None:
        if self._loose:
            self._pieces.append(signal_frame(self._loose)[list(COLUMNS)])
            self._loose = []

    def _voided(self, frame: pd.DataFrame) -> "pd.Series[Any]":
        superseded = frame.loc[frame["supersedes"].notna(), ["supersedes", "known_at"]]
        retracted = pd.DataFrame(self._retracted.items(), columns=["supersedes", "known_at"])
        retracted["known_at"] = pd.to_datetime(retracted["known_at"], utc=True).astype(UTC)
        said = pd.concat([superseded, retracted.astype({"supersedes": DTYPES["supersedes"]})])
        first = said.groupby("supersedes")["known_at"].min()
        return first.reindex(frame["signal_id"]).reset_index(drop=True).astype(UTC)


def _column(name: str, values: Sequence[Any]) -> "pd.Series[Any]":
    if name in _TIMES:
        written = ["NaT" if text is None else text.removesuffix("Z") for text in values]
        return pd.Series(np.array(written, dtype="datetime64[us]")).dt.tz_localize("UTC")
    return pd.Series(values, dtype=DTYPES[name])
