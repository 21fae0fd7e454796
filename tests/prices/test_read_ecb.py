"""The ECB's reference rates over HTTP, from a server on 127.0.0.1 that may misbehave."""

import datetime as dt
import gzip
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from signals.errors import PriceError
from signals.prices import ecb
from signals.prices.ecb import EVERY_REFERENCE, is_due, read_ecb
from signals.prices.reference import newest_published
from signals.prices.scale import Kept
from tests.prices.conftest import Ecb

NOW = dt.datetime(2026, 3, 4, 16, 0, tzinfo=dt.UTC)
"""A Wednesday, an hour after publication."""
Read = Callable[..., Any]


@pytest.fixture
def read(ecb_server: Ecb) -> Read:
    return lambda now=NOW, **options: read_ecb(lambda: now, **{"url": ecb_server.url, **options})


def reason(read: Read, **options: Any) -> str:
    with pytest.raises(PriceError) as caught:
        read(**options)
    assert "\n" not in str(caught.value) and caught.value.where == "ecb reference rates"
    return caught.value.reason


def test_rates_are_crossed_and_known_when_published(ecb_server: Ecb, read: Read) -> None:
    """JPY per EUR by USD per EUR, as bars without length at 16:00 in Frankfurt, oldest first."""
    ecb_server.rates = {"2026-03-04": ("1.0800", "169.56"), "2026-03-03": ("1.1000", "172.15")}
    bars, notes = read()
    assert [(bar.close, bar.open_at, bar.close_at, bar.source) for bar in bars] == [
        (156.5, at := dt.datetime(2026, 3, 3, 15, tzinfo=dt.UTC), at, "ecb"),
        (157.0, at := dt.datetime(2026, 3, 4, 15, tzinfo=dt.UTC), at, "ecb"),
    ]
    assert notes == ()


def test_a_rate_that_is_there_early_waits_for_its_time(ecb_server: Ecb, read: Read) -> None:
    """Bars are closed when they are made: today's rate is taken from 16:00 in Frankfurt on."""
    ecb_server.rates = {"2026-03-04": ("1.0800", "169.56"), "2026-03-03": ("1.1000", "172.15")}
    assert len(read(now=NOW - dt.timedelta(minutes=61)).bars) == 1
    assert len(read(now=NOW - dt.timedelta(minutes=60)).bars) == 2


def test_a_bad_day_costs_itself(ecb_server: Ecb, read: Read) -> None:
    """A day without a yen, with words for figures, no date or another scale is dropped with a note."""
    ecb_server.rates = {
        "2026-03-04": ("1.0800", "169.56"), "2026-03-03": ("1.0800", ""), "2026-03-02": ("N/A", "169"),
        "2026-02-30": ("1.08", "169"), "2026-02-27": ("1.0800", "1.6956"), "2026-02-26": ("0", "169"),
        "2026-02-25": ("1.0800", "169.00"), "2026-02-24": ("-1", "169"), "2026-02-23": ("1.08", "168.9"),
    }  # fmt: skip
    bars, notes = read()
    assert [bar.close_at.day for bar in bars] == [23, 25, 4]
    assert len(notes) == 6 and all(note.startswith("ecb 2026-0") and " dropped: " in note for note in notes)


@pytest.mark.parametrize("by", [0.01, 100, 0.7])
def test_another_scale_is_refused(ecb_server: Ecb, read: Read, by: float) -> None:
    """A document that as a whole is far from the rate held is refused, naming both."""
    ecb_server.rates = {"2026-03-04": ("1.0800", str(169.56 * by)), "2026-03-03": ("1.08", str(169.56 * by))}
    with pytest.raises(PriceError, match=r"on 2026-03-03, the last kept rate is 156.8 on 2026-03-02") as caught:
        read(kept=Kept(NOW - dt.timedelta(days=2), 156.8))
    assert caught.value.reason == "other_scale"


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_an_http_error_is_named(ecb_server: Ecb, read: Read, status: int) -> None:
    """By its status."""
    ecb_server.status = status
    assert reason(read) == f"http_{status}"


