"""A process that has imported all that `signals serve` needs and read the model, and forks services off.

    python -m tests.chaos.nursery CONFIG

A service so born is the whole of `signals serve`, minder and child, only that it need not import anything: it is up in
0.3 s instead of 3. It shares with its siblings what no service changes: modules, and the shipped model's weights
where its home has no model of its own.

Words on standard input, each answered by a line: the JSON of a `Birth` (the process id); `kill` (SIGKILL), `end`
(SIGTERM) or `wait`, and a process id, which tell the exit status. All services die with this process.

A boundary is where a moment decides: before each statement and each commit of the database, and before and after
each message to Redis is sent. A kill by the clock hits the gap between two commits once in a hundred times.
"""

import itertools
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import sqlalchemy as sa
from redis.connection import AbstractConnection

import jobs.cli
import jobs.supervisor
import jobs.training
from jobs.catalogue import _BODIES
from jobs.settings import load
from signals.scoring import likeness

_SIGNALS = {"kill": signal.SIGKILL, "end": signal.SIGTERM}


class Birth(msgspec.Struct, frozen=True):
    """A service that is to be."""

    config: str
    log: str
    """Where its standard error goes."""
    env: dict[str, str]
    """On top of the nursery's own."""
    boundary: int = 0
    """It kills itself at this boundary of its work; 0: never."""


def main(config: Path) -> None:
    """Take words until there are no more."""
    for body in _BODIES.values():
        __import__(body.partition(":")[0])
    load_model = jobs.training.load_in_place
    model = load_model(load(config))
    likeness.load()
    jobs.supervisor._MOST_WAIT_S = 0.0  # who is killed on purpose is started at once, however often
    jobs.training.load_in_place = lambda settings, *more: (
        load_model(settings, *more) if (settings.home / "model").exists() else model
    )
    assert threading.active_count() == 1, "a fork would take over only one of the threads"
    print("ready", flush=True)
    living: set[int] = set()
    for line in sys.stdin:
        if line.startswith("{"):
            child = os.fork() or _serve(msgspec.json.decode(line, type=Birth))
            living.add(child)
            print(child, flush=True)
        else:
            word, _, number = line.partition(" ")
            living.remove(child := int(number))
            print(_end(child, _SIGNALS.get(word)), flush=True)
    for child in living:
        _end(child, signal.SIGKILL)


def _end(child: int, number: signal.Signals | None) -> int:
    if number is not None:
        os.kill(child, number)  # ours, and not waited for yet: nobody else can have its number
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _arm(boundary: int) -> None:
    """Kill the service and its minder at that boundary, counted over all threads of the service."""
    left = itertools.count(boundary, -1)

    def tick(*_: object, **__: object) -> None:
        if next(left) == 1:
            os.kill(os.getppid(), signal.SIGKILL)  # its minder, which takes it along
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "before_cursor_execute", tick)
    sa.event.listen(sa.Engine, "commit", tick)
    send = AbstractConnection.send_packed_command

    def send_between(*arguments: Any, **named: Any) -> None:
        tick()
        send(*arguments, **named)
        tick()

    AbstractConnection.send_packed_command = send_between  # type: ignore[method-assign]


def _serve(birth: Birth) -> NoReturn:
    """Be the service."""
    nothing = os.open(os.devnull, os.O_RDWR)
    told = os.open(birth.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, handle in enumerate((nothing, nothing, told)):
        os.dup2(handle, number)
    os.close(nothing)
    os.close(told)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - what the nursery had read ahead is not for us
    os.environ.update(birth.env)
    if birth.boundary:
        _arm(birth.boundary)
    try:
        jobs.cli.main(["--config", birth.config, "serve"])
    except SystemExit as end:
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    finally:
        os._exit(70)  # an error that is none of ours


if __name__ == "__main__":
    main(Path(sys.argv[1]))
