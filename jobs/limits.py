"""How much one peer, and all together, may ask of the HTTP port."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web

MAX_CONNECTIONS = 256
MAX_AT_ONCE = 64
"""Requests under way, streams of events not counted: those are connections."""
IDLE_S = 15
"""A connection that sends no whole request head for so long is closed."""
BODY_S = 20
"""A body that takes longer to arrive is refused."""
_PEERS = 1024
"""Peers remembered; who was not seen for longest is forgotten, and begins with a full bucket."""

_FULL = b'{"error":"too many connections: try again in a few seconds"}'
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_FULL), _FULL)
)


class Rate(NamedTuple):
    """So many a second in the long run, so many at once."""

    per_s: float
    burst: float


READS = Rate(per_s=100, burst=400)
"""Of one peer that has not shown the token."""
WRONG_TOKENS = Rate(per_s=1 / 6, burst=10)


class Buckets:
    """One bucket a peer, filled at a rate, emptied by requests.

    Parameters
    ----------
    rate : of each peer.
    now : seconds that only go forward.
    """

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, peer: str) -> float:
        """Seconds until this peer may ask again; 0: now."""
        return max(0.0, (1 - self._level(peer)) / self._rate.per_s)

    def take(self, peer: str) -> None:
        """Count one."""
        self._left[peer] = (self._level(peer) - 1, self._now())
        self._left.move_to_end(peer)
        while len(self._left) > _PEERS:
            self._left.popitem(last=False)

    def _level(self, peer: str) -> float:
        level, at = self._left.get(peer, (self._rate.burst, self._now()))
        return min(self._rate.burst, level + (self._now() - at) * self._rate.per_s)


class _Turned(asyncio.Protocol):
    """Says that there are too many, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(_REFUSAL)
        transport.close()


def at_most(server: web.Server, most: int) -> Callable[[], asyncio.BaseProtocol]:
    """Makes the protocol of each new connection: aiohttp's, or a refusal where `most` are open."""
    return lambda: _Turned() if len(server.connections) >= most else server()
