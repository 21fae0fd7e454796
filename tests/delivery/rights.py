"""What each user may and may not do, tried command by command."""

import redis

from .conftest import KEYS

INBOX = "signals:inbox"
CHANNEL = KEYS.channel

READS = (
    ("XREAD", "COUNT", 1, "STREAMS", KEYS.log, "0"), ("XRANGE", KEYS.log, "-", "+"), ("XREVRANGE", KEYS.log, "+", "-"),
    ("XLEN", KEYS.log), ("XINFO", "STREAM", KEYS.log), ("GET", KEYS.latest), ("GET", KEYS.index), ("GET", KEYS.seq),
    ("TTL", KEYS.latest), ("PTTL", KEYS.latest), ("EXISTS", KEYS.latest), ("PING",), ("HELLO", 2), ("CLIENT", "ID"),
    ("CLIENT", "SETNAME", "mine"), ("SELECT", 0), ("SUBSCRIBE", CHANNEL), ("PSUBSCRIBE", "signals.*"),
)  # fmt: skip
GROUPS = (
    ("XGROUP", "CREATE", KEYS.log, "desk", "0"), ("XGROUP", "CREATECONSUMER", KEYS.log, "desk", "me"),
    ("XREADGROUP", "GROUP", "desk", "me", "STREAMS", KEYS.log, ">"), ("XPENDING", KEYS.log, "desk"),
    ("XAUTOCLAIM", KEYS.log, "desk", "me", 0, "0"), ("XACK", KEYS.log, "desk", "1-1"),
)  # fmt: skip
WRITES = (
    ("PUBLISH", CHANNEL, "false"), ("XADD", KEYS.log, "*", "event", "false"), ("XDEL", KEYS.log, "1-1"),
    ("XTRIM", KEYS.log, "MAXLEN", 0), ("XSETID", KEYS.log, "9-9"), ("SET", KEYS.latest, "false"), ("DEL", KEYS.log),
    ("UNLINK", KEYS.seq), ("EXPIRE", KEYS.log, 1), ("RENAME", KEYS.log, KEYS.index), ("GETDEL", KEYS.latest),
    ("EVAL", "return 1", 0), ("MULTI",), ("SPUBLISH", CHANNEL, "false"),
)  # fmt: skip
NEWS = (("XADD", INBOX, "*", "headline", "{}"),)
SNOOPS = (
    ("XRANGE", INBOX, "-", "+"), ("XREAD", "STREAMS", INBOX, "0"), ("GET", "other"), ("SUBSCRIBE", "other"),
    ("PSUBSCRIBE", "*"), ("KEYS", "*"), ("SCAN", 0), ("RANDOMKEY",),
)  # fmt: skip
RULES = (
    ("FLUSHALL",), ("FLUSHDB",), ("CONFIG", "GET", "*"), ("CONFIG", "SET", "maxmemory", "1"), ("ACL", "LIST"),
    ("ACL", "SETUSER", "default", "+@all"), ("SHUTDOWN", "NOSAVE"), ("SAVE",), ("MONITOR",),
    ("CLIENT", "LIST"), ("CLIENT", "KILL", "ID", 1), ("CLIENT", "PAUSE", 1), ("CLIENT", "TRACKING", "ON"),
    ("REPLICAOF", "NO", "ONE"), ("SCRIPT", "FLUSH"), ("FUNCTION", "FLUSH"), ("MODULE", "LIST"), ("INFO",),
)  # fmt: skip
Command = tuple[str | int, ...]


def refused(url: str, commands: tuple[Command, ...]) -> list[Command]:
    """Those of the commands that the server forbids to the user of this address, each on a connection of its own."""
    told = []
    for command in commands:
        with redis.Redis.from_url(url, protocol=2) as client:
            connection = client.connection_pool.get_connection()
            connection.send_command(*command)
            try:
                connection.read_response()
            except redis.exceptions.NoPermissionError:
                told.append(command)
            except redis.exceptions.ResponseError as fault:  # allowed, though it came to nothing
                assert "wrong number" not in str(fault), command
                assert "unknown" not in str(fault).lower(), command
            finally:
                connection.disconnect()
    return told
