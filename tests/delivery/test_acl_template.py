"""`config/deploy/redis-acl.conf` on a real server: every right that is needed, and not one more."""

import datetime as dt
import hashlib
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis

from jobs.scoring_worker import ScoringWorker
from jobs.settings import Workers
from signals.delivery import acl, wire
from signals.delivery.acl import BOT, PUSHER, with_login
from signals.delivery.client import connect
from signals.delivery.publisher import Publisher
from signals.delivery.server import find_server
from signals.model import Headline, Score
from signals.sources import inbox, rejects, scored
from tests.conftest import ROOT

from . import rights
from .conftest import KEYS, NOW, Clock, make_heartbeat, make_rows, seqs, there
from .rights import refused
from .servers import Server, running

TEMPLATE = ROOT / "config" / "deploy" / "redis-acl.conf"


def password_of(user: str) -> str:
    """What the tests log in with."""
    return f"{user}-of-the-tests"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped file with the tests' passwords in it."""
    made = tmp_path_factory.mktemp("deploy") / "redis-acl.conf"
    made.write_text(
        re.sub(
            r"#([A-Z]+)-SHA256",
            lambda match: f"#{hashlib.sha256(password_of(match[1].lower()).encode()).hexdigest()}",
            TEMPLATE.read_text(),
        )
    )
    return made


@pytest.fixture(scope="module")
def guarded(rules: Path) -> Iterator[Server]:
    """A server that has included it."""
    with running(rules.parent / "server", config=f"include {rules}\n") as server:
        yield server


def login(server: Server, user: str) -> str:
    """The address with a user's login."""
    return with_login(server.url, user, password_of(user))


@pytest.fixture
def filled(guarded: Server) -> Server:
    """Emptied by the operator, and filled by the publisher with what it may."""
    with redis.Redis.from_url(login(guarded, "operator")) as client:
        client.flushall()
    with redis.Redis.from_url(login(guarded, "publisher")) as client:
        assert Publisher(client).publish_many(make_rows(1, 3), now=NOW, restart=True) == 3
        client.xgroup_create(KEYS.log, "theirs", "0")
    return guarded


def test_an_unedited_file_starts_no_server(tmp_path: Path) -> None:
    """With its passwords not yet filled in, the server refuses the file: nobody runs on shipped passwords."""
    (tmp_path / "redis.conf").write_text(f"include {TEMPLATE}\n")
    done = subprocess.run([find_server(), str(tmp_path / "redis.conf")], capture_output=True, text=True, timeout=10)
    assert done.returncode != 0
    assert "hash" in done.stdout + done.stderr


def test_a_restart_keeps_what_was_sent(rules: Path, tmp_path: Path) -> None:
    """Signals are transactions in the server's log: under these rules it reads all of them again."""
    config = f"include {rules}\n"
    for restart in (True, False):
        with (
            running(tmp_path, "--appendonly", "yes", config=config) as server,
            redis.Redis.from_url(login(server, "publisher")) as client,
        ):
            publisher = Publisher(client)
            assert publisher.state() == (None if restart else ("e1", 3))
            publisher.publish_many(make_rows(1, 3), now=NOW, restart=restart)
            assert client.xlen(KEYS.log) == 3


def test_nobody_in_particular_does_nothing(filled: Server) -> None:
    """Without a login not even a PING is answered."""
    for address in (filled.url, with_login(filled.url, BOT, "wrong")):
        with redis.Redis.from_url(address) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_a_bot_reads_and_changes_nothing(filled: Server, clock: Clock) -> None:
    """A bot has what the client and consumer groups need; whatever writes, snoops or rules is refused."""
    bot = login(filled, BOT)
    assert refused(bot, rights.READS + rights.GROUPS) == []
    forbidden = rights.WRITES + rights.NEWS + rights.SNOOPS + rights.RULES
    assert refused(bot, forbidden) == list(forbidden)
    with connect(bot, clock=clock) as client:
        assert seqs(there(client)) == [1, 2, 3]


def test_a_pusher_only_pushes(filled: Server) -> None:
    """News in, nothing else."""
    pusher = login(filled, PUSHER)
    assert refused(pusher, rights.NEWS) == []
    forbidden = rights.WRITES + rights.GROUPS + rights.SNOOPS + rights.RULES
    assert refused(pusher, forbidden) == list(forbidden)


