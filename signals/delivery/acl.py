"""Who may do what on a home's own server: the users, their rights, and the files with their passwords.

A stranger on 127.0.0.1 is the `default` user: it subscribes and reads what is published, nothing else.
Whoever may more needs a password, made at first start and kept in the home, readable by its owner
alone. It stands on no command line and in no message; the server is given only its SHA-256.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from signals.errors import BrokerError

PUBLISHER = "publisher"
BOT = "bot"
PUSHER = "pusher"

_READ = (
    "resetkeys resetchannels &signals.* %R~signals:{*}:* -@all "
    # `+client|setinfo` would be less, but Redis 7.0 knows no such command and refuses the whole file.
    "+client -@admin -@dangerous -client|tracking -client|caching -client|reply "
    "+subscribe +psubscribe +unsubscribe +punsubscribe +xread +xrange +xrevrange +xlen +xinfo|stream "
    "+get +ttl +pttl +exists +ping +hello +select +quit"
)
"""The braces leave out `signals:inbox`: a paid wire's news is nobody else's."""
_GROUPS = "%RW~signals:{*}:log +xreadgroup +xack +xautoclaim +xpending +xgroup|create +xgroup|createconsumer"
"""Consumer groups write their state into the stream, though never an entry."""
_CLOSED = "off ~* &* +@all"
"""The default user while the server loads its log: nobody can be it, yet it may do all. Many servers (Redis 7.0, for
one) replay their own log in its name, and drop from it in silence the transactions that it may not do."""
_PUSH = "resetkeys resetchannels %W~signals:inbox -@all +xadd +ping +hello +select +quit"


class User(NamedTuple):
    """One user of the server, and the file in the home that holds its password."""

    name: str
    rights: str
    file: str


STRANGER = ("default", "reset", "on", "nopass", *_READ.split())
"""Words of ACL SETUSER that let strangers read."""
USERS = (
    User(BOT, f"{_READ} {_GROUPS}", "redis-password-bot"),
    User(PUSHER, _PUSH, "redis-password-pusher"),
    # The home's own processes start and end this server and own its files: its operator is the publisher.
    User(PUBLISHER, "~* &* +@all", "redis-password"),
)
_FILES = {user.name: user.file for user in USERS}


def write_users(home: Path, path: Path) -> None:
    """Write the server's ACL file, and make whatever password is missing. The caller holds the home's lock.

    With it the server starts closed to strangers: `STRANGER` opens it once its log is loaded.

    Raises
    ------
    OSError : a file cannot be read or written.
    BrokerError : a password file is empty, or others may read it.
    """
    lines = [f"user default reset {_CLOSED}\n"]
    for user in USERS:
        digest = hashlib.sha256(_kept(home, user).encode()).hexdigest()
        lines.append(f"user {user.name} reset on #{digest} {user.rights}\n")
    _write(path, "".join(lines))


def password(home: Path, user: str = PUBLISHER) -> str | None:
    """Password of a user of this home's server; null where none was made yet.

    Raises
    ------
    OSError : the file cannot be read.
    BrokerError : it is empty, or others may read it.
    """
    path = home / _FILES[user]
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    mend = "delete it: the next start of the server makes a new one"
    if mode & 0o077:
        raise BrokerError(str(path), "can be read by others", f"chmod 600, or {mend}")
    if not text:
        raise BrokerError(str(path), "is empty", mend)
    return text


def with_login(url: str, user: str, secret: str) -> str:
    """The same address for a user.

    >>> with_login("redis://127.0.0.1:6379", "publisher", "p@ss")
    'redis://publisher:p%40ss@127.0.0.1:6379'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(secret, safe='')}@{host}"))


def _kept(home: Path, user: User) -> str:
    known = password(home, user.name)
    if known is None:
        known = secrets.token_urlsafe(32)
        _write(home / _FILES[user.name], f"{known}\n")
    return known


def _write(path: Path, text: str) -> None:
    """Put a file in place at once, readable by its owner alone from the first byte."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
