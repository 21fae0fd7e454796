"""Where Redis is, what signs messages and where alerts go: from the environment, and in no file of settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from signals.delivery.address import Tls, parse, with_tls
from signals.delivery.signing import signer, verifier
from signals.errors import ConfigError

TLS = ("SIGNALS_REDIS_CA", "SIGNALS_REDIS_CERT", "SIGNALS_REDIS_KEY")
WAYS = ("SIGNALS_WEBHOOK_URL", "SIGNALS_WEBHOOK_SECRET", "SIGNALS_APPRISE_URLS")
_SECRET_BYTES = 16


class Ways(NamedTuple):
    """Where alerts are sent besides Redis; secrets, so never shown."""

    webhook_url: str | None = None
    webhook_secret: str | None = None
    apprise_urls: tuple[str, ...] = ()


def redis_url(environ: Mapping[str, str]) -> str | None:
    """The address of Redis with the files for TLS in it; null for the embedded server."""
    url = environ.get("SIGNALS_REDIS_URL") or None
    tls = url is not None and _speaks_tls(url)
    files = {name: Path(environ[name]).expanduser().absolute() for name in TLS if environ.get(name)}
    for name, path in files.items():
        if not tls:
            raise ConfigError(name, "is for TLS only", "write SIGNALS_REDIS_URL as rediss://HOST:PORT")
        if not path.is_file():
            raise ConfigError(name, f"no such file: {path}", "name a file in PEM format")
    return None if url is None else with_tls(url, Tls(*(files.get(name) for name in TLS)))


def _speaks_tls(url: str) -> bool:
    try:
        return parse(url).tls
    except ConfigError as error:
        raise ConfigError("SIGNALS_REDIS_URL", f"{error.where} {error.problem}", error.mend) from error


def signing_key(environ: Mapping[str, str]) -> str | None:
    """The key, tried once so that a wrong one is told before anything runs; null where messages are not signed."""
    key = environ.get("SIGNALS_SIGNING_KEY") or None
    if key is not None:
        signer(key, "SIGNALS_SIGNING_KEY")
    return key


def verify_key(environ: Mapping[str, str]) -> str | None:
    """The key by which `signals watch` checks messages, tried once too; null where it checks none."""
    key = environ.get("SIGNALS_VERIFY_KEY") or None
    if key is not None:
        verifier(key, "SIGNALS_VERIFY_KEY")
    return key


def ways(environ: Mapping[str, str]) -> Ways:
    """Where alerts are sent besides Redis. Raises ConfigError for an address or a secret that cannot be used."""
    url, secret = environ.get(WAYS[0]) or None, environ.get(WAYS[1]) or None
    if url is not None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise ConfigError(WAYS[0], "is no address of a web server", "write it as https://HOST/PATH")
        if secret is None or len(secret.encode()) < _SECRET_BYTES:
            mend = f"set it to {_SECRET_BYTES} bytes or more, the same as at the receiver: it signs each alert"
            raise ConfigError(WAYS[1], "is missing or too short", mend)
    return Ways(url, secret, tuple((environ.get(WAYS[2]) or "").replace(",", " ").split()))
