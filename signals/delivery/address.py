"""Where Redis is: one server, what Sentinels watch, or a cluster, all written as one URL.

| URL | is |
|---|---|
| `redis://[USER:PASSWORD@]HOST:PORT/DB` | one server |
| `rediss://…` | the same over TLS |
| `unix:///path/to/socket` | one server on this machine |
| `redis+sentinel://HOST:26379,HOST2/SERVICE[/DB]` | the primary that Sentinels name |
| `redis+cluster://HOST:PORT,HOST2:PORT2` | the node of a cluster that holds the pair's keys |

`rediss+sentinel://` and `rediss+cluster://` speak TLS. The query may hold any option of redis-py, such as
`ssl_ca_certs=/path` (who signed the server's certificate), `ssl_certfile=` and `ssl_keyfile=` (ours);
`sentinel_username=` and `sentinel_password=` are for the Sentinels themselves.
"""

from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from signals.errors import BrokerError

_MEND = "write it as redis://HOST:PORT, rediss://…, redis+sentinel://HOST:26379/SERVICE or redis+cluster://HOST:PORT"
_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}


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
        given = {"ssl_ca_certs": self.ca, "ssl_certfile": self.certificate, "ssl_keyfile": self.key}
        return {name: str(path) for name, path in given.items() if path is not None}


class Address(NamedTuple):
    """A URL taken apart."""

    kind: Literal["single", "sentinel", "cluster"]
    hosts: tuple[tuple[str, int], ...]
    service: str
    url: str
    """Of one server, with login, database and options: what redis-py reads."""
    tls: bool
    sentinel_options: dict[str, str]


def parse(url: str) -> Address:
    """Take a URL apart.

    Raises
    ------
    BrokerError : it is none that we know; the message has no password.
    """
    try:
        parts = urlsplit(url)
        scheme, _, kind = parts.scheme.partition("+")
        if not kind:
            return Address("single", (), "", url, scheme == "rediss", {})
        if kind not in ("sentinel", "cluster") or scheme not in ("redis", "rediss"):
            raise ValueError(f"{parts.scheme}:// is no scheme of ours")
        return _several(scheme, kind, parts.netloc, parts.path, parts.query)  # type: ignore[arg-type]
    except ValueError as exc:
        raise BrokerError("Redis address", str(exc), _MEND) from exc


def _several(scheme: str, kind: Literal["sentinel", "cluster"], netloc: str, path: str, query: str) -> Address:
    login, at, names = netloc.rpartition("@")
    hosts = tuple(_host(name, _PORTS[kind]) for name in names.split(","))
    service, _, database = path.strip("/").partition("/") if kind == "sentinel" else ("", "", path.strip("/"))
    if kind == "sentinel" and not service:
        raise ValueError("a Sentinel address ends with the name of its service")
    if kind == "cluster" and database not in ("", "0"):
        raise ValueError("a cluster has no database but 0")
    options = parse_qsl(query, keep_blank_values=True)
    ours = [(name, value) for name, value in options if not name.startswith("sentinel_")]
    theirs = {name.removeprefix("sentinel_"): value for name, value in options if name.startswith("sentinel_")}
    host, port = hosts[0]
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    one = f"{scheme}://{login}{at}{place}/{database}?{urlencode(ours)}"
    return Address(kind, hosts, service, one, scheme == "rediss", theirs)


def _host(name: str, default: int) -> tuple[str, int]:
    host, colon, port = name.rpartition(":")
    if not colon or name.endswith("]"):
        host, port = name, str(default)
    if not host.strip("[]") or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("a host is written HOST or HOST:PORT, with a port from 1 to 65535")
    return host.strip("[]"), int(port)
