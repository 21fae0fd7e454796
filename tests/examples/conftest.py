"""The examples run as their readers run them: programs of their own, on a real server with real messages."""

import contextlib
import datetime as dt
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signals.delivery.outbox import OutboxRow
from signals.delivery.wire import RETRACTION, encode_retraction
from tests.delivery.conftest import (  # noqa: F401 - fixtures
    NOW,
    broker,
    home,
    make_retraction,
    make_row,
    make_signal,
    publisher,
    server,
    shared_broker,
    until,
    url,
)

HERE = Path(__file__).parent
FAR = dt.datetime(2100, 1, 1, tzinfo=dt.UTC) - NOW
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) - NOW
"""The examples read the machine's clock: their signals live until 2100, or were over before."""


def row(seq: int, valid_for: dt.timedelta = FAR, **changes: object) -> OutboxRow:
    """An outbox row of a signal that lives as long as any test."""
    return make_row(seq, valid_for=valid_for, title=f"headline {seq}", **changes)


def retraction_row(seq: int, number: int) -> OutboxRow:
    """The outbox row that retracts the signal of a number."""
    retraction = make_retraction(number, valid_until=NOW + FAR)
    message = encode_retraction(retraction, epoch="e1", seq=seq)
    return OutboxRow("e1", seq, message.message_id, RETRACTION, message.event, retraction.valid_until)


class Program:
    """A running example; its lines are taken as they come."""

    def __init__(self, command: list[str]) -> None:
        env = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self.out: list[str] = []
        self.err: list[str] = []
        pairs = ((self.process.stdout, self.out), (self.process.stderr, self.err))
        self._threads = [threading.Thread(target=self._take, args=pair, daemon=True) for pair in pairs]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _take(stream: Iterator[str], lines: list[str]) -> None:
        lines.extend(line.rstrip("\n") for line in stream)  # extend takes them one by one

    def wait_for(self, text: str) -> None:
        """Wait until a line with this text has come, on either output."""
        until(lambda: any(text in line for line in [*self.out, *self.err]) or self._ended(text))

    def _ended(self, text: str) -> bool:
        assert self.process.poll() is None, f"ended before {text!r} came:\n" + "\n".join(self.out + self.err)
        return False

    def end(self) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(30)
        for thread in self._threads:
            thread.join()
        return code

    def kill(self) -> None:
        """End it whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.end()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs, and ends those that still run."""
    running: list[Program] = []

    def begin(*command: object) -> Program:
        running.append(Program([str(word) for word in command]))
        return running[-1]

    yield begin
    for program in running:
        program.kill()


@pytest.fixture
def python(start: Start) -> Start:
    """Starts an example in Python."""
    return lambda name, *words: start(sys.executable, HERE / name, *words)
