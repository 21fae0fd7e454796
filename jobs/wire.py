"""Where Redis is and what signs messages, from the environment: nothing of it stands in a file of settings."""

from collections.abc import Mapping
from pathlib import Path

from signals.delivery.address import Tls, parse, with_tls
from signals.delivery.signing import signer, verifier
from signals.errors import ConfigError

TLS = ("SIGNALS_REDIS_CA", "SIGNALS_REDIS_CERT", "SIGNALS_REDIS_KEY")


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