def test_the_service_does_its_work_and_rules_nothing(filled: Server) -> None:
    """The publisher sends, beats and settles the inbox with the rights of the file, and administers nothing."""
    with redis.Redis.from_url(login(filled, "pusher")) as client:
        client.xadd(inbox.STREAM, {"headline": b'{"id": "7", "title": "BOJ hikes to 1.0%"}'})
        client.xadd(inbox.STREAM, {"headline": b"no news"})
    with redis.Redis.from_url(login(filled, "publisher")) as client:
        publisher = Publisher(client)
        assert publisher.publish_many(make_rows(1, 5), now=NOW) == 2
        assert publisher.state() == ("e1", 5)
        assert publisher.heartbeat(wire.encode_heartbeat(make_heartbeat(5), epoch="e1", now=NOW).event) == 0
        for entries in inbox.take(client, lambda: dt.datetime(2026, 2, 13, tzinfo=dt.UTC)):
            inbox.settle(client, entries)
        assert (client.xlen(inbox.STREAM), client.xlen(inbox.REJECTED)) == (0, 1)
        assert client.xread({inbox.STREAM: "0"}) in ([], {})
    publisher_url = login(filled, "publisher")
    assert refused(publisher_url, rights.RULES) == list(rights.RULES)
    foreign = (
        ("SET", "other", 1),
        ("PUBLISH", "other", 1),
        ("DEL", "other"),
        ("KEYS", "*"),
        ("XTRIM", KEYS.log, "MAXLEN", 0),
    )
    assert refused(publisher_url, foreign) == list(foreign)


def test_a_worker_scores_and_publishes_nothing(filled: Server) -> None:
    """It takes from the inbox, hands on and puts aside; the service takes what it handed on and looks at all of it."""
    with redis.Redis.from_url(login(filled, "pusher")) as client:
        for text in (b'{"id": "7", "title": "BOJ hikes to 1.0%"}', b"no news", b'{"id": "8", "title": "Yen slides"}'):
            client.xadd(inbox.STREAM, {"headline": text})
    with redis.Redis.from_url(login(filled, "worker")) as client:
        worker = ScoringWorker(client, Clerk(), Workers(), "w", lambda: NOW)
        worker.begin()
        assert worker.turn() == 3
        assert worker.counts["rejected"] == 1
        assert scored.lost(client, 0.001, 10) == []
        worker.end()
    with redis.Redis.from_url(login(filled, "publisher")) as client:
        assert scored.look(client, 1) == scored.Inbox(0, 0, 2, 1, 0)
        found = scored.ready(client, scored.mark(client))
        scored.drop(client, found)
        assert len(found) == 2
        assert rejects.redrive_all(client) == 1
        scored.take_new(client, "w", 1)
        other = ScoringWorker(client, Clerk(), Workers(reclaim_after_s=0.0001), inbox.SERVICE, lambda: NOW)
        other.begin()
        assert other.turn() == 1
    worker_url = login(filled, "worker")
    forbidden = (rights.READS[0], rights.WRITES[0], rights.WRITES[1], *rights.SNOOPS[:1], *rights.RULES)
    assert refused(worker_url, forbidden) == list(forbidden)


class Clerk:
    """Scores without a model: these tests are of rights."""

    model_id = "none"

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Nothing is known of any."""
        return [
            Score(
                headline_id=one.headline_id, model_id="none", relevance=0, relevant=False, direction="flat", p_up=0,
                p_flat=1, p_down=0, usd_effect=0, jpy_effect=0, topics=(), lang="en",
            )
            for one in headlines
        ]  # fmt: skip


def test_an_operator_does_all(filled: Server) -> None:
    """Whoever runs the server may."""
    allowed = (("CONFIG", "GET", "*"), ("ACL", "LIST"), ("INFO",), ("KEYS", "*"), ("FLUSHALL",))
    assert refused(login(filled, "operator"), allowed) == []


def test_the_rights_are_those_of_the_embedded_server() -> None:
    """A bot and a pusher may the same on a server of one's own as on the embedded one."""
    lines = [line.split() for line in TEMPLATE.read_text().splitlines() if line.startswith("user ")]
    granted = {line[1]: line[5:] for line in lines}
    assert sorted(granted) == ["bot", "default", "operator", "publisher", "pusher", "worker"]
    for user in acl.USERS:
        if user.name in (BOT, PUSHER):
            assert granted[user.name] == user.rights.split()
