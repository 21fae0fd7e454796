"""Addresses of Redis in every form, and a client for each.

    redis://[USER:PASSWORD@]HOST:PORT[/DB]      rediss:// the same with TLS      unix://PATH
    redis+sentinel://HOST:PORT,HOST:PORT/NAME   the primary that Sentinel names, whichever it is by then
    redis+cluster://HOST:PORT,HOST:PORT         a cluster, by any of its nodes
    rediss+sentinel:// rediss+cluster://        the same with TLS

What follows `?` is redis-py's own: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `db`, …; the Sentinels' own
login is `sentinel_username` and `sentinel_password`. It depends on nothing of ours but the errors, and loads
redis-py only to open.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit, urlunsplit

from signals.errors import ConfigError

if TYPE_CHECKING:
    import redis

_PLAIN = ("redis", "rediss", "unix")
_MANY = ("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
_PORTS = {"sentinel": 26379, "cluster": 6379}
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_WHERE = "address of Redis"
_MEND = "write it as redis://HOST:PORT, or as README's settings show"


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

    parts = check_address(url)
    if parts.scheme in _PLAIN:
        return redis.Redis.from_url(url, **options)
    kind = parts.scheme.partition("+")[2]
    told = options | _options(parts)
    return _sentinel(parts, told) if kind == "sentinel" else _cluster(parts, told)


def check_address(url: str) -> SplitResult:
    """The parts of an address that can be opened.

    Raises
    ------
    ConfigError : it cannot. The message holds nothing of it, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        hosts = _hosts(parts)
    except ValueError as exc:
        raise ConfigError(_WHERE, "has a port that is no number", _MEND) from exc
    if parts.scheme not in (*_PLAIN, *_MANY):
        raise ConfigError(_WHERE, f"begins with none of {', '.join((*_PLAIN, *_MANY))}", _MEND)
    if parts.scheme in _MANY and not all(host for host, _ in hosts):
        raise ConfigError(_WHERE, "names no host", _MEND)
    if parts.scheme.endswith("+sentinel") and not parts.path.strip("/"):
        mend = "write redis+sentinel://HOST:26379,HOST:26379/NAME"
        raise ConfigError(_WHERE, "does not say which primary the Sentinels should name", mend)
    query = parse_qs(parts.query)
    for name in _FILES:
        for path in query.get(name, ()):
            if not Path(path).is_file():
                raise ConfigError(path, "no such file", f"{name} in the address of Redis names it")
    return parts


def with_tls(url: str, ca: Path | None = None, cert: Path | None = None, key: Path | None = None) -> str:
    """The same address with these files: whose certificates to trust, and our own certificate and key.

    >>> with_tls("rediss://10.0.0.1:6380", ca=Path("/etc/ca.pem"))
    'rediss://10.0.0.1:6380?ssl_ca_certs=%2Fetc%2Fca.pem'
    """
    parts = urlsplit(url)
    files = {name: str(path) for name, path in zip(_FILES, (ca, cert, key), strict=True) if path is not None}
    query = "&".join(filter(None, (parts.query, urlencode(files))))
    return urlunsplit(parts._replace(query=query))


def uses_tls(url: str) -> bool:
    """Whether the connection is to be encrypted."""
    return urlsplit(url).scheme.startswith("rediss")


def _hosts(parts: SplitResult) -> list[tuple[str, int]]:
    default = _PORTS.get(parts.scheme.partition("+")[2], 6379)
    each = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    return [(host.hostname or "", host.port or default) for host in each]


def _options(parts: SplitResult) -> dict[str, Any]:
    """What redis-py makes of login and query; the hosts and the path are ours to read."""
    from redis.connection import parse_url

    login, at, _ = parts.netloc.rpartition("@")
    try:
        told = cast("dict[str, Any]", parse_url(f"redis://{login}{at}host?{parts.query}"))  # type: ignore[no-untyped-call]
    except ValueError as exc:
        raise ConfigError(_WHERE, str(exc), _MEND) from exc
    told.pop("host")
    return told | ({"ssl": True} if parts.scheme.startswith("rediss") else {})


def _sentinel(parts: SplitResult, told: dict[str, Any]) -> "redis.Redis":
    from redis.sentinel import Sentinel

    own = {key.removeprefix("sentinel_"): told.pop(key) for key in list(told) if key.startswith("sentinel_")}
    shared = {key: value for key, value in told.items() if key.startswith(("socket_", "ssl"))}
    finder = Sentinel(_hosts(parts), sentinel_kwargs=shared | own, **told)  # type: ignore[no-untyped-call]
    return cast("redis.Redis", finder.master_for(unquote(parts.path.strip("/"))))  # type: ignore[no-untyped-call]


def _cluster(parts: SplitResult, told: dict[str, Any]) -> "redis.Redis":
    from redis.cluster import ClusterNode, RedisCluster

    from signals.delivery.faults import FAULTS, broker_error, safe_url

    nodes = [ClusterNode(host, port) for host, port in _hosts(parts)]  # type: ignore[no-untyped-call]
    try:
        return cast("redis.Redis", RedisCluster(startup_nodes=nodes, **told))
    except FAULTS as exc:
        raise broker_error(safe_url(urlunsplit(parts)), exc) from exc
