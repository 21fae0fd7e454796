"""One parser for publisher and client: an address in every form, and what is none, told without its password."""

from pathlib import Path

import pytest

from signals.delivery.address import Tls, parse, with_tls
from signals.delivery.client import connect
from signals.delivery.opening import open_redis
from signals.errors import BrokerError, ConfigError

MEND = "redis://HOST:PORT, rediss://…, redis+sentinel://HOST:26379/SERVICE or redis+cluster://HOST:PORT"

NONE = [
    ("bot:s3cret@127.0.0.1:6379", "begins with none of redis, rediss, unix"),
    ("http://s3cret@127.0.0.1", "begins with none of"),
    ("http+cluster://me:s3cret@h1", "begins with none of"),
    ("redis+magic://me:s3cret@h1", "begins with none of"),
    ("redis://me:s3cret@[h1", "is not written as one"),
    ("redis://s3cret@127.0.0.1:port", "port that is no number"),
    ("redis://s3cret@127.0.0.1:65536", "port that is no number from 1 to 65535"),
    ("redis://me:s3cret/7@127.0.0.1", "port that is no number"),
    ("redis+sentinel://me:s3cret@h1:port/main", "port that is no number"),
    ("redis+sentinel://me:s3cret@,h2/main", "names no host"),
    ("redis+cluster://me:s3cret@", "names no host"),
    ("redis+sentinel://me:s3cret@h1,h2:26380", "does not end with the service"),
    ("redis+cluster://me:s3cret@h1/3", "a cluster has none but 0"),
    ("redis+cluster://me:s3cret@h1?db=3", "a cluster has none but 0"),
]


@pytest.mark.parametrize(("url", "words"), NONE)
def test_an_address_that_is_none_says_why(url: str, words: str) -> None:
    """One line with what is wrong and how it is written, and nothing of the login."""
    with pytest.raises(ConfigError, match=words) as caught:
        parse(url)
    assert MEND in str(caught.value)
    assert "\n" not in str(caught.value) and "s3cret" not in str(caught.value)


def test_both_ways_in_say_the_same() -> None:
    """The publisher gives up (its setting is wrong); a bot's client may be told another the next time."""
    for url in ("me:s3cret@h1", "redis+cluster://me:s3cret@h1?socket_timeout=soon", "rediss://h?ssl_ca_certs=/no.pem"):
        with pytest.raises(ConfigError) as told:
            open_redis(url)
        with pytest.raises(BrokerError) as heard:
            connect(url)
        assert str(told.value) == str(heard.value)
        assert "s3cret" not in str(told.value)


def test_an_address_is_taken_apart() -> None:
    """Hosts with and without port, IPv6, login, database, and options of server and Sentinels."""
    found = parse("rediss+sentinel://bot:p%40w@h1,[::1]:27000,h3:1/my%20main/2?protocol=3&sentinel_username=s")
    assert found.hosts == (("h1", 26379), ("::1", 27000), ("h3", 1))
    assert (found.kind, found.service, found.tls) == ("sentinel", "my main", True)
    assert found.sentinel_options == {"username": "s"}
    assert found.url == "rediss://bot:p%40w@h1:26379/2?protocol=3"
    cluster = parse("redis+cluster://[::1],h2:7000")
    assert (cluster.kind, cluster.tls, cluster.hosts) == ("cluster", False, (("::1", 6379), ("h2", 7000)))
    assert cluster.url == "redis://[::1]:6379/"


@pytest.mark.parametrize("url", ["redis://", "redis://:7/2", "rediss://me:pw@h?db=1", "unix:///tmp/redis.sock?db=2"])
def test_the_address_of_one_server_is_left_as_it_is(url: str) -> None:
    """redis-py reads it: what is left out has its own defaults."""
    found = parse(url)
    assert (found.kind, found.url, found.tls) == ("single", url, url.startswith("rediss"))


def test_certificates_go_into_the_address(tmp_path: Path) -> None:
    """They go before those that it names already, and what is not given stays."""
    ca, other, key = (tmp_path / name for name in ("c a.pem", "other.pem", "key.pem"))
    for path in (ca, other, key):
        path.touch()
    url = f"rediss+cluster://me:pw@h1,h2?ssl_ca_certs={other}&ssl_keyfile={key}&protocol=3"
    options = parse(with_tls(url, Tls(ca=ca))).url.partition("?")[2]
    assert options == f"ssl_keyfile={key}&protocol=3&ssl_ca_certs={ca}".replace("/", "%2F").replace(" ", "+")
    assert with_tls(url, Tls()) == url
    with pytest.raises(ConfigError, match="does not speak TLS - write it as rediss://"):
        with_tls("redis://h1", Tls(ca=ca))
    with pytest.raises(ConfigError, match=r"no\.pem: no such file - .* PEM"):
        parse(with_tls(url, Tls(certificate=tmp_path / "no.pem")))
