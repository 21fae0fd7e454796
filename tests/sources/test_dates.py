"""Publishers' dates, as written."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.sources.dates import FORMS, REGIONS, ZONES, from_epoch, parse_date

UTC = dt.UTC
AT_0030 = dt.datetime(2026, 2, 13, 0, 30, tzinfo=UTC)
AT_0930 = dt.datetime(2026, 2, 13, 9, 30, tzinfo=UTC)
AT_1430 = dt.datetime(2026, 2, 13, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Fri, 13 Feb 2026 09:30:00 GMT", AT_0930),
        ("Fri, 13 Feb 2026 09:30 GMT", AT_0930),
        ("13 Feb 26 09:30:00 UT", AT_0930),
        ("Fri, 13 Feb 2026 09:30:00 Z", AT_0930),
        ("Fri, 13 Feb 2026 09:30:00 -0000", AT_0930),
        ("Fri, 13 Feb 2026 09:30:00 JST", AT_0030),
        ("Fri, 13 Feb 2026 09:30:00 +0900", AT_0030),
        ("Fri, 13 Feb 2026 09:30:00 +0900 (JST)", AT_0030),
        ("Fri, 13 Feb 2026 09:30:00 (JST)", AT_0030),
        ("Fri, 13 Feb 2026 09:30:00 GMT+9", AT_0030),
        ("Fri, 13 Feb 2026 09:30:00 EST", AT_1430),
        ("Fri, 13 Feb 2026 10:30:00 EDT", AT_1430),
        ("Fri, 13 Feb 2026 09:30:00 ET", AT_1430),
        ("Mon, 13 Jul 2026 10:30:00 ET", dt.datetime(2026, 7, 13, 14, 30, tzinfo=UTC)),
        ("Fri, 13 Feb 2026 10:30:00 BST", AT_0930),
        ("Fri, 13 Feb 2026 17:30:00 HKT", AT_0930),
        ("Fri, 13 Feb 2026 20:30:00 AEDT", AT_0930),
        ("Fri Feb 13 09:30:00 JST 2026", AT_0030),
        ("Friday, 13-Feb-26 09:30:00 GMT", AT_0930),
        ("February 13, 2026 9:30 AM EST", AT_1430),
        ("Feb 13, 2026, 9:30 p.m. JST", dt.datetime(2026, 2, 13, 12, 30, tzinfo=UTC)),
        ("13 February 2026 09:30 GMT", AT_0930),
        ("2026-02-13T09:30:00Z", AT_0930),
        ("2026-02-13T09:30:00+09:00", AT_0030),
        ("2026-02-13T09:30:00+0900", AT_0030),
        ("2026-02-13T09:30:00 +09:00", AT_0030),
        ("2026-02-13T09:30Z", AT_0930),
        ("2026-02-13T09:30:00.25Z", AT_0930.replace(microsecond=250_000)),
        ("20260213T093000Z", AT_0930),
        ("2026-02-13 09:30:00 JST", AT_0030),
        ("2026/02/13 09:30 JST", AT_0030),
        ("2026年2月13日 9時30分", AT_0030),
        ("２０２６年２月１３日　９時３０分", AT_0030),
        ("2026年2月13日(金) 午前9時30分", AT_0030),
        ("2026年2月12日 33:30", AT_0030),
        ("2026年2月13日 午後6時30分", AT_0930),
        ("2026年2月13日 9:30 UTC", AT_0930),
        ("令和8年2月13日 9時30分", AT_0030),
    ],
)
def test_a_date_that_says_its_zone_is_that_instant(raw: str, expected: dt.datetime) -> None:
    """Every form gives the instant that the publisher meant, in UTC."""
    found = parse_date(raw)
    assert found == expected
    assert found is not None and found.tzinfo is UTC


@pytest.mark.parametrize(
    "raw",
    [
        None, "", "soon", "tomorrow", "13", "2026", "2026-02", "09:30", "13/02/2026 09:30 GMT",
        "Fri, 13 Feb 2026 09:30:00 IST",    # India, Ireland or Israel
        "Fri, 13 Feb 2026 09:30:00 XYZ",
        "Fri, 13 Feb 2026 09:30:00",        # no zone
        "2026-02-13T09:30:00", "2026-02-13 09:30:00",
        "Fri, 31 Feb 2026 09:30:00 GMT", "2026-02-30T09:30:00Z", "2026年2月30日 9時",
        "Fri, 13 Feb 2026 25:30:00 GMT", "Fri, 13 Feb 2026 09:30:00 +9900",
        "1970-01-01T00:00:00Z", "1989-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "0000-00-00 00:00:00",
        "February 13, 2026 19:30 PM EST",
        "2026-02-13", "Fri, 13 Feb 2026", "2026年2月13日",  # days, where times are wanted
    ],
)  # fmt: skip
def test_nothing_is_invented(raw: str | None) -> None:
    """What is missing, unclear or nonsense is null: no zone, day or year is made up."""
    assert parse_date(raw) is None


@pytest.mark.parametrize("raw", ["2026-02-13 09:30:00", "2026-02-13T09:30:00", "Fri, 13 Feb 2026 09:30:00",
                                 "Fri Feb 13 09:30:00 2026", "2026年2月13日 9時30分"])  # fmt: skip
def test_the_caller_may_give_the_zone(raw: str) -> None:
    """A date without a zone is read in the caller's; one with a zone keeps its own."""
    assert parse_date(raw, zone=UTC) == AT_0930
    assert parse_date(raw, zone=ZoneInfo("Asia/Tokyo")) == AT_0030
    assert parse_date("Fri, 13 Feb 2026 09:30:00 EST", zone=UTC) == AT_1430
    assert parse_date("Fri, 13 Feb 2026 09:30:00 IST", zone=UTC) is None


