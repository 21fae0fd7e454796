"""The guard: a connection to, or a look-up of, anything but this machine is an error."""

import ipaddress
import sys

LOCAL_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "", None}


class OutsideError(AssertionError):
    """A test reached for an address outside this machine."""


def allowed(host: object) -> bool:
    """Whether a host is this machine: loopback, unspecified (to listen on), or a name reserved for tests."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(str(name).split("%")[0])
    except ValueError:
        return str(name).rstrip(".").endswith((".localhost", ".invalid", ".test"))
    return address.is_loopback or address.is_unspecified


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not allowed(address[0]):
            raise OutsideError(f"a test reached for {address}")
    elif event == "socket.getaddrinfo" and not allowed(arguments[0]):
        raise OutsideError(f"a test looked up {arguments[0]!r}")


def forbid() -> None:
    """Put the guard up for the rest of this process."""
    sys.addaudithook(_hook)
