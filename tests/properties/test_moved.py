"""A store that is moved to another database and back: nobody who follows the signals sees a break."""

import contextlib
import datetime as dt

from jobs import publish
from jobs.app import App
from jobs.catalogue import runner_for
from signals.model import Headline
from signals.research.replay import replay
from signals.store import Store, archive, bars, headlines, moving, signals
from tests.jobs.test_replay import live
from tests.properties.conftest import START, service

NEWS = "SNB stuns markets: Fed, BOJ and SNB agree to sell dollars for yen"


def fresh(at: dt.datetime) -> Headline:
    """News that nobody had told before."""
    return Headline(
        headline_id="next", source="wire", url=None, title=NEWS, lang="en", source_published_at=at, known_at=at
    )


def replayed(app: App) -> list[str]:
    """The messages that a replay of the store gives."""
    with app.store.read() as conn:
        epoch, _ = signals.channel_state(conn, "USDJPY")
        taken = list(archive.steps(conn))
        kept = bars.closed_within(conn, [(START - dt.timedelta(days=9), app.clock())])
    again = replay(taken, kept, scorer=app.scorer, policy=app.settings.policy, events=app.settings.events)
    told = ((at, one) for at, one, history in again if not history)
    return [publish.encode(at, one, epoch, seq).event.decode() for seq, (at, one) in enumerate(told, 1)]


def outbox(app: App) -> list[str]:
    """The messages that were told."""
    with app.store.read() as conn:
        return [row.event.decode() for row in signals.tail(conn, after_seq=0, limit=10_000)]


def test_a_store_moves_to_postgres_and_back(tmp_path, clock, model, databases):
    """The same rows and the same bytes on either side; the service goes on there with the next `seq` of its epoch."""
    home = tmp_path / "home"
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(databases.one())
        with service(home, clock, model) as app:
            live(app, clock)
            told, held = outbox(app), moving.digests(app.store)
            with contextlib.closing(Store.open(url)) as there:
                assert moving.copy(app.store, there) == held
        with service(home, clock, model, url) as moved:
            assert moving.digests(moved.store) == held
            assert replayed(moved) == outbox(moved) == told
            with moved.store.write() as conn:
                headlines.add(conn, [fresh(clock())])
            assert runner_for(moved).run("publish", "manual").outcome == "ok"
            more, held = outbox(moved), moving.digests(moved.store)
            client = stack.enter_context(contextlib.closing(moved.redis()))
            logged = [fields[b"event"].decode() for _, fields in client.xrange("signals:{usdjpy}:log")]
        back = f"sqlite:///{tmp_path / 'back.db'}"
        with contextlib.closing(Store.open(url)) as there, contextlib.closing(Store.open(back)) as here:
            assert moving.copy(there, here) == held
        with service(home, clock, model, back) as again:
            assert replayed(again) == outbox(again) == more
    assert more[: len(told)] == told
    assert len(more) > len(told) > 20
    assert logged == more
    assert {table.table for table in held if not table.rows} <= {"imports", "feed_states", "source_days", "alerts",
        "notices", "watches", "job_pauses", "forward_returns", "leases", "members"}  # fmt: skip
