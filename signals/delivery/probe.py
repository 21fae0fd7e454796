"""A home's own server as its processes find it: whether it is ready and ours, and its opening to everybody."""

import contextlib
import datetime as dt
from pathlib import Path
from typing import Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from signals.delivery import acl
from signals.delivery.faults import FAULTS, REFUSALS, address_of, broker_error
from signals.delivery.keys import keys_of

ANSWER_S = 1.0
"""How long a server may take to answer before it counts as none."""

Seen = Literal["ours", "refused", "none"]


def look(url: str, home: Path, folder: Path) -> Seen:
    """Whether a server answers there, has loaded its log, knows this home's password, and keeps its data in `folder`.

    `refused`: it is there, and does not know the password.
    """
    secret = acl.password(home)
    try:
        with contextlib.closing(_client(url, secret)) as client:
            client.dbsize()  # refused while it loads; PING also while its disk is full, when it still answers
            ours = Path(str(client.config_get("dir").get("dir"))) == folder.resolve()
    except REFUSALS:
        return "refused"
    except (redis.RedisError, ValueError):  # nobody, a stranger, no Redis at all, no address
        return "none"
    return "none" if not ours else "ours" if secret else "refused"


def server_time(client: redis.Redis) -> dt.datetime | None:
    """The server's own time, UTC; null where it keeps that from its user, or is many (a cluster).

    Raises
    ------
    BrokerError : it does not serve us.
    """
    try:
        client.exists(keys_of().seq)  # all that bots rest on; PING is refused where the disk is full
    except FAULTS as exc:
        raise broker_error(address_of(client), exc) from exc
    try:
        seconds, micros = client.time()
    except (*FAULTS, ValueError, TypeError):
        return None
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC) + dt.timedelta(microseconds=int(micros))


def open_to_all(url: str, home: Path, port: int | None = None) -> None:
    """Let strangers read, and move the server to this port.

    Raises
    ------
    redis.RedisError : the server is gone, or the port taken.
    """
    with contextlib.closing(_client(url, acl.password(home))) as client:
        client.execute_command("ACL", "SETUSER", *acl.STRANGER)  # type: ignore[no-untyped-call]
        if port is not None:
            client.config_set("port", port)


def _client(url: str, secret: str | None) -> redis.Redis:
    return redis.Redis.from_url(
        acl.with_login(url, acl.PUBLISHER, secret) if secret else url,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
