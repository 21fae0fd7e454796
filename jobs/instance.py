"""Who this service is among those that share a store: a name that stays with its home."""

import secrets
import socket
from pathlib import Path

import msgspec

_FILE = "instance.json"
_HOST = 40


class Instance(msgspec.Struct, frozen=True):
    """A service, wherever it lives."""

    name: str
    """Unique among all; begins with the host's."""
    host: str
    home: str


def instance_of(home: Path) -> Instance:
    """The name of this home's service, made at its first start. Raises OSError where it cannot be kept.

    A home that was copied, to another folder or machine, gets one of its own: two of one name would take the lease
    from each other.
    """
    path, host = home / _FILE, socket.gethostname()
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Instance)
    except (FileNotFoundError, msgspec.MsgspecError):
        kept = None
    if kept is not None and (kept.host, kept.home) == (host, str(home)):
        return kept
    made = Instance(f"{host[:_HOST]}-{secrets.token_hex(3)}", host, str(home))
    beside = path.with_name(f".{_FILE}")
    beside.write_bytes(msgspec.json.encode(made))
    beside.replace(path)
    return made
