"""Where a client's address comes from."""

from collections.abc import Callable
from pathlib import Path

from signals.delivery.endpoints import FILE, endpoint
from signals.delivery.keys import DEFAULT_PORT
from signals.errors import BrokerError


def address_from(url: str | None, home: Path | None, ensure: Callable[[], str] | None) -> Callable[[], str]:
    """What gives the address: the first of the three that is given, else 127.0.0.1:6379."""
    if url is not None:
        return lambda: url
    if ensure is not None:
        return ensure
    if home is not None:
        return lambda: _address_in(home)
    return lambda: f"redis://127.0.0.1:{DEFAULT_PORT}"


def _address_in(home: Path) -> str:
    found = endpoint(home, "redis")
    if found is None:
        raise BrokerError(str(home / FILE), "names no redis", "start `signals serve` or `signals broker` there")
    return found
