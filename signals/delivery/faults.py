"""Redis' errors in the words of the house: where, what, and the mend; never a password."""

from urllib.parse import urlsplit

import redis
import redis.exceptions as faults

from signals.errors import BrokerError

_SETTING = "SIGNALS_REDIS_URL"

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
    (faults.AskError, "no longer has the keys", "wait: the cluster is asked for their node again"),
    (faults.ReadOnlyError, "is a read-only replica", f"point {_SETTING} at the primary"),
    (faults.OutOfMemoryError, "is out of memory", "raise its maxmemory"),
    (faults.BusyLoadingError, "is still loading its log", "wait for it"),
    (faults.TimeoutError, "gave no answer in time", f"check the server and {_SETTING}"),
    (faults.ConnectionError, "cannot be reached", f"start it, or check {_SETTING}"),
    (faults.InvalidResponse, "does not speak the Redis protocol", f"check {_SETTING}"),
)
"""First match counts: the narrower errors stand before their parents."""


def broker_error(where: str, fault: redis.RedisError) -> BrokerError:
    """The house's error for one of redis-py's. `where` is an address without its password."""
    for kinds, problem, mend in _WORDS:
        if isinstance(fault, kinds):
            detail = _first_line(fault)
            return BrokerError(where, f"{problem} ({detail})" if detail else problem, mend)
    if str(fault).startswith("MISCONF"):
        return BrokerError(where, "cannot write to its disk", "see the server's log")
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
    options = client.connection_pool.connection_kwargs
    if "path" in options:
        return f"unix://{options['path']}"
    scheme = "rediss" if issubclass(client.connection_pool.connection_class, redis.SSLConnection) else "redis"
    return f"{scheme}://{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db') or 0}"