def test_a_refusal_for_a_while_is_named(ecb_server: Ecb, read: Read) -> None:
    """HTTP 429 is `rate_limited`."""
    ecb_server.status = 429
    assert reason(read) == "rate_limited"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Access denied</html>", b"{}", gzip.compress(b"<Cube time='2026-03-04'>", mtime=0), b"<" * 999],
    ids=["nothing", "a page", "JSON", "compressed", "brackets"],
)
def test_another_shape_is_named(ecb_server: Ecb, read: Read, body: bytes) -> None:
    """Whatever is not the ECB's XML."""
    ecb_server.body = body
    assert reason(read) == "other_shape"


def test_a_document_cut_off_gives_what_came(ecb_server: Ecb, read: Read) -> None:
    """Whole days count; the one in which it ends is dropped with a note."""
    ecb_server.rates = {"2026-03-04": ("1.0800", "169.56"), "2026-03-03": ("1.1000", "172.15")}
    text = ecb_server.document()
    ecb_server.body = text[: text.rindex(b"<Cube currency='JPY'")]
    bars, notes = read()
    assert len(bars) == 1 and len(notes) == 1


@pytest.mark.parametrize("chunked", [True, False])
def test_too_much_is_not_read(ecb_server: Ecb, read: Read, monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
    """The bound of size holds whether the server tells the length or not."""
    monkeypatch.setattr(ecb, "MAX_BYTES", 100_000)
    ecb_server.body, ecb_server.chunked = b"x" * 1_000_000, chunked
    assert reason(read) == "too_large"


def test_redirects_are_followed_and_bounded(ecb_server: Ecb, read: Read) -> None:
    """Three are, a fourth is not, and none to anything but http."""
    ecb_server.rates = {"2026-03-04": ("1.0800", "169.56")}
    ecb_server.redirects = ["/a", "/b", "/c"]
    assert len(read().bars) == 1
    ecb_server.redirects = ["/a"] * 9
    assert reason(read) == "too_many_redirects"
    ecb_server.redirects = ["file:///etc/hostname"]
    assert reason(read) == "refused"


def test_a_slow_server_is_given_up_in_time(ecb_server: Ecb, read: Read) -> None:
    """The bound of time is for everything: a server that sends a byte now and then gains nothing."""
    began = time.monotonic()
    ecb_server.drip_s = 0.1
    assert reason(read, timeout_s=0.5) == "timeout"
    assert time.monotonic() - began < 2


def test_nobody_there_is_unreachable(read: Read) -> None:
    """Nobody listening."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # free again once the block ends
    assert reason(read, url=f"http://127.0.0.1:{port}/") == "unreachable"


def test_threads_may_read_at_once(ecb_server: Ecb, read: Read) -> None:
    """Each call has its own session."""
    ecb_server.rates = {"2026-03-04": ("1.0800", "169.56")}
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(read().bars))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 4


@pytest.mark.parametrize(
    ("at", "newest"),
    [("03-27T14:59", "03-26T15:00"), ("03-27T15:00", "03-27T15:00"), ("03-29T23:00", "03-27T15:00"),
     ("03-30T13:59", "03-27T15:00"), ("03-30T14:00", "03-30T14:00"), ("03-31T00:00", "03-30T14:00")],
)  # fmt: skip
def test_rates_are_published_on_weekdays_by_frankfurts_clock(at: str, newest: str) -> None:
    """At 16:00 there, through the change of clocks on 29 March; none at the weekend."""
    moment, expected = (dt.datetime.fromisoformat(f"2026-{text}+00:00") for text in (at, newest))
    assert newest_published(moment) == expected


def test_it_is_asked_when_a_rate_may_be_missing() -> None:
    """After a publication that is not held, at most once an hour; not at the weekend."""
    friday, before = (dt.datetime(2026, 3, day, 15, 0, tzinfo=dt.UTC) for day in (27, 26))
    assert is_due(friday, before, None) and is_due(friday, None, None)
    assert not is_due(friday + dt.timedelta(days=2), friday, None)
    assert not is_due(friday + EVERY_REFERENCE / 2, before, friday)
    assert is_due(friday + EVERY_REFERENCE, before, friday)
