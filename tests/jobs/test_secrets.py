"""Passwords and keys: the whole cycle works with them, and tells none of them."""

import hashlib
import json

import redis

from signals.delivery.acl import with_login
from signals.delivery.signing import verifier
from tests.conftest import ROOT
from tests.delivery.servers import running

LOG = "signals:{usdjpy}:log"
SECRETS = {name: f"{name}-s3cret-of-the-tests" for name in ("bot", "pusher", "worker", "publisher", "operator")}
KEY = "hmac:signing-s3cret-of-the-tests-0123456789"


def guarded(folder):
    """A server with the shipped rules and the passwords above."""
    rules = folder / "redis-acl.conf"
    text = (ROOT / "config" / "deploy" / "redis-acl.conf").read_text()
    for name, secret in SECRETS.items():
        text = text.replace(f"#{name.upper()}-SHA256", f"#{hashlib.sha256(secret.encode()).hexdigest()}")
    rules.write_text(text)
    return running(folder / "server", config=f"include {rules}\n")


def test_a_cycle_with_a_publishers_rights_is_signed_and_tells_no_secret(shell, tmp_path):
    """Pushed news and articles become signals that a bot can check; password and key are in no output and no file."""
    made = shell()
    with guarded(tmp_path) as server:
        address = {name: with_login(server.url, name, secret) for name, secret in SECRETS.items()}
        made.env |= {"SIGNALS_REDIS_URL": address["publisher"], "SIGNALS_SIGNING_KEY": KEY}
        with redis.Redis.from_url(address["pusher"]) as pusher:
            pusher.xadd("signals:inbox", {"id": "1", "title": "Yen surges as BOJ hikes rates to 1.0%"})
            pusher.xadd("signals:inbox", {"neither": "headline"})
        done = made.run("run")
        assert done.returncode == 0, done.stderr
        watched = made.run("watch", "--count", "3", "--json")
        made.env["SIGNALS_VERIFY_KEY"] = KEY
        verified = made.run("watch", "--count", "3", "--json")
        with redis.Redis.from_url(address["bot"]) as bot:
            events = [json.loads(verifier(KEY)(fields[b"event"])) for _, fields in bot.xrange(LOG)]
        assert "Yen surges as BOJ hikes rates to 1.0%" in {event["data"].get("title") for event in events}
        assert len(watched.stdout.splitlines()) == 3
        assert verified.stdout == watched.stdout
        with redis.Redis.from_url(address["operator"]) as operator:
            assert operator.xlen("signals:inbox:rejected") == 1
            operator.acl_setuser("publisher", enabled=True, reset_passwords=True, passwords=["+changed"])
        refused = made.run("run")
        assert refused.returncode == 1
        assert "refuses the login" in refused.stdout
        assert "check the user and password in SIGNALS_REDIS_URL" in refused.stdout
    told = "".join(part for shown in (done, watched, verified, refused) for part in (shown.stdout, shown.stderr))
    written = [path for path in made.home.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert "s3cret" not in told
    assert written == []


def test_the_homes_own_passwords_stay_in_their_files(shell):
    """A cycle on the embedded server writes its passwords nowhere but into their files, and says none of them."""
    made = shell()
    done = made.run("run")
    assert done.returncode == 0, done.stderr
    files = sorted(made.home.glob("redis-password*"))
    assert len(files) == 3
    secrets = [file.read_bytes().strip() for file in files]
    others = [path for path in made.home.rglob("*") if path.is_file() and path not in files]
    assert any("log" in path.name for path in others)
    assert [path for path in others if any(secret in path.read_bytes() for secret in secrets)] == []
    assert not any(secret.decode() in done.stdout + done.stderr for secret in secrets)
