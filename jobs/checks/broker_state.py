"""What Redis says of itself and of us. Nothing is written there: the one writing command that is tried adds nothing."""

import contextlib
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from jobs.settings import Settings
from signals.delivery import acl
from signals.delivery.endpoints import endpoint
from signals.errors import BrokerError, SignalsError

_ANSWER_S = 2.0


class BrokerState(NamedTuple):
    """A server, as it is found. Null: it does not say, or not to us."""

    where: str
    """Its address without a password."""
    program: str | None
    user: str | None
    write_fault: SignalsError | None
    """Why we may not write there; null where we may."""
    persists: bool | None
    persistence_fault: str | None
    policy: str | None
    used_bytes: int | None
    limit_bytes: int | None
    """Null also where there is none."""
    last: tuple[str, int] | None
    """Epoch and `seq` of the last message in the log; null where there is none."""
    offset_s: float
    """How far its clock is ahead of ours, in seconds."""


def address(settings: Settings) -> str | None:
    """Where this home's Redis is said to be, with its login; null where none is. Starts nothing.

    Raises
    ------
    BrokerError : a file of the home cannot be used.
    """
    if settings.redis_url:
        return settings.redis_url
    found = endpoint(settings.home, "redis")
    secret = acl.password(settings.home) if found else None
    return acl.with_login(found, acl.PUBLISHER, secret) if found and secret else found


def broker_state(settings: Settings, clock: Callable[[], dt.datetime]) -> BrokerState | None:
    """Ask it; null where this home has none now.

    Raises
    ------
    BrokerError : it cannot be reached, or refuses us.
    ConfigError : its address cannot be used.
    """
    url = address(settings)
    if url is None:
        return None
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from signals.delivery.faults import FAULTS, broker_error, safe_url
    from signals.delivery.opening import open_redis

    where = safe_url(url)
    try:
        retry = Retry(NoBackoff(), 0)
        timeouts = {"socket_timeout": _ANSWER_S, "socket_connect_timeout": _ANSWER_S}
        with contextlib.closing(open_redis(url, retry=retry, **timeouts)) as client:
            return _asked(client, where, clock)
    except FAULTS as error:
        raise broker_error(where, error) from error


def _asked(client: Any, where: str, clock: Callable[[], dt.datetime]) -> BrokerState:
    from signals.delivery.publisher import Publisher

    last = Publisher(client).state()
    before = clock()
    seconds, micros = client.time()
    middle = before + (clock() - before) / 2
    info = _told(client, lambda: client.info()) or {}
    program = info.get("valkey_version") and f"Valkey {info['valkey_version']}"
    program = program or (info.get("redis_version") and f"Redis {info['redis_version']}")
    failing = [name for name in ("aof_last_write_status", "rdb_last_bgsave_status") if info.get(name, "ok") != "ok"]
    return BrokerState(
        where=where,
        program=program or None,
        user=_user(client),
        write_fault=_write_fault(client, where),
        persists=bool(info["aof_enabled"]) if "aof_enabled" in info else None,
        persistence_fault=failing[0] if failing else None,
        policy=info.get("maxmemory_policy"),
        used_bytes=info.get("used_memory"),
        limit_bytes=info.get("maxmemory") or None,
        last=last,
        offset_s=int(seconds) + int(micros) / 1e6 - middle.timestamp(),
    )


def _told(client: Any, ask: Callable[[], Any]) -> Mapping[str, Any] | None:
    """An answer; null where the server does not give it to us."""
    from redis.exceptions import NoPermissionError, ResponseError

    try:
        answer = ask()
    except (NoPermissionError, ResponseError):
        return None
    return _first_node(answer) if isinstance(answer, dict) else cast(Mapping[str, Any], answer)


def _first_node(answer: dict[str, Any]) -> dict[str, Any]:
    """A cluster answers by node: then the first one's."""
    nested = [one for one in answer.values() if isinstance(one, dict) and "redis_version" in one]
    return nested[0] if nested else answer


def _user(client: Any) -> str | None:
    who: Any = _told(client, lambda: client.acl_whoami())
    if who is None:
        mine: Any = _told(client, lambda: client.client_info())
        who = mine.get("user") if mine else None
    return who.decode() if isinstance(who, bytes) else who


def _write_fault(client: Any, where: str) -> BrokerError | None:
    """Try a command that writes where there is something to write to, on a key that is not there."""
    from signals.delivery.faults import FAULTS, broker_error
    from signals.delivery.keys import keys_of

    nothing = f"{keys_of().log}:nothing"
    try:
        client.xadd(nothing, {"nothing": "nothing"}, nomkstream=True)
    except FAULTS as error:
        return broker_error(where, error)
    return None
