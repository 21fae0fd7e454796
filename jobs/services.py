"""The services of a store, for people: who leads, who stands by, who has fallen silent.

Ages here are by the clocks of the machines; who leads is decided without them (`lease`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal, NamedTuple

from jobs.spans import span
from signals.store.leases import Lease, Member

SILENT_S = 30.0
"""A service not heard of for so long is told as silent: machines' clocks differ by a few seconds."""
LEADS, STANDS_BY, SILENT = STATES = ("leads", "stands by", "silent")


class ServiceSeen(NamedTuple):
    """One service of this store."""

    instance: str
    state: Literal["leads", "stands by", "silent"]
    seen_at: dt.datetime
    """UTC, by its own clock."""
    broker_ok: bool
    """Whether it reaches Redis."""
    console: str | None
    """Address of its HTTP port, as its own machine sees it."""


def services(lease: Lease, members: Sequence[Member], at: dt.datetime) -> tuple[ServiceSeen, ...]:
    """All there are at a UTC time, the leader first."""
    found = [_seen(one, lease, at) for one in members]
    return tuple(sorted(found, key=lambda one: (STATES.index(one.state), one.instance)))


def sentence(seen: Sequence[ServiceSeen], at: dt.datetime) -> str:
    """All of them in one line: `2 services: a leads, b stands by`."""
    if not seen:
        return "no service"
    told = ", ".join(_told(one, at) for one in seen)
    nobody = "" if any(one.state == LEADS for one in seen) else ", nobody leads"
    return f"{len(seen)} service{'s' * (len(seen) != 1)}: {told}{nobody}"


def _seen(one: Member, lease: Lease, at: dt.datetime) -> ServiceSeen:
    silent = (at - one.seen_at).total_seconds() > SILENT_S
    state: Literal["leads", "stands by", "silent"] = (
        "silent" if silent else "leads" if one.instance == lease.holder else "stands by"
    )
    return ServiceSeen(one.instance, state, one.seen_at, one.broker_ok, one.console)


def _told(one: ServiceSeen, at: dt.datetime) -> str:
    if one.state == SILENT:
        return f"{one.instance} silent for {span((at - one.seen_at).total_seconds())}"
    away = "" if one.broker_ok else " (Redis away)"
    return f"{one.instance} {one.state}{away}"
