"""Settings: each mistake is one line that names where it stands and what may stand there."""

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
