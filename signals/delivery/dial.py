"""From an address to redis-py's client, with threads or with asyncio. Sentinels and clusters are asked each time.

Both ways end at one node, so that reading, subscribing and groups are the same whatever is behind:
the primary that redis-py's `Sentinel` finds, or the node that its `RedisCluster` says has the keys.
"""

from typing import Any

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.connection
import redis.asyncio.retry
import redis.asyncio.sentinel
import redis.cluster
import redis.sentinel
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from signals.delivery.address import Address, Dialling, parse, with_tls
from signals.errors import BrokerError, ConfigError


def dial(url: str, how: Dialling) -> redis.Redis:
    """A client of the node to read from; connects when it is used, asks Sentinels and clusters at once.

    Raises
    ------
    BrokerError : the address or an option of it is none.
    redis.RedisError : Sentinels or cluster do not answer.
    """
    address, options = _options(url, how, parse_url)
    options["retry"] = Retry(NoBackoff(), 0)  # the core retries, with a new address
    if address.kind == "sentinel":
        options["host"], options["port"] = _primary(address, options)
    elif address.kind == "cluster":
        options["host"], options["port"] = _node(address, options, how.key)
    return redis.Redis.from_pool(redis.ConnectionPool(**_checked(options)))


async def dial_async(url: str, how: Dialling) -> redis.asyncio.Redis:
    """The same for asyncio."""
    address, options = _options(url, how, redis.asyncio.connection.parse_url)
    options["retry"] = redis.asyncio.retry.Retry(NoBackoff(), 0)
    if address.kind == "sentinel":
        options["host"], options["port"] = await _primary_async(address, options)
    elif address.kind == "cluster":
        options["host"], options["port"] = await _node_async(address, options, how.key)
    return redis.asyncio.Redis.from_pool(redis.asyncio.ConnectionPool(**_checked(options)))


def _options(url: str, how: Dialling, read: Any) -> tuple[Address, dict[str, Any]]:
    try:
        address = parse(with_tls(url, how.tls))
        options = address.options(read)
    except ConfigError as exc:  # whoever gives the address may give another the next time: the core asks again
        raise BrokerError(exc.where, exc.problem, exc.mend) from exc
    timeouts = {"socket_timeout": how.answer_s, "socket_connect_timeout": how.connect_s}
    fixed = {"decode_responses": False, "health_check_interval": 0}  # its PINGs are refused while a disk is full
    return address, {"client_name": "signals-client"} | options | timeouts | fixed


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """The options, if a connection can be made with them: redis-py looks at them only when it connects."""
    kind = options.get("connection_class", redis.Connection)
    try:
        kind(**{name: value for name, value in options.items() if name not in ("connection_class", "max_connections")})
    except (TypeError, ValueError, redis.RedisError) as exc:
        raise BrokerError("address of Redis", f"an option cannot be used ({exc})", "correct it after the ?") from exc
    return options


def _primary(address: Address, options: dict[str, Any]) -> tuple[str, int]:
    sentinel = redis.sentinel.Sentinel(address.hosts, sentinel_kwargs=address.for_sentinels(options))  # type: ignore[no-untyped-call]
    try:
        return sentinel.discover_master(address.service)  # type: ignore[no-any-return,no-untyped-call]
    finally:
        for each in sentinel.sentinels:
            each.close()


async def _primary_async(address: Address, options: dict[str, Any]) -> tuple[str, int]:
    known = address.for_sentinels(options)
    sentinel = redis.asyncio.sentinel.Sentinel(address.hosts, sentinel_kwargs=known)  # type: ignore[no-untyped-call]
    try:
        return await sentinel.discover_master(address.service)  # type: ignore[no-any-return]
    finally:
        for each in sentinel.sentinels:
            await each.aclose()


def _node(address: Address, options: dict[str, Any], key: str) -> tuple[str, int]:
    nodes = [redis.cluster.ClusterNode(host, port) for host, port in address.hosts]  # type: ignore[no-untyped-call]
    try:
        cluster = redis.cluster.RedisCluster(startup_nodes=nodes, **address.for_nodes(options))
        try:
            node = cluster.get_node_from_key(key)  # type: ignore[no-untyped-call]
        finally:
            cluster.close()
    except RedisClusterException as exc:
        raise redis.ConnectionError(str(exc)) from exc
    return _place_of(node)


async def _node_async(address: Address, options: dict[str, Any], key: str) -> tuple[str, int]:
    nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in address.hosts]
    try:
        cluster = redis.asyncio.cluster.RedisCluster(startup_nodes=nodes, **address.for_nodes(options))
        try:
            await cluster.initialize()
            node = cluster.get_node_from_key(key)
        finally:
            await cluster.aclose()
    except RedisClusterException as exc:
        raise redis.ConnectionError(str(exc)) from exc
    return _place_of(node)


def _place_of(node: Any) -> tuple[str, int]:
    if node is None:
        raise redis.ConnectionError("no node of the cluster has the keys")
    return node.host, node.port
