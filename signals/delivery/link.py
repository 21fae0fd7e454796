"""A client's connection: made from the address when it is needed, dropped when it breaks."""

from collections.abc import Callable
from typing import cast

import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.retry import Retry

from signals.delivery.faults import broker_error, safe_url
from signals.errors import BrokerError

ANSWER_S = 5.0
"""Seconds a server may take to answer; longer than a client ever blocks in one command."""
CONNECT_S = 2.0
_BACKOFF = ExponentialWithJitterBackoff(cap=5.0, base=0.05)


def pause_s(failures: int) -> float:
    """Seconds before the next attempt: jittered, at most 0.1, 0.2, 0.4, … 5."""
    return _BACKOFF.compute(min(failures, 10))  # beyond that it only grows until it overflows


class Link:
    """One connection pool that follows its address.

    Parameters
    ----------
    url : gives the address; asked again for each new connection, so that a server may move.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._client: redis.Redis | None = None
        self.where = "Redis"
        """The address in use, without its password."""

    @property
    def client(self) -> redis.Redis:
        """The connected client.

        Raises
        ------
        BrokerError : there is no address, or it is none of Redis'.
        """
        if self._client is None:
            url = self._url()
            try:
                self.where = safe_url(url)
                self._client = redis.Redis.from_url(
                    url,
                    socket_timeout=ANSWER_S,
                    socket_connect_timeout=CONNECT_S,
                    retry=Retry(NoBackoff(), 0),  # the follower retries, with a new address
                    client_name="signals-client",
                    decode_responses=False,
                )
            except ValueError as exc:
                raise BrokerError("Redis address", str(exc), "write it as redis://HOST:PORT") from exc
        return self._client

    def get(self, key: str) -> bytes | None:
        """Value of a string key.

        Raises
        ------
        BrokerError : the server cannot be reached or refuses.
        """
        try:
            return cast(bytes | None, self.client.get(key))
        except redis.RedisError as exc:
            raise self.lost(exc) from exc

    def ping(self) -> None:
        """Make sure that the server answers.

        Raises
        ------
        BrokerError : it does not.
        """
        try:
            self.client.ping()
        except redis.RedisError as exc:
            raise self.lost(exc) from exc

    def lost(self, fault: redis.RedisError) -> BrokerError:
        """Drop the connection; the house's error for the fault."""
        self.close()
        return broker_error(self.where, fault)

    def close(self) -> None:
        """Drop the connection; the next use makes a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
