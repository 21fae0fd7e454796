"""Who may do what on a home's own server: strangers read, and nothing more without a password from the home."""

import fcntl
import json
import socket
import stat
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from signals.delivery.acl import BOT, PUSHER, password, with_login
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.client import connect
from signals.delivery.endpoints import endpoint, set_endpoint
from signals.delivery.publisher import Publisher
from signals.delivery.server import find_server
from signals.errors import BrokerError

from . import rights
from .conftest import KEYS, NOW, Clock, is_open, make_rows, public, seqs, there, until
from .rights import refused

FILES = ("redis-password", "redis-password-bot", "redis-password-pusher")


@pytest.fixture
def filled(url: str, publisher: Publisher, server: Any) -> str:
    """A server with something to read and to spoil."""
    publisher.publish_many(make_rows(1, 3), now=NOW, restart=True)
    server.xgroup_create(KEYS.log, "theirs", "0")
    return url


def login(url: str, broker: EmbeddedBroker, user: str) -> str:
    """The address with the login of another of the home's users."""
    secret = password(broker._home, user)
    assert secret is not None
    return with_login(url, user, secret)


def test_a_stranger_reads_and_nothing_more(filled: str) -> None:
    """Without a password all that is published can be read and heard; not one command that changes or snoops runs."""
    stranger = public(filled)
    assert refused(stranger, rights.READS) == []
    forbidden = rights.WRITES + rights.NEWS + rights.GROUPS + rights.SNOOPS + rights.RULES
    assert refused(stranger, forbidden) == list(forbidden)


def test_a_bot_reads_in_groups(filled: str, shared_broker: EmbeddedBroker, server: Any) -> None:
    """The bot's user may use consumer groups on the log besides, and still changes no entry."""
    before = server.xrange(KEYS.log)
    bot = login(filled, shared_broker, BOT)
    assert refused(bot, rights.READS + rights.GROUPS) == []
    forbidden = rights.WRITES + rights.NEWS + rights.SNOOPS + rights.RULES
    assert refused(bot, forbidden) == list(forbidden)
    elsewhere = tuple((*command[:2], KEYS.seq, *command[3:]) for command in rights.GROUPS[:1])
    assert refused(bot, elsewhere) == list(elsewhere)
    assert server.xrange(KEYS.log) == before


def test_a_pusher_pushes_and_nothing_more(filled: str, shared_broker: EmbeddedBroker) -> None:
    """The pusher's user adds news to the inbox; it reads nothing and forges no signal."""
    pusher = login(filled, shared_broker, PUSHER)
    assert refused(pusher, (*rights.NEWS, ("PING",))) == []
    forbidden = rights.WRITES + rights.GROUPS + rights.SNOOPS + rights.RULES + rights.READS[:9]
    assert refused(pusher, forbidden) == list(forbidden)


def test_a_stranger_has_all_that_the_client_needs(filled: str, clock: Clock) -> None:
    """The shipped client works by the public address of `endpoints.json`."""
    with connect(public(filled), clock=clock) as client:
        assert seqs(there(client)) == [1, 2, 3]
        assert client.latest() is not None


def test_passwords_are_the_owners_alone(broker: EmbeddedBroker, home: Path) -> None:
    """Passwords are random, in files of mode 0600, and neither in endpoints.json, nor the server's log or command."""
    url = broker.ensure()
    secrets = [(home / name).read_text().strip() for name in FILES]
    assert len(set(secrets)) == 3
    assert all(len(secret) >= 40 for secret in secrets)
    modes = [stat.S_IMODE((home / name).stat().st_mode) for name in (*FILES, "redis/users.acl")]
    assert modes == [0o600] * 4
    assert json.loads((home / "endpoints.json").read_text()) == {"redis": public(url)}
    with redis.Redis.from_url(url) as client:
        pid = client.info("server")["process_id"]
    command = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout
    public_texts = [command, *(path.read_text(errors="replace") for path in (home / "redis").glob("server.*"))]
    assert "-server" in command
    assert not [text for text in public_texts if any(secret in text for secret in secrets)]


