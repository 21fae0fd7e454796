"""Runs the checks side by side, each under its deadline, and gives their lines in the table's order."""

import pkgutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from jobs.checks.line import Line, fail, warn
from jobs.checks.seen import Seen
from jobs.checks.table import TABLE, Check
from signals.errors import BrokerError, SignalsError, StoreError

_OWNERS: dict[type[SignalsError], tuple[str, ...]] = {StoreError: ("database",), BrokerError: ("redis",)}
"""Which check tells of an error that others meet too."""


class _Running(NamedTuple):
    check: Check
    thread: threading.Thread
    end: float
    lines: list[Line]


def examine(
    seen: Seen | None, began: Callable[[str], object] = lambda _: None, table: Sequence[Check] = TABLE
) -> Iterator[Line]:
    """The lines of every check.

    Parameters
    ----------
    seen : null where the settings cannot be read: then only what needs none is looked at.
    began : told the name of each check that is waited for.
    """
    started = [_start(check, seen) for check in table if seen is not None or not check.wants_settings]
    for running in started:
        began(running.check.name)
        running.thread.join(max(0.0, running.end - time.monotonic()))
        if running.thread.is_alive():
            text = f"no answer within {running.check.within_s:g} s ({running.check.looks_at})"
            yield fail(running.check.name, text, "is the disk or the network it waits for hung?")
        else:
            yield from running.lines


def _start(check: Check, seen: Seen | None) -> _Running:
    lines: list[Line] = []
    thread = threading.Thread(target=lambda: lines.extend(_run(check, seen)), name=f"check-{check.name}", daemon=True)
    thread.start()
    return _Running(check, thread, time.monotonic() + check.within_s, lines)


def _run(check: Check, seen: Seen | None) -> Sequence[Line]:
    try:
        function: Callable[[Seen | None], Sequence[Line]] = pkgutil.resolve_name(f"jobs.checks.{check.where}")
        return function(seen)
    except SignalsError as error:
        owners = next((names for kind, names in _OWNERS.items() if isinstance(error, kind)), (check.name,))
        if check.name in owners:
            return [fail(check.name, f"{error.where}: {error.problem}", error.mend or "see its log")]
        return [warn(check.name, f"not known: {error.where}: {error.problem}", f"mend {owners[0]} first")]
    except Exception as error:  # noqa: BLE001 - a check that breaks must not hide what the others found
        return [fail(check.name, f"the check itself broke: {type(error).__name__}: {error}", "please report this")]
