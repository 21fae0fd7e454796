"""What the log and the history tell: no secret, fixed keys, short lines for people, few lines for many headlines."""

import io
import json
import logging

import pytest

from jobs import logs, redact
from jobs.runner import Report, Runner
from signals.errors import BrokerError
from signals.store import Store, runs
from tests.jobs.conftest import now

PLANTED = "planted-s3cret-0123456789"
GIVEN = {
    "SIGNALS_TOKEN": f"token-{PLANTED}",
    "SIGNALS_SIGNING_KEY": f"hmac:key-{PLANTED}",
    "SIGNALS_REDIS_URL": f"redis://user:redis-{PLANTED}@host:6379/0",
}
SAID = (
    f"GET https://user:pw-{PLANTED}@host/feed?api_key=a-{PLANTED}&x=1 refused",
    f"Authorization: Bearer b-{PLANTED}",
    f"{{'authorization': 'Basic c{PLANTED}', 'X-Api-Key': 'd{PLANTED}'}}",
    f"bare value token-{PLANTED} of the environment, and redis-{PLANTED} of an address",
    f"bare value file-{PLANTED} of the home",
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def home(tmp_path):
    """A home with a secret in a file, whose logs and secrets no later test knows."""
    (tmp_path / "redis-password-pusher").write_text(f"file-{PLANTED}\n")
    yield tmp_path
    logs.configure(tmp_path, stream=io.StringIO())
    redact.know(redact.Secrets())


def test_no_secret_is_told_wherever_it_was_planted(home):
    """In texts, lists, keys' values, exceptions and their causes, libraries' lines, run errors and notes: none."""
    screen = io.StringIO()
    logs.configure(home, stream=screen, environ=GIVEN)
    log = logs.logger()
    for text in SAID:
        log.warning("source.note", note=text, more=[{"deep": (text,)}], error=ValueError(text))
        logging.getLogger("urllib3").warning("retry %s", text)
        try:
            raise RuntimeError(text)
        except RuntimeError:
            log.exception("job.end", job="j")
    store = Store.open(f"sqlite:///{home / 's.db'}")

    def fail(_run):
        raise BrokerError("Redis", SAID[0]) from ValueError(SAID[1])

    runner = Runner({"f": (fail, 9), "n": (lambda _run: Report({}, SAID), 9)}, store, now)
    runner.run("f", "manual")
    runner.run("n", "manual")
    with store.read() as conn:
        kept = "".join(f"{run.error}{run.notes}" for run in runs.recent(conn))
    store.close()
    for told in (screen.getvalue(), logs.log_file(home).read_text(), kept):
        assert "s3cret" not in told
        assert redact.STRUCK in told
    assert "refused" in kept  # what is no secret stays


def test_a_process_that_was_given_secrets_starts(shell):
    """Settings whose names look like a secret's, in the environment from the first import on."""
    made = shell("")
    made.env |= {
        "SIGNALS_TOKEN": PLANTED,
        "SIGNALS__PRICES__REFERENCE_URL": "",
        "SIGNALS__PRICES__QUOTES_URL": "ws://h",
    }
    assert made.run("jobs").returncode == 0


def test_words_that_are_no_secret_stay():
    """Headlines and addresses without a login are told as they are."""
    for text in (
        "Basic income: BOJ's key rate at 0.5%; token gesture, says MoF",
        "https://www.boj.or.jp/en/rss/whatsnew.xml?lang=en#top",
        "bearer of bad news",
        "a@b.example",
    ):
        assert redact.clean(text) == text


def test_keys_stand_in_one_order(home):
    """Whatever the order in which they were given: the known ones first, the others by the alphabet."""
    screen = io.StringIO()
    logs.configure(home, stream=screen)
    logs.logger().info("job.end", zeta=1, error=None, counts={"b": 1, "a": 2}, alpha=2, job="j", run_id="r")
    logs.logger().info("job.end", run_id="r", alpha=2, job="j", counts={"b": 1, "a": 2}, zeta=1, error=None)
    first, second = (list(json.loads(line)) for line in screen.getvalue().splitlines())
    assert first == second == ["time", "level", "event", "run_id", "job", "counts", "error", "alpha", "zeta"]


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_short_lines_coloured_unless_unwanted(home, environ, coloured):
    """One line, no JSON; NO_COLOR (no-color.org: set and not empty) takes the colours away."""
    screen = Terminal()
    logs.configure(home, stream=screen, environ=environ)
    logs.logger().error("job.end", job="ingest", outcome="failed", error="why")
    line = screen.getvalue()
    assert ("\x1b[31m" in line) == coloured
    assert "ingest" in line
    assert "outcome=failed" in line
    assert not line.startswith("{")


def test_many_headlines_make_no_more_lines_than_headlines(shell, feed_server):
    """A cycle over 40 headlines: fewer lines of level info and above than headlines, those of the jobs with them."""
    from tests.jobs.conftest import rss_row

    feed_server.items["/wire"] = [
        (f"Dollar rises to {100 + n} yen after Fed hike number {n}", now()) for n in range(40)
    ]
    made = shell(rss_row(feed_server, "/wire", "wire"))
    assert made.run("run").returncode == 0
    lines = [json.loads(line) for line in logs.log_file(made.home).read_text().splitlines()]
    assert sum(line["level"] != "debug" for line in lines if line["event"] in logs.EVENTS) < 40
