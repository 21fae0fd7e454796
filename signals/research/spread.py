"""Where the work of a sweep is done: here, on the processes of this machine, or on a Dask cluster.

Each gives a mapper that holds the world: it is handed over once to each worker, never with a task. Results come in
the order of the items, whoever was quicker.
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
from multiprocessing.process import BaseProcess
from typing import Any

from signals.errors import ConfigError, SignalsError, WorkerError
from signals.research.sweep import Mapper

REACH_S = 3
"""How long a cluster is waited for."""
_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^\s:/]+:\d+|(tcp|tls|ws|wss)://\[[0-9a-fA-F:]+\]:\d+")
_CHUNKS = 8
"""Portions of work a process: many enough that none waits long for the last."""
_LARGEST = 16
_world: Any = None
"""In a worker: what it was given."""


@contextlib.contextmanager
def here(world: Any) -> Iterator[Mapper]:
    """In this process, one after the other."""
    yield lambda task, items: (task(world, item) for item in items)


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
        with _ctrl_c_held(), _alive():
            while len(started) < count:  # each of these starts one, unless one has already done its own
                pool.submit(os.getpid)
                started = set(multiprocessing.active_children()) - others
        yield lambda task, items: _from_pool(pool, count, task, items)
        pool.shutdown()
    finally:
        for process in started:
            process.terminate()  # what runs is not waited for
        pool.shutdown(cancel_futures=True)


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
def _ctrl_c_held() -> Iterator[None]:
    """Processes started meanwhile never hear of Ctrl-C: it is this process that ends them, without their tracebacks."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


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


@contextlib.contextmanager
def dask(world: Any, address: str) -> Iterator[Mapper]:
    """On the workers of a Dask cluster, by its scheduler's address (`tcp://HOST:PORT`).

    They need this package in the same version. Raises ConfigError without `distributed` or for what is no address,
    WorkerError where there is no cluster, it has no workers, or they die or lack the package.
    """
    if not _ADDRESS.fullmatch(address):
        raise ConfigError("--dask", f"{address!r} is no address", "as tcp://127.0.0.1:8786")
    if importlib.util.find_spec("distributed") is None:
        raise ConfigError("--dask", "distributed is not installed", "pip install -e .[scale]")
    from distributed import Client

    try:
        client: Any = Client(address, timeout=REACH_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        mend = "does its scheduler run, and can it be reached from here?"
        raise WorkerError(f"--dask {address}", f"no answer within {REACH_S} s", mend) from error
    with client:
        if not client.ncores():
            raise WorkerError(f"--dask {address}", "the cluster has no workers", f"dask worker {address}")
        with _told(address):
            handed = client.scatter(world, broadcast=True, hash=False)
        yield lambda task, items: _from_cluster(client, address, handed, task, items)


def _from_cluster(
    client: Any, address: str, world: Any, task: Callable[..., Any], items: Sequence[Any]
) -> Iterator[Any]:
    with _told(address):
        futures = client.map(_swapped, items, world=world, task=task, pure=False)
        for future in futures:
            yield future.result()


def _swapped(item: Any, *, world: Any, task: Callable[[Any, Any], Any]) -> Any:
    return task(world, item)


@contextlib.contextmanager
def _told(address: str) -> Iterator[None]:
    """What goes wrong on a cluster as an error of ours; errors of a task pass as they are."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except SignalsError:
        raise
    except ImportError as error:
        mend = "install this package on the workers, in the version that runs here"
        raise WorkerError(f"--dask {address}", f"the workers lack something: {error}", mend) from error
    except (KilledWorker, FutureCancelledError, CommClosedError, OSError, TimeoutError) as error:
        mend = "was it killed for want of memory? the cluster's logs say"
        raise WorkerError(f"--dask {address}", f"a worker or the scheduler died: {error}", mend) from error
