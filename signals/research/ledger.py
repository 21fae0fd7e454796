"""The ledger of trials: what was tried before counts against what was found.

One line of JSON a backtest, appended to a file of its own (`trials.jsonl` in the home) and not to the database: it must
outlive retention and a database built anew, be writable where the database is only read, go along when a quant copies
a home, and two homes' ledgers put together are simply one file after the other. A trial run again (the same rules,
model, policy, data and period) counts once; its last result stands.

Nobody can make a person run backtests with this ledger. It counts what went through it, and says so.
"""

import fcntl
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from signals.errors import StoreError
from signals.model import Record

_MEND = "check the folder's rights and the disk's space"


class Trial(Record, frozen=True, kw_only=True):
    """One backtest, as it stands in the ledger. Unknown fields of later versions are passed over."""

    run_id: str
    at: str
    """When it was run, UTC, ISO 8601; as passed in."""
    rules_id: str
    """Of rules and costs (`rules.rules_id`)."""
    policy_id: str
    model_id: str
    inputs_id: str
    """Hash of the signals and bars it was run on."""
    first_day: str
    last_day: str
    """FX days, ISO dates."""
    days: Annotated[int, Meta(ge=0)]
    sharpe_day: float | None
    """Mean over standard deviation of its net daily returns; null where they do not vary."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What two runs of one trial have in common."""
        return (self.rules_id, self.policy_id, self.model_id, self.inputs_id, self.first_day, self.last_day)


class Trials(NamedTuple):
    """What the ledger holds."""

    distinct: list[Trial]
    """Each trial once, its last result, in the order in which they were first made."""
    runs: int
    """Lines that could be read."""
    unreadable: tuple[int, ...]
    """Numbers of the lines that could not: torn off when a writer was killed, or edited. They are not counted."""

    def including(self, trial: Trial) -> "Trials":
        """With one that is not in the ledger: it was made all the same, and luck had its turn."""
        kept = [one for one in self.distinct if one.identity != trial.identity]
        return self._replace(distinct=[*kept, trial])

    @property
    def number(self) -> int:
        """Of distinct trials, for `deflated.deflated_sharpe`."""
        return len(self.distinct)

    @property
    def variance(self) -> float:
        """Of the distinct trials' Sharpe ratios, per day, of a sample; NaN where fewer than two have one."""
        ratios = [trial.sharpe_day for trial in self.distinct if trial.sharpe_day is not None]
        return float(np.var(ratios, ddof=1)) if len(ratios) > 1 else math.nan


class Ledger:
    """A file of trials that any number of processes may append to and read at once.

    Parameters
    ----------
    path : the file; made with its folder at the first `add`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, trial: Trial) -> Trials:
        """Append a trial; it is on the disk when this returns. Gives the ledger with it. Raises StoreError."""
        return self.add_all([trial])

    def add_all(self, trials: Sequence[Trial]) -> Trials:
        """Append trials that were made together, all under one lock and with one wait for the disk; as `add`."""
        line = b"".join(msgspec.json.encode(trial) + b"\n" for trial in trials)
        with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT, fcntl.LOCK_EX) as file:
            size = os.fstat(file).st_size
            if line and size and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line  # a writer was killed within its line: ours begins a new one, the torn one stays
            while line:
                line = line[os.write(file, line) :]
            os.fsync(file)
            if not size:
                _sync_folder(self.path.parent)
            return _read(file)

    def read(self) -> Trials:
        """What the ledger holds; nothing where there is no file yet. Raises StoreError."""
        if not self.path.exists():
            return Trials([], 0, ())
        with self._opened(os.O_RDONLY, fcntl.LOCK_SH) as file:
            return _read(file)

    @contextmanager
    def _opened(self, flags: int, lock: int) -> Iterator[int]:
        try:
            if flags & os.O_CREAT:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, flags, 0o644)
            try:
                fcntl.flock(file, lock)  # let go of when the file is closed, also by being killed
                yield file
            finally:
                os.close(file)
        except OSError as error:
            raise StoreError(str(self.path), error.strerror or type(error).__name__, _MEND) from error


def _sync_folder(folder: Path) -> None:
    """So that a new file's name, too, outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(file: int) -> Trials:
    held = os.pread(file, os.fstat(file).st_size, 0)
    latest: dict[tuple[str, ...], Trial] = {}
    runs, unreadable = 0, []
    for number, line in enumerate(held.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            trial = msgspec.json.decode(line, type=Trial)
        except msgspec.MsgspecError:  # ValidationError included
            unreadable.append(number)
            continue
        latest[trial.identity] = trial
        runs += 1
    return Trials(list(latest.values()), runs, tuple(unreadable))
