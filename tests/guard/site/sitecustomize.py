"""Put up the guard in every Python that a test starts. Look-ups of outside names fail there as with no network."""

import ipaddress
import socket
import sys

_look_up = socket.getaddrinfo


def _local(host):
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("localhost", "", None):
        return True
    try:
        address = ipaddress.ip_address(str(name).split("%")[0])
    except ValueError:
        return str(name).endswith((".localhost", ".invalid", ".test"))
    return address.is_loopback or address.is_unspecified


def _guarded(host, *arguments, **options):
    if not _local(host):
        raise socket.gaierror(socket.EAI_NONAME, "the test guard: no network here")
    return _look_up(host, *arguments, **options)


def _hook(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not _local(address[0]):
            raise ConnectionRefusedError(f"the test guard: no connection to {address}")


socket.getaddrinfo = _guarded
sys.addaudithook(_hook)
