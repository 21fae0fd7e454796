"""Alerts and what is to be sent of them, as the store keeps them."""

import datetime as dt
import threading

import msgspec
import pytest
import sqlalchemy as sa

from signals.errors import StoreError
from signals.store import Store, alerts, notices, outlook
from signals.store.alerts import Alert
from signals.store.database import impatient
from signals.store.notices import Notice

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


def alert(name: str = "a", **fields: object) -> Alert:
    given = {"key": "source:boj", "opened_at": NOW, "first_seen_at": NOW, "last_seen_at": NOW} | fields
    return Alert(alert_id=name, severity="warning", text="t", mend="m", **given)  # type: ignore[arg-type]


def notice(name: str, way: str = "redis", at: dt.datetime = NOW) -> Notice:
    return Notice(name, way, at, b"{}", next_try_at=at)


def test_an_alert_is_kept_as_it_is(store: Store) -> None:
    """Every field comes back, and saving it again changes it."""
    full = alert(clear_since=NOW, repeated_at=NOW + MINUTE)
    with store.write() as conn:
        assert alerts.save(conn, full)
        assert alerts.standing(conn) == [full]
        closed = msgspec.structs.replace(full, closed_at=NOW + 2 * MINUTE)
        assert alerts.save(conn, closed)
        assert alerts.standing(conn) == []
        assert alerts.told(conn, limit=9) == [closed]


def test_of_each_key_one_stands(store: Store) -> None:
    """A second one of the key is refused while the first stands, and taken once it is closed."""
    with store.write() as conn:
        assert alerts.save(conn, alert("a"))
        assert not alerts.save(conn, alert("b"))
        assert alerts.save(conn, alert("c", key="broker"))
        alerts.save(conn, alert("a", closed_at=NOW))
        assert alerts.save(conn, alert("b"))


def test_what_is_told_of(store: Store) -> None:
    """What was never opened is no alert yet; closed ones are left out on request, and by time."""
    with store.write() as conn:
        alerts.save(conn, alert("pending", key="disk", opened_at=None))
        alerts.save(conn, alert("open", key="broker"))
        alerts.save(conn, alert("closed", key="clock", opened_at=NOW - DAY, closed_at=NOW - MINUTE))
        assert [one.alert_id for one in alerts.told(conn, limit=9)] == ["open", "closed"]
        assert [one.alert_id for one in alerts.told(conn, limit=9, closed=False)] == ["open"]
        assert [one.alert_id for one in alerts.told(conn, limit=9, since=NOW)] == ["open"]
        alerts.drop(conn, "pending")
        assert [one.alert_id for one in alerts.standing(conn)] == ["open"]
        assert alerts.thin(conn, NOW) == 1
        assert [one.alert_id for one in alerts.told(conn, limit=9)] == ["open"]


def claimed(store: Store, way: str = "redis", at: dt.datetime = NOW) -> Notice | None:
    with store.write() as conn:
        return notices.claim(conn, way, at, at + MINUTE, at - DAY)


def test_a_notice_is_claimed_by_one(store: Store) -> None:
    """Nobody else gets it until the claim is over; then, if it was not sent, whoever comes."""
    with store.write() as conn:
        assert notices.add(conn, [notice("n"), notice("n", "webhook"), notice("n")]) == 2
    first = claimed(store)
    assert first is not None
    assert (first.notice_id, first.tries) == ("n", 1)
    assert claimed(store) is None
    again = claimed(store, at=NOW + 2 * MINUTE)
    assert again is not None
    assert again.tries == 2
    with store.write() as conn:
        notices.end(conn, again._replace(sent_at=NOW))
        assert [one.way for one in notices.waiting(conn, ["redis", "webhook"], NOW - DAY)] == ["webhook"]
    assert claimed(store, at=NOW + 9 * MINUTE) is None


def test_of_many_who_claim_at_once_one_gets_it(store: Store) -> None:
    """Eight threads, one notice."""
    with store.write() as conn:
        notices.add(conn, [notice("n")])
    gate, got = threading.Barrier(8), []

    def claim() -> None:
        gate.wait()
        got.append(claimed(store))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in got if one]) == 1


def test_notices_go_in_their_order(store: Store) -> None:
    """One that waits for its next try holds up those after it, of its own way alone; what is too old is passed over."""
    with store.write() as conn:
        notices.add(
            conn, [notice("old", at=NOW - 2 * DAY), notice("a"), notice("b", at=NOW + MINUTE), notice("c", "x")]
        )
        first = notices.claim(conn, "redis", NOW, NOW + MINUTE, NOW - DAY)
        assert first is not None
        assert first.notice_id == "a"
        notices.end(conn, first._replace(error="away", next_try_at=NOW + 9 * MINUTE))
    assert claimed(store, at=NOW + 2 * MINUTE) is None
    assert claimed(store, "x") is not None
    with store.read() as conn:
        (told,) = notices.waiting(conn, ["redis"], NOW - DAY)
    assert (told.number, told.oldest_at, told.error) == (2, NOW, "away")


def test_old_notices_are_thinned(store: Store) -> None:
    """Sent or not."""
    with store.write() as conn:
        notices.add(conn, [notice("a", at=NOW - DAY), notice("b")])
        assert notices.thin(conn, NOW) == 1


def test_a_watch_says_when_it_last_judged(store: Store) -> None:
    """The newest counts, whoever comes last."""
    with store.write() as conn:
        assert outlook.watched_at(conn, "w") is None
        for at in (NOW, NOW + MINUTE, NOW):
            outlook.watch(conn, "w", at)
        assert outlook.watched_at(conn, "w") == NOW + MINUTE


def test_who_must_not_wait_does_not(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A locked SQLite file is an error at once for the impatient, whose address keeps all else."""
    url = f"sqlite:///{tmp_path / 's.db'}"
    patient, quick = Store.open(url), Store.open(impatient(url, 0.01))
    with patient.write(), pytest.raises(StoreError, match="locked"), quick.write():
        pass
    patient.close()
    quick.close()
    remote = sa.make_url(impatient("postgresql+psycopg://u:p@h/d?sslmode=require", 3))
    waits = {"connect_timeout": "3", "options": "-c lock_timeout=3000ms"}
    assert (dict(remote.query), remote.password) == ({"sslmode": "require"} | waits, "p")
    assert sa.make_url(impatient(f"{url}?timeout=0.001", 3)).query["timeout"] == "0.001"
