"""Redis' errors in the words of the house: where, what, and the mend; never a password."""

from urllib.parse import urlsplit

import redis
import redis.exceptions as faults
from redis.cluster import RedisCluster
from redis.sentinel import MasterNotFoundError, SentinelConnectionPool

from signals.errors import BrokerError

_SETTING = "SIGNALS_REDIS_URL"

FAULTS = (faults.RedisError, faults.RedisClusterException)
"""All that redis-py raises: some errors of its client for clusters have another root."""

REFUSALS = (faults.AuthenticationError, faults.AuthorizationError, faults.NoPermissionError)
"""Only a person can mend these."""

_PASSING = (
    faults.ConnectionError,
    faults.TimeoutError,
    faults.ClusterDownError,
    faults.AskError,
    faults.TryAgainError,
)
"""`AskError` (and `MovedError`): the keys moved to another node, which the next connection finds."""

_WORDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (REFUSALS[:2], "refuses the login", f"check the user and password in {_SETTING}"),
    (faults.NoPermissionError, "forbids this to its user", f"give the user in {_SETTING} the right to it"),
    (faults.ReadOnlyError, "is a read-only replica", f"point {_SETTING} at the primary"),
    (faults.OutOfMemoryError, "is out of memory", "raise its maxmemory"),
    (faults.BusyLoadingError, "is still loading its log", "wait for it"),
    (faults.MasterDownError, "is a replica that has lost its primary", f"point {_SETTING} at the primary"),
    (faults.ClusterDownError, "is a cluster that is down", "see its CLUSTER INFO: slots without a primary"),
    (faults.MovedError, "is one node of a cluster", f"write {_SETTING} as redis+cluster://HOST:PORT"),
    (faults.AskError, "no longer has the keys", "wait: the cluster is asked for their node again"),
    (faults.TryAgainError, "is a cluster that moves our slot", "wait for it"),
    (MasterNotFoundError, "knows of no primary by that name", f"check the Sentinels and the name in {_SETTING}"),
    (faults.RedisClusterException, "is a cluster that cannot be reached", f"start it, or check {_SETTING}"),
    (faults.TimeoutError, "gave no answer in time", f"check the server and {_SETTING}"),
    (faults.ConnectionError, "cannot be reached", f"start it, or check {_SETTING}"),
    (faults.InvalidResponse, "does not speak the Redis protocol", f"check {_SETTING}"),
)
"""First match counts: the narrower errors stand before their parents."""

_TLS = (
    ("CERTIFICATE_VERIFY_FAILED", "has a certificate that is not trusted", "name its CA in SIGNALS_REDIS_CA"),
    ("CERTIFICATE_REQUIRED", "wants a certificate of ours", "set SIGNALS_REDIS_CERT and SIGNALS_REDIS_KEY"),
    ("UNKNOWN_CA", "does not trust our certificate", "give SIGNALS_REDIS_CERT one of a CA that it trusts"),
    (
        "EOF occurred in violation",
        "closed the TLS connection",
        "if it asks for ours, set SIGNALS_REDIS_CERT and _KEY",
    ),
    ("WRONG_VERSION_NUMBER", "does not speak TLS", f"write redis:// in {_SETTING}, or name its TLS port"),
    ("RECORD_LAYER_FAILURE", "does not speak TLS", f"write redis:// in {_SETTING}, or name its TLS port"),
)
"""By OpenSSL's words for it, wherever they stand in the error."""
_CODES = (
    ("MISCONF", "cannot write to its disk", "see the server's log"),
    ("NOREPLICAS", "has too few replicas to write", "start them, or lower its min-replicas-to-write"),
    ("CLUSTERDOWN", "is a cluster that is down", "see its CLUSTER INFO: slots without a primary"),
)
"""Errors that redis-py has no class for, by the word they begin with."""


def broker_error(where: str, fault: Exception) -> BrokerError:
    """The house's error for one of redis-py's. `where` is an address without its password."""
    for words, problem, mend in _TLS:
        if words in str(fault):
            return BrokerError(where, f"{problem} ({_first_line(fault)})", mend)
    for kinds, problem, mend in _WORDS:
        if isinstance(fault, kinds):
            detail = _first_line(fault)
            return BrokerError(where, f"{problem} ({detail})" if detail else problem, mend)
    for code, problem, mend in _CODES:
        if str(fault).startswith(code):
            return BrokerError(where, f"{problem} ({_first_line(fault)})", mend)
    return BrokerError(where, _first_line(fault) or type(fault).__name__)


def may_pass(fault: redis.RedisError) -> bool:
    """Whether a fault may be over by itself, so that a client tries again."""
    return isinstance(fault, _PASSING) and not isinstance(fault, REFUSALS)


def _first_line(fault: Exception) -> str:
    return str(fault).strip().partition("\n")[0].rstrip(".")


def safe_url(url: str) -> str:
    """An address without password and query.

    >>> safe_url("redis://bot:secret@127.0.0.1:6379/0?password=secret")
    'redis://bot@127.0.0.1:6379/0'
    """
    parts = urlsplit(url)
    login, _, host = parts.netloc.rpartition("@")
    user = login.partition(":")[0]
    return f"{parts.scheme}://{user}@{host}{parts.path}" if user else f"{parts.scheme}://{host}{parts.path}"


def address_of(client: redis.Redis) -> str:
    """Where a redis-py client is connected to, as an address without its password."""
    if isinstance(client, RedisCluster):
        nodes = sorted(client.nodes_manager.startup_nodes)
        return f"redis+cluster://{','.join(nodes[:3])}"
    pool = client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        each = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]
        hosts = ",".join(sorted(f"{one['host']}:{one['port']}" for one in each))
        return f"redis+sentinel://{hosts}/{pool.service_name}"
    options = pool.connection_kwargs
    if "path" in options:
        return f"unix://{options['path']}"
    scheme = "rediss" if issubclass(pool.connection_class, redis.SSLConnection) else "redis"
    return f"{scheme}://{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db') or 0}"
