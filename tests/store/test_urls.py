"""Addresses of databases: what is wrong with one is said, what is secret in it is not."""

import socket
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from signals.errors import ConfigError, StoreError
from signals.store import Store


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine that is taken, so that nobody else can listen there, and refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


PASSWORD = "hun-ter2"
SERVERS = [
    f"postgresql+psycopg://bob:{PASSWORD}@127.0.0.1:PORT/signals",
    f"postgresql+psycopg://127.0.0.1:PORT/signals?user=bob&password={PASSWORD}",
    f"postgresql+psycopg://bob:{PASSWORD}@127.0.0.1:PORT/signals?connect_timeout=never",
]


@pytest.mark.parametrize("url", SERVERS)
def test_a_server_that_is_not_there_and_the_password_to_it(url: str, closed_port: int) -> None:
    """A refused connection is a `StoreError`; wherever in the URL the password stands, nothing prints it."""
    with pytest.raises(StoreError) as raised:
        Store.open(url.replace("PORT", str(closed_port)))
    assert "127.0.0.1" in raised.value.where
    assert PASSWORD not in f"{raised.value}{raised.value!r}{raised.value.args}{raised.value.__cause__}"


@pytest.mark.parametrize("url", SERVERS)
def test_a_store_has_a_name_without_secrets(url: str) -> None:
    """What the console and the log show of a database is where it is, not how to get in."""
    store = Store(sa.create_engine(url.replace("PORT", "5432")))
    assert store.name.endswith("127.0.0.1:5432/signals")
    assert PASSWORD not in f"{store.name}{store!r}{store}"


BAD_URLS = [
    "",
    "signals.db",
    f"oracle9://bob:{PASSWORD}@127.0.0.1/signals",
    f"mysql+nosuchdriver://bob:{PASSWORD}@127.0.0.1/signals",
    f"postgresql+psycopg://bob:{PASSWORD}@127.0.0.1:five/signals",
    f"postgresql+psycopg://bob:x@y:{PASSWORD}@127.0.0.1/signals",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_cannot_be_used(url: str) -> None:
    """A mistake in the setting is a `ConfigError` that names it, the mend, and not the password."""
    with pytest.raises(ConfigError, match=r"^SIGNALS_DATABASE_URL: ") as raised:
        Store.open(url)
    assert raised.value.mend
    assert PASSWORD not in f"{raised.value}{raised.value!r}"
