"""The ports of the service on this machine: free, ours, or a stranger's."""

import socket

from jobs.checks.line import Line, fail, ok, warn
from jobs.checks.processes import listener
from jobs.checks.seen import Seen
from signals.delivery.endpoints import endpoint

HOST = "127.0.0.1"
_ANSWER_S = 1.0


def ports(seen: Seen) -> list[Line]:
    """The console's port, and Redis' where the home has its own."""
    wanted = [("console", seen.settings.console_port, "SIGNALS_CONSOLE_PORT")]
    if seen.settings.redis_url is None:
        wanted.append(("redis", seen.settings.broker_port, "SIGNALS_BROKER_PORT"))
    return [_port(seen, *one) for one in wanted]


def _port(seen: Seen, name: str, port: int, variable: str) -> Line:
    check = f"port:{name}"
    said = endpoint(seen.settings.home, name) or ""
    if port == 0:
        return ok(check, f"any that is free{f', now {said}' if said else ''}")
    if not _taken(port):
        return ok(check, f"{port} is free")
    holder = listener(port)
    who = f" by {holder}" if holder else ""
    if said.endswith(f":{port}") and _ours(seen, name):
        return ok(check, f"{port} is ours{who}")
    mend = f"end what listens there, or set {variable} to another port (0: a free one)"
    if seen.service() is not None and not said.endswith(f":{port}"):
        return warn(check, f"{port} is taken{who}; the service uses another", mend)
    return fail(check, f"{port} is taken{who}, which is not this home's service", mend)


def _ours(seen: Seen, name: str) -> bool:
    """Whether what listens belongs to this home: its service, or for Redis a server that knows our password."""
    if name == "console":
        return seen.service() is not None
    return seen.broker() is not None


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(_ANSWER_S)
        return probe.connect_ex((HOST, port)) == 0
