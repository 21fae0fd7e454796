"""`signals work`: worker processes and their minder. The model is read once and shared; who dies is started anew.

A worker is killed by nobody but itself: where scoring takes longer than others wait for it, the process ends with its
stack on stderr, since what hangs in compiled code hears no signal. The minder counts it as a death like any other.
"""

import contextlib
import faulthandler
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from jobs.app import App
from jobs.lifeline import die_with
from jobs.logs import logger
from jobs.scoring_worker import ScoringWorker
from jobs.supervisor import Ends
from jobs.training import place
from signals.delivery.faults import FAULTS, broker_error
from signals.errors import BrokerError, SignalsError
from signals.pipeline import Scorer
from signals.sources import inbox

if TYPE_CHECKING:
    pass

_ASKS = (signal.SIGTERM, signal.SIGINT)
_BLOCK_MS = 1000
_SAY_EACH_S = 60.0
_FIRST_WAIT_S, _MOST_WAIT_S = 0.5, 10.0
_LOOK_S = 0.1
_HUNG = 0.8
"""Of the time after which others take over what a worker holds: then it is no more."""
_END_S = 30.0
"""How long workers may take to end once asked to; then they are killed, and others take over what they hold."""
_NEW_MODEL = 75
"""Exit code of a worker that found another model in place."""

Dress = Callable[[Scorer], Scorer]


class _Worker:
    """One place in the pool."""

    def __init__(self) -> None:
        self.pid = 0
        self.born_at = 0.0
        self.due_at = 0.0
        self.ends = Ends()


