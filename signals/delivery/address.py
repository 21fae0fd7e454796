"""Where Redis is: one server, what Sentinels watch, or a cluster, all written as one URL.

| URL | is |
|---|---|
| `redis://[USER:PASSWORD@]HOST:PORT/DB` | one server |
| `rediss://…` | the same over TLS |
| `unix:///path/to/socket` | one server on this machine |
| `redis+sentinel://HOST:26379,HOST2/SERVICE[/DB]` | the primary that Sentinels name |
| `redis+cluster://HOST:PORT,HOST2:PORT2` | a cluster, by any of its nodes |

`rediss+sentinel://` and `rediss+cluster://` speak TLS. The query may hold any option of redis-py, such as
`ssl_ca_certs=/path` (who signed the server's certificate), `ssl_certfile=` and `ssl_keyfile=` (ours);
`sentinel_username=` and `sentinel_password=` are for the Sentinels themselves.

Publisher and client read every address here, and dial apart. redis-py is not loaded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from signals.errors import ConfigError

Kind = Literal["single", "sentinel", "cluster"]

_WHERE = "address of Redis"
_MEND = "write it as redis://HOST:PORT, rediss://…, redis+sentinel://HOST:26379/SERVICE or redis+cluster://HOST:PORT"
_KINDS: dict[str, Kind] = {
    "redis": "single",
    "rediss": "single",
    "unix": "single",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
_PORTS: dict[Kind, int] = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_OF_ONE = frozenset({"host", "port", "connection_class"})
_THEIRS = "sentinel_"


class Tls(NamedTuple):
    """Certificates for `rediss`, as PEM files; what is null is left to the URL, then to the system."""

    ca: Path | None = None
    """Who signed the server's certificate."""
    certificate: Path | None = None
    """Ours, where the server asks for one."""
    key: Path | None = None
    """Of our certificate; null where it stands in the same file."""

    def options(self) -> dict[str, str]:
        """As redis-py calls them."""
        return {name: str(path) for name, path in zip(_FILES, self, strict=True) if path is not None}


class Dialling(NamedTuple):
    """How a client connects.

    Parameters
    ----------
    tls : certificates.
    answer_s, connect_s : seconds an answer and a connection may take.
    key : the node that has it is the one to read from, in a cluster.
    """

    tls: Tls
    answer_s: float
    connect_s: float
    key: str


class Address(NamedTuple):
    """A URL taken apart."""

    kind: Kind
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    """Sentinels, or nodes of a cluster; of one server, what `url` says."""
    service: str
    """What the Sentinels watch; empty elsewhere."""
    url: str
    """Of one server (the first of the hosts), with login, database and options: what redis-py reads."""
    sentinel_options: dict[str, str]
    """Of the Sentinels alone, as redis-py calls them."""

    def options(self, read: Callable[[str], Any]) -> dict[str, Any]:
        """For a connection to one server, as redis-py's `parse_url` (`read`) makes them.

        Raises
        ------
        ConfigError : an option has a value that is none.
        """
        try:
            return dict(read(self.url))
        except ValueError as exc:
            raise ConfigError(_WHERE, str(exc), _MEND) from exc

    def for_nodes(self, options: dict[str, Any]) -> dict[str, Any]:
        """The same for a client that finds the server itself."""
        out = _OF_ONE | {"db"} if self.kind == "cluster" else _OF_ONE
        left = {name: value for name, value in options.items() if name not in out}
        return left | ({"ssl": True} if self.tls else {})

    def for_sentinels(self, options: dict[str, Any]) -> dict[str, Any]:
        """Timeouts and certificates are those of the server, the login is their own; they have no databases."""
        left = self.for_nodes(options)
        return {name: left[name] for name in left if name not in ("username", "password", "db")} | self.sentinel_options


def parse(url: str) -> Address:
    """Take a URL apart.

    Raises
    ------
    ConfigError : it is none that we know, or names a file that is not there. The message holds nothing of its
        login.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError(_WHERE, "is not written as one", _MEND) from None  # the cause may quote the password
    kind = _KINDS.get(parts.scheme)
    if kind is None:
        raise ConfigError(_WHERE, f"begins with none of {', '.join(_KINDS)}", _MEND)
    options = parse_qsl(parts.query, keep_blank_values=True)
    for name, path in options:
        if name in _FILES and not Path(path).is_file():
            raise ConfigError(path, "no such file", f"{name} names a certificate or key in PEM form")
    hosts = tuple(_host(name, _PORTS[kind]) for name in parts.netloc.rpartition("@")[2].split(","))
    tls = parts.scheme.startswith("rediss")
    if kind == "single":
        return Address(kind, tls, (), "", url, {})
    if not all(host for host, _ in hosts):
        raise ConfigError(_WHERE, "names no host, or one without a name", _MEND)
    service, database = _path(parts, kind, dict(options))
    ours = [(name, value) for name, value in options if not name.startswith(_THEIRS)]
    theirs = {name.removeprefix(_THEIRS): value for name, value in options if name.startswith(_THEIRS)}
    return Address(kind, tls, hosts, service, _of_one(parts, hosts[0], database, ours), theirs)


def with_tls(url: str, tls: Tls) -> str:
    """The same address with these certificates, which go before those that it names.

    >>> with_tls("rediss://10.0.0.1:6380", Tls(ca=Path("/etc/ca.pem")))
    'rediss://10.0.0.1:6380?ssl_ca_certs=%2Fetc%2Fca.pem'

    Raises
    ------
    ConfigError : it does not speak TLS, or is no address.
    """
    given = tls.options()
    if not given:
        return url
    if not parse(url).tls:
        raise ConfigError(_WHERE, "certificates are given, and it does not speak TLS", "write it as rediss://…")
    parts = urlsplit(url)
    left = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in given]
    return urlunsplit(parts._replace(query=urlencode([*left, *given.items()])))


def _host(name: str, default: int) -> tuple[str, int]:
    host, colon, port = name.rpartition(":")
    if not colon or name.endswith("]"):
        host, port = name, str(default)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(_WHERE, "has a port that is no number from 1 to 65535", _MEND)
    return host.strip("[]"), int(port)


def _path(parts: SplitResult, kind: Kind, options: dict[str, str]) -> tuple[str, str]:
    """Service and database; where the query names a database, redis-py takes that one."""
    path = parts.path.strip("/")
    service, _, database = path.partition("/") if kind == "sentinel" else ("", "", path)
    if kind == "sentinel" and not service:
        raise ConfigError(_WHERE, "does not end with the service that the Sentinels watch", _MEND)
    if kind == "cluster" and {database or "0", options.get("db", "0")} != {"0"}:
        raise ConfigError(_WHERE, "names a database, and a cluster has none but 0", _MEND)
    return unquote(service), database


def _of_one(parts: SplitResult, place: tuple[str, int], database: str, options: list[tuple[str, str]]) -> str:
    login, at, _ = parts.netloc.rpartition("@")
    host, port = place
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    query = f"?{urlencode(options)}" if options else ""
    return f"{parts.scheme.partition('+')[0]}://{login}{at}{where}/{database}{query}"
