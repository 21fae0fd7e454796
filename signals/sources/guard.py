"""The session that fetches feeds: it looks at each address it is about to connect to.

A feed's address is foreign data, and so is every redirect. Checking a name before the request would
leave it free to resolve to something else a moment later, so the check sits where the socket is made.
"""

import asyncio
import ipaddress
import re
import socket
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from signals.errors import ConfigError

USER_AGENT = "usdjpy-signals/0.1 (news reader for USD/JPY)"
_CONTACT = re.compile(r"[!-'*-~]{3,200}")  # no space, no parenthesis: it stands in a comment of the header
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


@dataclass(frozen=True)
class Hop:
    """One request of a chain of redirects, and what may be connected to for it."""

    may_be_private: bool
    refused: list[str] = field(default_factory=list)
    """Addresses that were not connected to because they are private."""


HOP: ContextVar[Hop | None] = ContextVar("HOP", default=None)
"""The request being made in this task; with none, private addresses are refused."""


def is_private(address: str) -> bool:
    """Whether an IP address is anything but a public host: private, loopback, link-local, shared, reserved, multicast.

    IPv4 addresses that travel inside IPv6 ones are looked at themselves.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        inner = ip.ipv4_mapped or ip.sixtofour or translated
        if inner is not None:
            return is_private(str(inner))
    return ip.is_multicast or not ip.is_global


def literal_address(host: str) -> str | None:
    """The IP address that a URL's host spells out, also in the old forms (`127.1`, `2130706433`), else null.

    `localhost` counts as 127.0.0.1 (RFC 6761).
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return "127.0.0.1"
    with suppress(ValueError):
        return str(ipaddress.ip_address(name))
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(name))
    return None


def _guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """Make the socket for one resolved address, or refuse."""
    family, kind, proto, _, sockaddr = info
    hop = HOP.get()
    address = str(sockaddr[0])
    if is_private(address) and not (hop and hop.may_be_private):
        if hop:
            hop.refused.append(address)
        raise PermissionError(f"{address} is a private address")
    return socket.socket(family, kind, proto)


class DaemonResolver(AbstractResolver):
    """Look names up in threads of their own: with no network, each may hang for longer than anyone waits.

    In the loop's pool of threads they would hold up the files and parsers that wait there too, and the
    end of the program.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of a name. Raises OSError where it has none."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def deliver(result: list[ResolveResult] | OSError) -> None:
            if found.done():  # given up meanwhile
                return
            if isinstance(result, OSError):
                found.set_exception(result)
            else:
                found.set_result(result)

        def look_up() -> None:
            result = _addresses(host, port, family)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(deliver, result)

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        return await found

    async def close(self) -> None:
        """Nothing is held."""


def _addresses(host: str, port: int, family: int) -> list[ResolveResult] | OSError:
    try:
        infos = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except UnicodeError:
        return socket.gaierror(socket.EAI_NONAME, "not a name that can be looked up")
    except OSError as error:
        return error
    return [
        ResolveResult(hostname=host, host=str(to[0]), port=port, family=fam, proto=proto, flags=socket.AI_NUMERICHOST)
        for fam, _, proto, _, to in infos
    ]


class GuardedConnector(aiohttp.TCPConnector):
    """Connects to public addresses only, unless the current `Hop` allows others.

    No connection is kept: one opened for a feed that may be private must not serve another feed.
    """

    def __init__(self, proxies: Mapping[str, str], resolver: AbstractResolver) -> None:
        super().__init__(resolver=resolver, use_dns_cache=False, force_close=True, socket_factory=_guarded_socket)
        self._proxies = dict(proxies)

    def proxy_for(self, url: URL) -> URL | None:
        """The proxy for a URL, if any; this machine's own addresses are never asked for through one."""
        host = url.host or ""
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        literal = literal_address(host)
        if not proxy or (literal and ipaddress.ip_address(literal).is_loopback):
            return None
        if urllib.request.proxy_bypass_environment(host, self._proxies):  # type: ignore[attr-defined]
            return None
        address = URL(proxy if "://" in proxy else f"http://{proxy}")
        return address if address.scheme in ("http", "https") else None  # SOCKS is none that aiohttp speaks


def user_agent(contact: str = "") -> str:
    """What we say of ourselves to every server.

    Parameters
    ----------
    contact : how to reach whoever runs this, a mail address or URL; empty: not told.

    Raises
    ------
    ConfigError : it cannot stand in a header.
    """
    if not contact:
        return USER_AGENT
    if not _CONTACT.fullmatch(contact):
        raise ConfigError("contact", f"{contact[:60]!r} is no mail address or URL", "write it in ASCII without spaces")
    return f"{USER_AGENT.removesuffix(')')}; +{contact})"


def open_session(
    *, proxies: Mapping[str, str] | None = None, resolver: AbstractResolver | None = None, contact: str = ""
) -> aiohttp.ClientSession:
    """A session for `fetch`; it must be closed. Call it in a running event loop.

    Parameters
    ----------
    proxies : proxy addresses by scheme, and under `no` the hosts that go without; null takes those of the
        environment (`HTTPS_PROXY`, `NO_PROXY`, ...).
    resolver : looks names up; null asks the system.
    contact : how servers can reach whoever runs this; see `user_agent`, also for its error.
    """
    agent = user_agent(contact)
    found = urllib.request.getproxies() if proxies is None else proxies
    return aiohttp.ClientSession(
        connector=GuardedConnector(found, resolver or DaemonResolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": agent},
        timeout=aiohttp.ClientTimeout(total=None),  # `fetch` bounds the whole, redirects and retry included
    )
