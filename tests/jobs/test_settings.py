"""Settings: each mistake is one line that names where it stands and what may stand there."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from jobs.settings import load
from signals.errors import ConfigError
from tests.conftest import ROOT

FILE = ROOT / "config" / "signals.toml"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SIGNALS__POLICY__NO_SUCH_KEY", "1", "SIGNALS__POLICY__NO_SUCH_KEY: unknown key `no_such_key`"),
        ("SIGNALS__NO_SUCH_KEY", "1", "SIGNALS__NO_SUCH_KEY: unknown key `no_such_key`"),
        ("SIGNALS__JOBS__INGEST__EVERY_S", "often", "SIGNALS__JOBS__INGEST__EVERY_S: Expected `int`, got `str`"),
        ("SIGNALS_BROKER_PORT", "²", "SIGNALS_BROKER_PORT: '²' is no port"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(name, value, said):
    """Not the file, which is right."""
    with pytest.raises(ConfigError) as raised:
        load(FILE, {name: value})
    assert str(raised.value).startswith(said)


def test_a_mistake_in_the_feeds_names_their_file_and_shows_their_example(tmp_path):
    """The hint is the shipped file of the same name."""
    for name in ("signals.toml", "feeds.toml", "events.toml"):
        (tmp_path / name).write_bytes((ROOT / "config" / name).read_bytes())
    with (tmp_path / "feeds.toml").open("a") as file:
        file.write('[[feed]]\nid = "x"\nkind = "rss"\nurl = "http://x.example/"\ncolour = 1\n')
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "signals.toml", {})
    assert f"{tmp_path / 'feeds.toml'}: feed" in str(raised.value)
    assert "unknown key `colour`" in str(raised.value)
    assert "config/feeds.toml shows" in str(raised.value)


def test_files_for_tls_become_part_of_the_address(tmp_path):
    """The variables are put where redis-py reads them; `~` and relative paths are made whole."""
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()
    environ = {f"SIGNALS_REDIS_{name.upper()}": str(tmp_path / name) for name in ("ca", "cert", "key")}
    loaded = load(FILE, {"SIGNALS_REDIS_URL": "rediss://bot:pw@example.org:6380/1?protocol=2", **environ})
    parts = urlsplit(loaded.redis_url)
    assert (parts.scheme, parts.username, parts.port, parts.path) == ("rediss", "bot", 6380, "/1")
    assert dict(parse_qsl(parts.query)) == {
        "protocol": "2",
        "ssl_ca_certs": str(tmp_path / "ca"),
        "ssl_certfile": str(tmp_path / "cert"),
        "ssl_keyfile": str(tmp_path / "key"),
    }


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SIGNALS_REDIS_URL": "redis://h", "SIGNALS_REDIS_CA": __file__}, "SIGNALS_REDIS_CA: is for TLS only - write"),
        (
            {"SIGNALS_REDIS_CERT": __file__},
            "SIGNALS_REDIS_CERT: is for TLS only - write SIGNALS_REDIS_URL as rediss://",
        ),
        ({"SIGNALS_REDIS_URL": "rediss://h", "SIGNALS_REDIS_KEY": "/no/such"}, "SIGNALS_REDIS_KEY: no such file: /no"),
        ({"SIGNALS_REDIS_URL": "me:s3cret@h"}, "SIGNALS_REDIS_URL: address of Redis begins with none of redis,"),
        ({"SIGNALS_SIGNING_KEY": "hmac:s3cret"}, "SIGNALS_SIGNING_KEY: has fewer than 32 bytes - make one"),
        (
            {"SIGNALS_REDIS_URL": "redis+sentinel://h"},
            "SIGNALS_REDIS_URL: address of Redis does not end with the service",
        ),
        ({"SIGNALS_VERIFY_KEY": "s3cret"}, "SIGNALS_VERIFY_KEY: is of no kind that is known - write hmac:SECRET or"),
        ({"SIGNALS_VERIFY_KEY": "ed25519:/no/key"}, "SIGNALS_VERIFY_KEY /no/key: cannot be read"),
    ],
)
def test_a_mistake_in_a_secret_names_the_variable(environ, said):
    """Before anything runs, and without the secret."""
    with pytest.raises(ConfigError) as raised:
        load(FILE, environ)
    assert str(raised.value).startswith(said)
    assert "s3cret" not in str(raised.value)
