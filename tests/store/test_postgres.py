"""The store on a real PostgreSQL, reached by its URL alone."""

from collections.abc import Iterator

import pytest

from signals.store import Store, signals
from tests import postgres
from tests.store.conftest import CHANNEL, NOW


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    """A server of these tests' own."""
    with postgres.server() as made:
        yield made


def test_a_store_is_made_by_its_url(server: postgres.Postgres) -> None:
    """An empty database gets its tables, and is found as it was left."""
    url = server.url(server.create())
    for _ in range(2):
        store = Store.open(url)
        with store.write() as conn:
            epoch, last_seq = signals.open_channel(conn, CHANNEL, NOW)
        store.close()
    assert (len(epoch) > 0, last_seq) == (True, 0)
