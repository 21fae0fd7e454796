"""Settings: each mistake is one line that names where it stands and what may stand there."""

from pathlib import Path
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
    for name in ("signals.toml", "feeds.toml", "events.toml", "costs.toml"):
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
        ({"SIGNALS_REDIS_URL": "redis+sentinel://h"}, "SIGNALS_REDIS_URL: address of Redis does not say which primary"),
    ],
)
def test_a_mistake_in_a_secret_names_the_variable(environ, said):
    """Before anything runs, and without the secret."""
    with pytest.raises(ConfigError) as raised:
        load(FILE, environ)
    assert str(raised.value).startswith(said)
    assert "s3cret" not in str(raised.value)


def _costs(folder: Path, text: str) -> Path:
    """A configuration whose costs are these."""
    shipped = (ROOT / "config" / "signals.toml").read_text(encoding="utf-8")
    for name in ("feeds.toml", "events.toml"):
        shipped = shipped.replace(name, str(ROOT / "config" / name))
    (folder / "signals.toml").write_text(shipped, encoding="utf-8")
    (folder / "costs.toml").write_text(text, encoding="utf-8")
    return folder / "signals.toml"


def test_the_shipped_costs_are_dearest_when_nobody_deals():
    """A figure for each hour of the week, the week's first and the one after 17:00 New York dearer than noon's; rates
    of ten years, both currencies' last moves among them.
    """
    costs = load(FILE, {}).costs
    assert costs is not None
    assert len(costs.spread_pips) == 168
    assert costs.spread_pips[0] > costs.spread_pips[24] > costs.spread_pips[24 + 19]
    assert (costs.rates[0].since, costs.rates[-1].since) == ("2015-12-17", "2025-12-22")
    assert (costs.rates[-1].usd, costs.rates[-1].jpy) == (3.625, 0.75)


def test_without_a_file_of_costs_there_are_none(tmp_path):
    """A configuration of before has no such key and loads as it did."""
    path = _costs(tmp_path, "")
    path.write_text(path.read_text(encoding="utf-8").replace('costs = "costs.toml"', ""), encoding="utf-8")
    assert load(path, {}).costs is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spread_pips = [0.4, 0.5]", "top level: spread_pips must hold 1 or 168 figures, got 2"),
        ("spread_pips = [-0.4]", "spread_pips[0]: Expected `float` >= 0.0"),
        ("slippage_pips = 0.1", "top level: missing key `spread_pips`"),
        ("spread_pips = [0.4]\nslipage_pips = 0.1", "top level: unknown key `slipage_pips`"),
        ('spread_pips = [0.4]\nrates = [{ since = "2024-1-1", usd = 5, jpy = 0 }]', "rates[0].since: Expected `str`"),
        ('spread_pips = [0.4]\nrates = [{ since = "2024-01-01", usd = 5 }]', "rates[0]: missing key `jpy`"),
        (
            'spread_pips = [0.4]\nrates = [{ since = "2024-02-01", usd = 5, jpy = 0 }, '
            '{ since = "2024-01-01", usd = 5, jpy = 0 }]',
            "top level: rates must stand oldest first, each day once: 2024-01-01",
        ),
        ('spread_pips = [0.4]\nrates = [{ since = "2024-13-01", usd = 5, jpy = 0 }]', "top level: month must be in 1"),
    ],
)
def test_a_mistake_in_the_costs_names_file_and_key(tmp_path, text, said):
    """One line: the file, the key, what is wrong, where it is shown right."""
    with pytest.raises(ConfigError) as raised:
        load(_costs(tmp_path, text), {})
    assert str(raised.value).startswith(f"{tmp_path / 'costs.toml'}: {said}")
    assert "the shipped config/costs.toml shows" in str(raised.value)
