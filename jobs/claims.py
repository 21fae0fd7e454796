"""One run of a job at a time: among the threads of a process by a lock, among the processes of a home by another.

The home's locks are files under `locks/`, locked by the system: whoever dies lets go of them, however it dies.
"""

import fcntl
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import IO

from signals.errors import StoreError

OVERLAP = "the run before it has not ended"
ELSEWHERE = "another process of this home runs it: the service, or someone by hand"
_POLL_S = 0.05


class Claims:
    """The locks of all jobs.

    Parameters
    ----------
    jobs : their names.
    folder : where the home's locks lie; null: only this process counts.
    free : jobs that are locked among threads alone: they must wait for no disk.
    """

    def __init__(self, jobs: Collection[str], folder: Path | None = None, free: Collection[str] = ()) -> None:
        self._busy = {job: threading.Lock() for job in jobs}
        self._folder = folder
        self._free = free
        self._files: dict[str, IO[str]] = {}

    def take(self, job: str, wait_s: float = 0.0) -> str | None:
        """Lock a job, waiting so long for it; null when done, else who has it.

        Raises
        ------
        StoreError : the home's lock cannot be opened.
        """
        end = time.monotonic() + wait_s
        if not self._busy[job].acquire(timeout=wait_s):
            return OVERLAP
        try:
            while not (taken := self._lock(job)) and time.monotonic() < end:
                time.sleep(_POLL_S)
        except OSError as error:
            self._busy[job].release()
            where = f"{self._folder}/{job}.lock"
            raise StoreError(where, f"cannot be locked: {error.strerror}", "may this user write there?") from error
        if not taken:
            self._busy[job].release()
            return ELSEWHERE
        return None

    def give_back(self, job: str) -> None:
        """Unlock it; any thread may."""
        if job in self._files:
            fcntl.flock(self._files[job], fcntl.LOCK_UN)
        self._busy[job].release()

    def close(self) -> None:
        """Close the files, and with them whatever is locked."""
        while self._files:
            self._files.popitem()[1].close()

    def _lock(self, job: str) -> bool:
        if self._folder is None or job in self._free:
            return True
        if job not in self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._files[job] = (self._folder / f"{job}.lock").open("a")
        try:
            fcntl.flock(self._files[job], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
