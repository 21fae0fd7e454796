"""Work on the workers of a Dask cluster: one that is there, or one of this machine's processes.

The world is a plugin of the workers: each is handed it once, also one that joins late or is started anew after a death.
Dask gives what a dead worker held to another.
"""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dask.config
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, as_completed, get_worker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from signals.errors import SignalsError, WorkerError
from signals.research.spread import Mapper, ctrl_c_held, one_thread

REACH_S = 3
"""How long a cluster is waited for."""
WORKERS_S = 15
"""And its first worker."""
_LOCAL = {
    "distributed.worker.memory.target": False,  # nothing is held that could be put on the disk
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,  # a paused worker waits for memory that nobody frees
    "distributed.worker.memory.terminate": 0.95,
    "distributed.worker.memory.recent-to-old-time": "1h",
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.worker-saturation": 1.0,  # what waits at a worker that dies would be blamed, too
    "distributed.worker.profile.enabled": False,  # a twentieth of the work, and nobody looks at it
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",  # a machine that others use, too, is no fault to be logged
    "logging.distributed": "critical",
}
_AHEAD = 1_000
"""Items that a cluster is told of at once: more cost its scheduler memory and are no quicker."""
_number = itertools.count()


class Holding(WorkerPlugin):
    """What a worker holds of a world."""

    def __init__(self, name: str, world: Any) -> None:
        self.name, self.world = name, world

    def setup(self, worker: Any) -> None:
        """Nothing: to be there is all."""


@contextlib.contextmanager
def cluster(world: Any, address: str, *, lasting: bool) -> Iterator[Mapper]:
    """On the cluster of this address; see `spread.dask`."""
    try:
        client: Any = Client(address, timeout=REACH_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        mend = "does its scheduler run, and can it be reached from here?"
        raise WorkerError(f"--cluster {address}", f"no answer within {REACH_S} s", mend) from error
    with client:
        _await_a_worker(client, address)
        with _mapper(client, f"--cluster {address}", world, lasting=lasting) as mapper:
            yield mapper


def _await_a_worker(client: Any, address: str) -> None:
    """They may just be starting, or starting anew."""
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError as error:
        raise WorkerError(f"--cluster {address}", "the cluster has no workers", f"dask worker {address}") from error


@contextlib.contextmanager
def local(world: Any, count: int, memory_bytes: int) -> Iterator[Mapper]:
    """On processes of this machine, of which one that takes more than `memory_bytes` is ended and its item done anew.

    An item of which they die again and again gives a WorkerError in place of its result.
    """
    with tempfile.TemporaryDirectory(prefix="signals-dask-") as folder, dask.config.set(_LOCAL):
        with ctrl_c_held(), one_thread():
            made: Any = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=count, threads_per_worker=1, memory_limit=memory_bytes, host="127.0.0.1",
                dashboard_address="127.0.0.1:0", silence_logs=50, local_directory=folder,
                scheduler_kwargs={"dashboard": False},
            )  # fmt: skip
        with (
            made,
            Client(made, set_as_default=False) as client,  # type: ignore[no-untyped-call]
            _mapper(client, "processes", world, lasting=True) as mapper,
        ):
            yield mapper


@contextlib.contextmanager
def _mapper(client: Any, where: str, world: Any, *, lasting: bool) -> Iterator[Mapper]:
    name = f"signals-{os.getpid()}-{next(_number)}"
    with _told(where):
        client.register_plugin(Holding(name, world), name=name)
    try:
        yield lambda task, items: _results(client, where, name, task, items, lasting)
    finally:
        with contextlib.suppress(OSError, TimeoutError, CommClosedError):  # a scheduler that has gone holds nothing
            client.unregister_worker_plugin(name)


def _results(
    client: Any, where: str, name: str, task: Callable[..., Any], items: Sequence[Any], lasting: bool
) -> Iterator[Any]:
    """In the order of the items, fetched as they are made: what lies at a worker is lost with it."""
    to_come, numbers = iter(items), itertools.count()
    at_work: dict[str, int] = {}
    made: dict[int, Any] = {}
    done: Any = as_completed(loop=client.loop)  # type: ignore[no-untyped-call]

    def submit() -> None:
        batch = list(itertools.islice(to_come, _AHEAD // 2))
        futures = client.map(_done, batch, name=name, task=task, pure=False) if batch else []
        at_work.update((future.key, next(numbers)) for future in futures)
        done.update(futures)

    with _told(where):
        submit()
        due = 0
        for future in done:
            made[at_work.pop(future.key)] = _result(future, where, lasting)
            if len(at_work) <= _AHEAD // 2:
                submit()
            while due in made:
                yield made.pop(due)
                due += 1


def _result(future: Any, where: str, lasting: bool) -> Any:
    try:
        return future.result()
    except KilledWorker:
        if not lasting:
            raise
        return WorkerError(where, "workers died of it again and again", "do they need more --memory-per-process?")


def _done(item: Any, *, name: str, task: Callable[[Any, Any], Any]) -> Any:
    plugin: Any = get_worker().plugins[name]
    return task(plugin.world, item)


@contextlib.contextmanager
def _told(where: str) -> Iterator[None]:
    """What goes wrong on a cluster as an error of ours; errors of a task pass as they are."""
    try:
        yield
    except SignalsError:
        raise
    except ImportError as error:
        mend = "install this package on the workers, in the version that runs here"
        raise WorkerError(where, f"the workers lack something: {error}", mend) from error
    except (KilledWorker, FutureCancelledError, CommClosedError, TimeoutError) as error:
        mend = "was it killed for want of memory? the cluster's logs say"
        raise WorkerError(where, f"a worker or the scheduler died: {error}", mend) from error
