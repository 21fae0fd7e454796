"""`endpoints.json` in the home: what is in use at which address, `{"redis": URL, "console": URL}`.

Several processes write it, each its own key: a change is read, made and put in place under a lock.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import msgspec

from signals.errors import BrokerError

FILE = "endpoints.json"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, waiting for whoever has it; the system frees it when a holder dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def endpoint(home: Path, name: str) -> str | None:
    """Address under `name`; null where none stands there.

    Raises
    ------
    BrokerError : the file is not what this module writes.
    """
    return _read(home / FILE).get(name)


def set_endpoint(home: Path, name: str, url: str | None, *, only_if: str | None = None) -> None:
    """Put an address under `name`, or take it out (null); other names stay.

    `only_if`: do nothing unless this address stands there.

    Raises
    ------
    BrokerError : the file is not what this module writes.
    OSError : it cannot be written.
    """
    path = home / FILE
    with locked(home / "endpoints.lock"):
        endpoints = _read(path)
        if only_if is not None and endpoints.get(name) != only_if:
            return
        endpoints.pop(name, None)
        if url is not None:
            endpoints[name] = url
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(endpoints, order="deterministic"))
        draft.replace(path)  # one step: a reader sees the old file or the new


def _read(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (msgspec.MsgspecError, UnicodeError) as exc:
        raise BrokerError(str(path), "is not an object of addresses", "delete it; it is written anew") from exc