def test_nobody_is_let_in_while_it_loads(broker: EmbeddedBroker, home: Path) -> None:
    """The server starts closed to strangers, with a default user that may do all: in whose name it reads its log."""
    broker.ensure()
    first = (home / "redis" / "users.acl").read_text().splitlines()[0]
    assert first == "user default reset off ~* &* +@all"


def test_passwords_are_kept(broker: EmbeddedBroker, home: Path) -> None:
    """The next start has the same passwords; a file that was deleted gets a new one, which the server knows."""
    secret = urlsplit(broker.ensure()).password
    broker.stop()
    assert urlsplit(broker.ensure()).password == secret
    broker.stop()
    (home / FILES[0]).unlink()
    assert urlsplit(broker.ensure()).password != secret


def test_a_password_that_others_may_read_is_refused(broker: EmbeddedBroker, home: Path) -> None:
    """A password file open to others, or emptied, is one clear line with the mend, and no server starts on it."""
    broker.ensure()
    broker.stop()
    file = home / FILES[0]
    file.chmod(0o644)
    with pytest.raises(BrokerError, match=r"redis-password: can be read by others - chmod 600"):
        broker.ensure()
    file.chmod(0o600)
    file.write_text("\n")
    with pytest.raises(BrokerError, match=r"redis-password: is empty - delete it"):
        broker.ensure()
    assert endpoint(home, "redis") is None


def old_server(home: Path) -> "tuple[subprocess.Popen[bytes], str]":
    """A server as earlier versions started it: without users, its folder held, its address told."""
    folder = home / "redis"
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"redis://127.0.0.1:{port}"
    with (folder / "server.lock").open("a+") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        claim.write(url)
        claim.flush()
        command = [str(find_server()), "--dir", str(folder), "--port", str(port), "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, pass_fds=(claim.fileno(),))
    until(lambda: is_open(url))
    return process, url


@pytest.mark.parametrize("registered", [True, False])
def test_a_server_of_an_earlier_version_is_told(home: Path, broker: EmbeddedBroker, registered: bool) -> None:
    """A server without users that still runs for this home is one clear line; once it ended, all goes on."""
    process, url = old_server(home)
    try:
        if registered:
            set_endpoint(home, "redis", url)
        with pytest.raises(BrokerError, match=r"does not know the password.*earlier version.*start anew") as caught:
            broker.ensure()
        assert str(caught.value).startswith(url)
        with redis.Redis.from_url(url) as client:
            assert client.set("its users", "are not cut off")
    finally:
        process.terminate()
        process.wait()
    assert is_open(broker.ensure())


def test_a_password_changed_under_a_running_server_is_told(broker: EmbeddedBroker, home: Path) -> None:
    """Where the file no longer holds what the server knows, the error names the file; no second server starts."""
    url = broker.ensure()
    for harm in (lambda path: path.write_text("another"), lambda path: path.unlink()):
        harm(home / FILES[0])
        with pytest.raises(BrokerError, match="does not know the password in its file redis-password"):
            EmbeddedBroker(home, 0).ensure()
    assert is_open(url)


def test_a_stranger_on_our_port_is_told_no_password(broker: EmbeddedBroker, home: Path) -> None:
    """Who takes the port of a server that was killed hears nothing of a password, though endpoints.json names it."""
    url = public(broker.ensure())
    broker.stop()
    port = int(url.rpartition(":")[2])
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", port)) as stranger:
        stranger.settimeout(10)
        set_endpoint(home, "redis", url)

        def listen() -> None:
            while True:
                try:
                    peer, _ = stranger.accept()
                except OSError:
                    return
                with peer:
                    heard.append(peer.recv(1000))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        assert public(broker.ensure()) != url
        stranger.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert heard == []
