"""Minds the service: it runs in a child process that is killed when it hangs, and started anew whenever it ends.

A thread cannot be killed, a process can; and since nothing is lost by a kill, a kill is how whatever hangs ends.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

import msgspec

from jobs import systemd
from jobs.lifeline import BEAT_S, GAVE_WAY, LOST, Beat, Before, Link, die_with
from jobs.logs import logger

_ASKS = (signal.SIGTERM, signal.SIGINT)
_START_S = 600.0
"""How long a start may take: a large store may have to be brought up to date."""
_END_S = 30.0
"""How long the end may take once asked for."""
_WELL_S = 300.0
"""After so long without an end, the ends before are forgotten."""
_LOOP = 5
"""So many ends without such a time are a crash loop."""
_MOST_WAIT_S = 60.0
_GAVE_WAY_S = 0.5
"""How long who gave up the lease waits before it stands by: two that take it from each other in turn make no storm."""


class Ends:
    """The service's ends, and how long to wait after each before it is started anew."""

    def __init__(self) -> None:
        self.count = 0

    def another(self, lived_s: float) -> float:
        """One more, after it was up for so long (seconds): how long to wait. The first costs no time."""
        self.count = 1 if lived_s >= _WELL_S else self.count + 1
        return 0.0 if self.count == 1 else min(_MOST_WAIT_S, 2.0 ** (self.count - 2))

    @property
    def loop(self) -> bool:
        """Whether it dies again and again."""
        return self.count >= _LOOP


class _End(NamedTuple):
    """How a child ended."""

    status: int
    """Its exit code; below zero: the signal that killed it."""
    before: Before
    up_s: float | None
    """Seconds from when it was up to its end; null: it never was."""


class _Child:
    """One life of the service, seen from its minder."""

    def __init__(self, pid: int, beats: int, life: int) -> None:
        self.pid: int | None = pid
        self._beats = beats
        self._life = life
        self._rest = b""
        self.last = Beat()
        self.last_at = time.monotonic()
        self.up_at: float | None = None

    def hear(self, wait_s: float) -> bool:
        """Wait so long for a word; whether it lives."""
        if not select.select([self._beats], [], [], wait_s)[0]:
            return True
        got = os.read(self._beats, 1 << 16)
        *lines, self._rest = (self._rest + got).split(b"\n")
        for line in lines:
            self.last, self.last_at = msgspec.json.decode(line, type=Beat), time.monotonic()
            if self.last.up and self.up_at is None:
                self.up_at = self.last_at
                systemd.tell("READY=1")
            systemd.tell("WATCHDOG=1")
        return bool(got)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, while it is ours to send one to."""
        if self.pid is not None:
            os.kill(self.pid, number)

    def bury(self) -> int:
        """Wait for its end; its status."""
        assert self.pid is not None
        pid, self.pid = self.pid, None  # from here on nobody signals a number that may be another's
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(self._beats)
        os.close(self._life)
        return status


class Supervisor:
    """Runs the service in child processes, one after the other, until it is asked to end.

    Parameters
    ----------
    kill_after_s : how long a run may go on beyond its timeout, and the main loop or the scheduler be silent.
    """

    def __init__(self, kill_after_s: float) -> None:
        self._kill_after_s = kill_after_s
        self._asked = threading.Event()
        self._asked_at = 0.0
        self._child: _Child | None = None
        self._ends = Ends()

    def run(self, body: Callable[[Link], None]) -> int:
        """Run the service; returns the exit code, in the child's process as well as here.

        A start that fails with an exit code of its own (a port taken, a setting that cannot be used) is for a person
        to mend: that code is returned. Whatever ends after it was once up is started anew.
        """
        for number in _ASKS:
            signal.signal(number, self._ask)
        before: Before | None = None
        while not self._asked.is_set():
            link = self._bear(before)
            if link is not None:
                body(link)
                return 0
            end = self._watch()
            if self._asked.is_set():
                return 0 if end.status in (0, -signal.SIGTERM, LOST) and not self._ends.loop else 1
            if before is None and end.up_s is None and end.status > 0 and end.status != LOST:
                return end.status
            before = end.before
            if end.status == LOST:
                self._asked.wait(_GAVE_WAY_S)
            else:
                self._rest(end)
        return 1 if self._ends.loop else 0

    def _bear(self, before: Before | None) -> Link | None:
        """Fork the service off; its link in the child, null in the parent."""
        (hears, beats), (life, lives), parent = os.pipe(), os.pipe(), os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, _ASKS)
        pid = os.fork()
        if pid == 0:
            for number in _ASKS:  # until the service has handlers of its own
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKS)
            die_with(parent)
            os.close(hears)
            os.close(lives)
            return Link(beats, life, before)
        os.close(beats)
        os.close(life)
        self._child = _Child(pid, hears, lives)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKS)
        return None

    def _watch(self) -> _End:
        """Mind a child until it has ended; kill it where it hangs."""
        child, why = self._child, ""
        assert child is not None
        looked_at = time.monotonic()
        while child.hear(BEAT_S):
            now = time.monotonic()
            if now - looked_at > BEAT_S * 5:  # we stood still, so it may have, too
                child.last_at = now
            looked_at = now
            if not why and (why := self._hangs(child, now)):
                logger().error("service.killed", error=why)
                child.signal(signal.SIGKILL)
        status = child.bury()
        waited_s = time.monotonic() - child.last_at
        active = tuple(one._replace(over_s=one.over_s + waited_s) for one in child.last.active)
        up_s = None if child.up_at is None else time.monotonic() - child.up_at
        if status == LOST:  # whoever leads by now closes what it had begun
            return _End(status, Before(GAVE_WAY), up_s)
        return _End(status, Before(why or _ended(status), active), up_s)

    def _hangs(self, child: _Child, now: float) -> str:
        """Why it is to be killed; empty where it is not."""
        silent_s = now - child.last_at
        if self._asked.is_set():
            return f"it had not ended {_END_S:g} s after it was asked to" if now - self._asked_at > _END_S else ""
        if silent_s > (self._kill_after_s if child.up_at else _START_S):
            return f"its main loop has not answered for {silent_s:.0f} s"
        if child.last.idle_s > self._kill_after_s:
            return f"its scheduler has started nothing for {child.last.idle_s:.0f} s"
        hung = [one for one in child.last.active if one.over_s + silent_s > self._kill_after_s]
        return ", ".join(f"job {one.run.job} (run {one.run.run_id}) hung" for one in hung)

    def _rest(self, end: _End) -> None:
        """Tell of an end nobody asked for, and wait before the next start."""
        wait_s = self._ends.another(end.up_s or 0.0)
        logger().error("service.died", error=end.before.why, up_s=round(end.up_s or 0.0, 1), wait_s=wait_s)
        if self._ends.loop:
            logger().error("service.crash_loop", ends=self._ends.count, exit_code=end.status, wait_s=wait_s)
            systemd.tell(f"STATUS=crash loop: ended {self._ends.count} times, last: {end.before.why}")
        self._asked.wait(wait_s)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if not self._asked.is_set():
            self._asked_at = time.monotonic()
            self._asked.set()
            systemd.tell("STOPPING=1")
        if self._child is not None:
            self._child.signal(signal.SIGTERM)


def _ended(status: int) -> str:
    if status < 0:
        return f"the service was killed by {signal.Signals(-status).name}"
    return f"the service ended by itself with exit code {status}"
