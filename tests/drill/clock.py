"""A clock that can be set, for one service and its server: `clock.c` shifts the machine's, as a file says.

`set_ahead` is what an operator or NTP does: the time jumps. `pass_by` lets time go by: the clocks that nobody can set
(`time.monotonic`, by `launch.py`) go along, so that nothing jumps.
"""

import datetime as dt
import mmap
import struct
import subprocess
from functools import cached_property
from pathlib import Path

_HERE = Path(__file__).parent
_OPEN_DAY, _OPEN_HOUR = 2, 12
"""Wednesday noon, UTC: the market is open in every week."""


class Clock:
    """The clock of a drill.

    Parameters
    ----------
    folder : for the library, and the file that says how far it is shifted.
    """

    def __init__(self, folder: Path) -> None:
        self.library, self.file = folder / "clock.so", folder / "clock"
        command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(self.library), str(_HERE / "clock.c"), "-ldl"]
        subprocess.run(command, check=True)
        self.file.write_bytes(bytes(16))
        self._ahead_s = self._passed_s = 0
        now = dt.datetime.now(dt.UTC)
        noon = now.replace(hour=_OPEN_HOUR, minute=0, second=0) - dt.timedelta(days=(now.weekday() - _OPEN_DAY) % 7)
        self.set_ahead(round((noon - now).total_seconds()))

    @property
    def env(self) -> dict[str, str]:
        """What a service by this clock is started with."""
        return {"LD_PRELOAD": str(self.library), "DRILL_CLOCK": str(self.file)}

    def now(self) -> dt.datetime:
        """The time by it, UTC."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self._ahead_s)

    def set_ahead(self, seconds: int) -> None:
        """Set it so many seconds further ahead (below zero: back), all at once."""
        self._ahead_s += seconds
        self._say()

    def pass_by(self, seconds: int) -> None:
        """Let so much time pass."""
        self._ahead_s += seconds
        self._passed_s += seconds
        self._say()

    @cached_property
    def _seen(self) -> mmap.mmap:
        with self.file.open("r+b") as file:
            return mmap.mmap(file.fileno(), 16)

    def _say(self) -> None:
        self._seen[:16] = struct.pack("qq", self._ahead_s, self._passed_s)
