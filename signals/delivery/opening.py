"""A client for each form of `address`, as the service holds it: it goes along when primary or nodes change.

The bots' clients end at one node instead (`dial`). This loads redis-py only to open.
"""

from typing import TYPE_CHECKING, Any, cast

from signals.delivery.address import Address, parse

if TYPE_CHECKING:
    import redis


def open_redis(url: str, **options: Any) -> "redis.Redis":
    """A client for this address: it connects when first used, that of a cluster at once.

    Parameters
    ----------
    options : redis-py's own, as `socket_timeout` (seconds); what the address says goes before them.

    Raises
    ------
    ConfigError : the address is none, or names a file that is not there.
    BrokerError : no node of the cluster can be reached, or it refuses us.
    """
    import redis
    from redis.connection import parse_url

    address = parse(url)
    told = options | address.options(parse_url)
    if address.kind == "single":
        return redis.Redis.from_url(address.url, **options)
    if address.kind == "sentinel":
        return _sentinel(address, told)
    return _cluster(address, told, url)


def _sentinel(address: Address, told: dict[str, Any]) -> "redis.Redis":
    from redis.sentinel import Sentinel

    finder = Sentinel(address.hosts, sentinel_kwargs=address.for_sentinels(told), **address.for_nodes(told))  # type: ignore[no-untyped-call]
    return cast("redis.Redis", finder.master_for(address.service))  # type: ignore[no-untyped-call]


def _cluster(address: Address, told: dict[str, Any], url: str) -> "redis.Redis":
    from redis.cluster import ClusterNode, RedisCluster

    from signals.delivery.faults import FAULTS, broker_error, safe_url

    nodes = [ClusterNode(host, port) for host, port in address.hosts]  # type: ignore[no-untyped-call]
    try:
        return cast("redis.Redis", RedisCluster(startup_nodes=nodes, **address.for_nodes(told)))
    except FAULTS as exc:
        raise broker_error(safe_url(url), exc) from exc
