"""Where work on many items is done: here, on processes of this machine, or on a Dask cluster (`spread_dask`).

Each place gives a mapper that holds the world: what all items need, handed over once to each worker, never with a
task. Results come in the order of the items, whoever was quicker. One core is given to each process: the libraries
below numpy must not start threads of their own, which would fight for it.
"""

import contextlib
import importlib.util
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Protocol, TypeVar

from signals.errors import ConfigError, WorkerError

_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^\s:/]+:\d+|(tcp|tls|ws|wss)://\[[0-9a-fA-F:]+\]:\d+")
_CHUNKS = 8
"""Portions of work a process: many enough that none waits long for the last."""
_LARGEST = 16
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_world: Any = None
"""In a worker: what it was given."""
Item = TypeVar("Item")
Made = TypeVar("Made")


class Mapper(Protocol):
    """Does a task for each item, anywhere, and gives the results in the order of the items."""

    def __call__(self, task: Callable[[Any, Item], Made], items: Sequence[Item]) -> Iterator[Made]:
        """`task(world, item)` for each; a task is a function of a module, so that it can be named elsewhere."""


class Place(NamedTuple):
    """Where work is done: on the cluster if one is named, else on so many processes of this machine."""

    processes: int = 1
    cluster: str | None = None
    """Address of a Dask scheduler, `tcp://HOST:PORT`."""
    memory_bytes: int = 1 << 30
    """What a process of this machine may take; one of a cluster has its own limit."""


@contextlib.contextmanager
def here(world: Any) -> Iterator[Mapper]:
    """In this process, one after the other."""
    yield lambda task, items: (task(world, item) for item in items)


@contextlib.contextmanager
def lasting(world: Any, place: Place, items: int) -> Iterator[Mapper]:
    """For work that goes on when a worker dies: its item is done again by another; `items`: how many there are.

    On processes this needs `distributed` (the extra `scale`); without it they are those of `processes`, no limit of
    memory is enforced, and a dead one ends the work. An item of which workers die again and again gives a WorkerError
    in place of its result.
    """
    count = min(place.processes, items)
    if place.cluster:
        made = dask(world, place.cluster, lasting=True)
    elif count <= 1:
        made = here(world)
    elif has_dask():
        from signals.research.spread_dask import local

        made = local(world, count, place.memory_bytes)
    else:
        made = processes(world, count)
    with made as mapper:
        yield mapper


@contextlib.contextmanager
def processes(world: Any, count: int) -> Iterator[Mapper]:
    """On so many processes; none is left at the end, however it came.

    Raises
    ------
    WorkerError : a process died: killed, or out of memory.
    """
    others, started = set(multiprocessing.active_children()), set[BaseProcess]()
    pool = ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(world,)
    )
    try:
        with ctrl_c_held(), one_thread(), _alive():
            while len(started) < count:  # each of these starts one, unless one has already done its own
                pool.submit(os.getpid)
                started = set(multiprocessing.active_children()) - others
        yield lambda task, items: _from_pool(pool, count, task, items)
        pool.shutdown()
    finally:
        for process in started:
            process.terminate()  # what runs is not waited for
        pool.shutdown(cancel_futures=True)


def dask(world: Any, address: str, *, lasting: bool = False) -> contextlib.AbstractContextManager[Mapper]:
    """On the workers of a Dask cluster, by its scheduler's address (`tcp://HOST:PORT`).

    They need this package in the same version. With `lasting`, an item of which workers die again and again gives a
    WorkerError in place of its result. Raises ConfigError without `distributed` or for what is no address, WorkerError
    where there is no cluster, it has no workers, or they die or lack the package.
    """
    if not _ADDRESS.fullmatch(address):
        raise ConfigError("--cluster", f"{address!r} is no address", "as tcp://127.0.0.1:8786")
    if not has_dask():
        raise ConfigError("--cluster", "distributed is not installed", "pip install -e .[scale]")
    from signals.research.spread_dask import cluster

    return cluster(world, address, lasting=lasting)


def has_dask() -> bool:
    """Whether `distributed` is installed."""
    return importlib.util.find_spec("distributed") is not None


def _from_pool(pool: ProcessPoolExecutor, count: int, task: Callable[..., Any], items: Sequence[Any]) -> Iterator[Any]:
    size = max(1, min(_LARGEST, len(items) // (count * _CHUNKS)))
    with _alive():
        yield from pool.map(_do, [task] * len(items), items, chunksize=size)


@contextlib.contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise WorkerError(
            "processes", "one of them died", "was it killed for want of memory? try fewer by --processes"
        ) from error


@contextlib.contextmanager
def ctrl_c_held() -> Iterator[None]:
    """Processes started meanwhile never hear of Ctrl-C: it is this process that ends them, without their tracebacks."""
    resource_tracker.ensure_running()  # started later, it would let Ctrl-C through again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Processes started meanwhile have one thread for their arithmetic, unless the environment says otherwise."""
    unset = [name for name in _ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)


def _begin(world: Any) -> None:
    global _world
    _world = world
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: Callable[[Any, Any], Any], item: Any) -> Any:
    return task(_world, item)
