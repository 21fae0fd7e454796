"""Who has logged in: sessions of browsers, in memory alone, so that a restart ends them all."""

import hashlib
import secrets
import time
from collections.abc import Callable

LIFE_S = 12 * 3600
_MOST = 100
"""Sessions at once; the oldest gives way."""


class Sessions:
    """Makes session ids and knows those that are good still. Keeps hashes, never the ids.

    Parameters
    ----------
    now : seconds that only go forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ends: dict[bytes, float] = {}

    def begin(self) -> str:
        """A new session; returns its id, for the cookie."""
        self._ends = {name: end for name, end in self._ends.items() if end > self._now()}
        while len(self._ends) >= _MOST:
            del self._ends[next(iter(self._ends))]
        made = secrets.token_urlsafe(32)
        self._ends[_hash(made)] = self._now() + LIFE_S
        return made

    def good(self, given: str | None) -> bool:
        """Whether this is the id of a session that has not ended. Looked up by hash: the time tells nothing of it."""
        return given is not None and self._ends.get(_hash(given), 0.0) > self._now()

    def end(self, given: str | None) -> None:
        """Forget it."""
        if given is not None:
            self._ends.pop(_hash(given), None)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
