"""The two pipes between the service and the process that minds it.

By one the service says each second that it lives and what it is at; the other says, by being open, that its minder
lives: the service dies with it, on Linux by PR_SET_PDEATHSIG and at once, elsewhere with its next beat.
"""

import ctypes
import os
import select
import signal
import sys
from typing import NamedTuple

import msgspec

from jobs.worker import Active

BEAT_S = 1.0
LOST = 75
"""Exit status of a service that led and does no more: it is started anew at once, to stand by."""
GAVE_WAY = "it led no more, and stands by"
"""Why a service ended that gave up the lease: no crash."""
_PR_SET_PDEATHSIG = 1
"""<linux/prctl.h>."""


class Beat(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the service says of itself."""

    up: bool = False
    """Whether its start is done."""
    active: tuple[Active, ...] = ()
    """The runs under way."""
    idle_s: float = 0.0
    """How much longer than its shortest interval the scheduler has started nothing; below zero while all is well."""


class Before(NamedTuple):
    """How the service before this one ended, unasked."""

    why: str
    """In words, as `was killed by signal SIGSEGV`."""
    active: tuple[Active, ...] = ()
    """What was under way by its last beat, as long over its time as when it ended."""


class Link:
    """The service's end of the pipes.

    Parameters
    ----------
    beats : file descriptor to write to.
    life : file descriptor that is closed at its other end when the minder dies.
    before : how the service before this one ended; null: there was none.
    """

    def __init__(self, beats: int, life: int, before: Before | None) -> None:
        self._beats = beats
        self._life = life
        self.before = before

    def beat(self, beat: Beat) -> None:
        """Say what there is to say. Raises OSError where nobody hears it any more."""
        os.write(self._beats, msgspec.json.encode(beat) + b"\n")

    def cut(self) -> bool:
        """Whether the minder is gone."""
        return bool(select.select([self._life], [], [], 0)[0])


def die_with(parent: int) -> None:
    """Let this process die as soon as the thread that forked it does, where the system can do that."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the request was in place: no signal would ever come
        os._exit(1)
