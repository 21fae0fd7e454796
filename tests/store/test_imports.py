"""Imports and the headlines they bring, as they are kept."""

import msgspec

from signals.store import Store, headlines, imports, withdrawals
from signals.store.imports import Import

from .conftest import DAY, MINUTE, NOW, make_headline


def test_an_import_is_remembered_as_it_stands(store: Store) -> None:
    """What was saved last is found; an import never begun is not."""
    begun = Import(import_id="i", name="a.csv", counts={"rows": 1}, started_at=NOW, updated_at=NOW)
    far = msgspec.structs.replace(begun, position=5, counts={"rows": 5, "refused": {}}, ended_at=NOW + MINUTE)
    with store.write() as conn:
        imports.save(conn, begun)
        imports.save(conn, far)
    with store.read() as conn:
        assert imports.find(conn, "i") == far
        assert imports.find(conn, "j") is None


def test_history_waits_apart_from_news(store: Store) -> None:
    """Imported headlines are asked for by themselves; one that is news already stays news."""
    news, past = make_headline(1), make_headline(2, NOW - DAY, backfilled=True)
    with store.write() as conn:
        headlines.add(conn, [news])
        assert headlines.add(conn, [past, news], imported=True) == 1
        assert headlines.waiting(conn, limit=9) == [news]
        assert headlines.waiting(conn, limit=9, imported=True) == [past]
        assert headlines.history_waiting(conn) == 1
        headlines.mark_taken(conn, [], [], [], NOW)
        assert headlines.history_waiting(conn) == 1


def test_history_is_not_looked_for_in_a_sources_list(store: Store) -> None:
    """What was brought was never on its source's list, so that it can't vanish from there."""
    news = make_headline(1, item_id="a")
    with store.write() as conn:
        headlines.add(conn, [news])
        headlines.add(conn, [make_headline(2, item_id="b", backfilled=True)], imported=True)
        assert [one.headline_id for one in withdrawals.listed(conn, "wire", NOW - DAY)] == [news.headline_id]
