"""The database: whether it opens, is up to date and whole, and whether somebody keeps others from writing."""

import time
from collections.abc import Callable
from pathlib import Path

from jobs.checks.line import Line, fail, ok, size, warn
from jobs.checks.processes import CAN_TELL, Holder
from jobs.checks.seen import Seen
from jobs.checks.store_state import StoreState, writer
from signals.errors import StoreError
from signals.store.database import HEAD
from signals.store.glance import damage, file_of

HELD_S = 2.0
"""Whoever holds it longer than this keeps the service from its work."""
_LOOK_S = 0.05
THROUGH_S = 10.0


def database(seen: Seen) -> list[Line]:
    """Whether this code can work with it."""
    file = file_of(seen.settings.database_url)
    if file is not None and not file.exists():
        return [ok("database", f"{file} is not there yet: the first command makes it")]
    state = seen.store()
    text = f"{state.nature.program} at {state.name}{_sizes(file)}, tables {state.nature.revision or 'none'}"
    return [_revision(state, text)]


def lock(seen: Seen) -> list[Line]:
    """Whether somebody holds it so that others cannot write, longer than a transaction should take."""
    file = file_of(seen.settings.database_url)
    if file is None or not file.exists() or not CAN_TELL:
        return []
    holder = _held_throughout(lambda: writer(file))
    if holder is None:
        return [ok("database:lock", "nobody keeps others from writing")]
    service = seen.service()
    if service is not None and holder.pid == service.pid:
        mend = "normal while much comes in at once; if it stays so, see `signals jobs history`"
        return [warn("database:lock", f"the service has been writing for more than {HELD_S:g} s", mend)]
    text = f"locked by {holder} for more than {HELD_S:g} s: nobody else can write"
    return [fail("database:lock", text, f"end what process {holder.pid} does there, or wait for it")]


def integrity(seen: Seen) -> list[Line]:
    """Whether a SQLite file is whole."""
    file = file_of(seen.settings.database_url)
    if file is None or not file.exists():
        return []
    try:
        broken = damage(file, THROUGH_S)
    except StoreError as error:
        return [warn("database:integrity", error.problem, "run it again when there is less to do")]
    if broken is None:
        return [ok("database:integrity", "whole")]
    mend = f"stop the service and restore a backup, or move {file} away to begin anew"
    return [fail("database:integrity", f"{file} is damaged: {broken}", mend)]


def _revision(state: StoreState, text: str) -> Line:
    found = state.nature.revision
    if state.nature.current:
        return ok("database", text)
    if found is not None and found > HEAD:
        return fail("database", f"{text}: made by a newer version of this code ({HEAD})", "update the code")
    mend = "the next command that writes brings it up to date; make a copy first"
    return warn("database", f"{text}: this code wants {HEAD}", mend)


def _held_throughout(look: Callable[[], Holder | None]) -> Holder | None:
    """Who holds it each time we look; null as soon as somebody else does, or nobody."""
    first = look()
    end = time.monotonic() + HELD_S
    while first is not None and time.monotonic() < end:
        time.sleep(_LOOK_S)
        if look() != first:
            return None
    return first


def _sizes(file: Path | None) -> str:
    if file is None:
        return ""
    log = file.with_name(f"{file.name}-wal")
    mode = "WAL" if _is_wal(file) else "no WAL"
    waiting = f" and {size(log.stat().st_size)} of log" if log.exists() and log.stat().st_size else ""
    return f" ({size(file.stat().st_size)}{waiting}, {mode})"


def _is_wal(file: Path) -> bool:
    """By the file's header (SQLite, file format, 1.3.3)."""
    with file.open("rb") as opened:
        return opened.read(20)[18:20] == b"\x02\x02"