@pytest.mark.parametrize("raw", ["2026-02-13", "20260213", "Fri, 13 Feb 2026", "13 February 2026", "Feb 13, 2026",
                                 "2026/02/13", "2026年2月13日"])  # fmt: skip
def test_a_day_counts_for_feeds_only(raw: str) -> None:
    """Where the caller takes days, a day is its midnight UTC."""
    assert parse_date(raw, date_only=True) == dt.datetime(2026, 2, 13, tzinfo=UTC)
    assert parse_date(raw, zone=UTC) is None


@pytest.mark.parametrize("name", [*ZONES, *REGIONS])
def test_every_zone_of_the_table_is_used(name: str) -> None:
    """Each abbreviation shifts the date by what the table says."""
    hours = -ZONES[name] if name in ZONES else -ZoneInfo(REGIONS[name]).utcoffset(AT_0930).total_seconds() / 3600  # type: ignore[union-attr]
    assert parse_date(f"Fri, 13 Feb 2026 09:30:00 {name}") == AT_0930 + dt.timedelta(hours=hours)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_table_is_read(form: str) -> None:
    """Each form, followed by a zone, gives the instant it was made from."""
    assert parse_date(AT_0930.strftime(form) + " JST") == AT_0030


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (AT_0930.timestamp(), AT_0930), (int(AT_0930.timestamp()), AT_0930), (0, None),
        (AT_0930.timestamp() * 1000, None),
        (True, None), ("1771000000", None), (None, None), (float("nan"), None), (float("inf"), None), (10**30, None),
    ],
)  # fmt: skip
def test_seconds_since_1970(seconds: object, expected: dt.datetime | None) -> None:
    """A number of seconds is an instant; milliseconds, text and nonsense are null."""
    assert from_epoch(seconds) == expected


@given(st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2100, 12, 30), timezones=st.just(UTC)))
def test_our_own_standard_form_comes_back(at: dt.datetime) -> None:
    """Any time, written as ISO 8601, is read as itself."""
    assert parse_date(at.isoformat()) == at


@given(
    st.one_of(st.text(max_size=40), st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{2,4} [\d:]{1,8} .{0,6}"))
)
def test_no_text_breaks_it(raw: str) -> None:
    """Whatever a publisher writes gives an aware UTC time of this age, or null."""
    found = parse_date(raw, zone=UTC, date_only=True)
    assert found is None or (found.tzinfo is UTC and 1990 <= found.year <= 2100)