class Pool:
    """Keeps so many workers going until it is asked to end.

    Parameters
    ----------
    app : gives settings, and the model, which is read here: a worker is up at once, and shares its memory.
    count : how many.
    name : what their names begin with.
    dress : makes of the model what scores; a test brings one that dies.
    """

    def __init__(self, app: App, count: int, name: str = "", dress: Dress = lambda one: one) -> None:
        self._app = app
        self._name = name or socket.gethostname()
        self._dress = dress
        self._asked = threading.Event()
        self._workers = [_Worker() for _ in range(count)]

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit code. Raises ModelError where there is no model."""
        self._read_model()
        for number in _ASKS:
            signal.signal(number, self._ask)
        while not self._asked.is_set():
            for one in self._workers:
                if one.pid:
                    self._bury(one)
                elif time.monotonic() >= one.due_at:
                    self._bear(one)
            self._asked.wait(_LOOK_S)
        return self._end()

    def _read_model(self) -> None:
        """Read it, and all that it reads when it first scores, before a fork: nobody born later waits for that."""
        told = inbox.handed_in(inbox.Pushed(id="first", title="BOJ hikes rates to 1.0%"), self._app.clock())
        self._app.scorer.score([told.headline] if told.headline else [])

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked.set()

    def _bear(self, one: _Worker) -> None:
        one.born_at, parent = time.monotonic(), os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, _ASKS)
        one.pid = os.fork()
        if one.pid == 0:
            code = 1
            try:
                die_with(parent)
                code = Worker(self._app, f"{self._name}-{os.getpid()}-{secrets.token_hex(3)}", self._dress).run()
            except SignalsError as error:
                logger().error("worker.failed", error=str(error))
            except Exception as error:  # noqa: BLE001 - a defect: this process ends, and another takes its place
                logger().error("worker.failed", error=f"{type(error).__name__}: {error}", exc_info=error)
            finally:
                os._exit(code)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKS)

    def _bury(self, one: _Worker) -> bool:
        """Whether it has ended; then it is told of, and due anew."""
        pid, status = os.waitpid(one.pid, os.WNOHANG)
        if not pid:
            return False
        one.pid, code = 0, os.waitstatus_to_exitcode(status)
        if code == _NEW_MODEL:
            self._app.forget_scorer()
            self._read_model()
        elif not self._asked.is_set():
            wait_s = one.ends.another(time.monotonic() - one.born_at)
            one.due_at = time.monotonic() + wait_s
            why = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            logger().error("worker.died", pid=pid, error=why, wait_s=wait_s)
        return True

    def _end(self) -> int:
        living = [one for one in self._workers if one.pid]
        for one in living:
            os.kill(one.pid, signal.SIGTERM)  # ours, and not waited for yet: nobody else can have its number
        end = time.monotonic() + _END_S
        while living := [one for one in living if not self._bury(one)]:
            if time.monotonic() > end:
                for one in living:
                    os.kill(one.pid, signal.SIGKILL)
            time.sleep(_LOOK_S / 2)
        return 0


class Worker:
    """One process: a consumer, through outages of Redis, until it is asked to end."""

    def __init__(self, app: App, name: str, dress: Dress) -> None:
        self._app = app
        self._name = name
        self._scorer = dress(app.scorer)
        self._stamp = _stamp(app)
        self._ended = threading.Event()
        self._say_at = 0.0
        self._said: dict[str, int] = {}

    def run(self) -> int:
        """Until SIGTERM or SIGINT, or another model is in place; the exit code."""
        for number in _ASKS:
            signal.signal(number, lambda *_: self._ended.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKS)
        worker: ScoringWorker | None = None
        wait_s, away = 0.0, False
        logger().info("worker.start", worker=self._name, model_id=self._scorer.model_id)
        while not self._ended.wait(wait_s) and self._stamp == _stamp(self._app):
            try:
                if worker is None or away:
                    worker = self._joined(worker)
                if away:
                    logger().info("worker.redis_back", worker=self._name)
                wait_s, away = 0.0, False
                while not self._ended.is_set() and not self._due(worker):
                    worker.turn(_BLOCK_MS)
            except (*FAULTS, BrokerError) as error:
                if not away:
                    told = (
                        error if isinstance(error, BrokerError) else broker_error(f"Redis stream {inbox.STREAM}", error)
                    )
                    logger().error("worker.redis_lost", worker=self._name, error=str(told))
                wait_s, away = min(_MOST_WAIT_S, 2 * wait_s or _FIRST_WAIT_S), True
        return self._leave(worker)

    def _joined(self, before: ScoringWorker | None) -> ScoringWorker:
        client = self._app.redis_once()
        counts = before.counts if before else None
        worker = ScoringWorker(
            client, self._scorer, self._app.settings.workers, self._name, self._app.clock,
            ended=self._ended, watch=self._watch,
        )  # fmt: skip
        worker.begin()
        if counts is not None:
            worker.counts = counts
        return worker

    def _due(self, worker: ScoringWorker) -> bool:
        """Once a minute: say what was done. Whether it is time to look around."""
        now = time.monotonic()
        if now < self._say_at:
            return False
        first, self._say_at = not self._say_at, now + _SAY_EACH_S
        if first:
            return False
        self._say(worker)
        return True

    def _say(self, worker: ScoringWorker) -> None:
        counts = {key: count - self._said.get(key, 0) for key, count in worker.counts.items()}
        self._said = dict(worker.counts)
        logger().info("worker.counts", worker=self._name, counts=counts)

    def _leave(self, worker: ScoringWorker | None) -> int:
        if worker is not None:
            self._say(worker)
            with contextlib.suppress(*FAULTS):  # it is forgotten by others after an hour
                worker.end()
        logger().info("worker.stop", worker=self._name)
        return 0 if self._ended.is_set() else _NEW_MODEL

    @contextlib.contextmanager
    def _watch(self) -> Iterator[None]:
        faulthandler.dump_traceback_later(_HUNG * self._app.settings.workers.reclaim_after_s, exit=True)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _stamp(app: App) -> tuple[float, int] | None:
    """Which file of the home's own model is in place; null where there is none."""
    try:
        found = place(app.settings).stat()
    except FileNotFoundError:
        return None
    return found.st_mtime, found.st_ino
