"""Times of price files, as people write them: read rightly, or refused with the reason."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from signals.prices.stamps import NO_TIME, NO_ZONE, TWICE_OR_NEVER, UNREADABLE, utc

TEN = pd.Timestamp("2024-01-31 22:00", tz="UTC")
TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "cell",
    [
        "2024-01-31T22:00:00Z", "2024-01-31 22:00:00+00:00", "2024-02-01T07:00+09:00", "1706738400", 1706738400,
        "1706738400000", 1706738400000.0, "2024-01-31 22:00:00 UTC", "31.01.2024 22:00:00.000 GMT",
        "31.01.2024 23:00:00.000 GMT+0100", "31.01.2024 17:00:00.000 GMT-0500", "2024.01.31 22:00:00 +00:00",
        dt.datetime(2024, 1, 31, 22, tzinfo=dt.UTC),
        dt.datetime(2024, 2, 1, 7, tzinfo=TOKYO),
    ],
)  # fmt: skip
def test_a_time_that_says_its_zone_needs_no_other(cell):
    """ISO 8601, seconds and milliseconds since 1970, brokers' forms, times of Parquet: `--zone` changes none."""
    for zone in (None, TOKYO):
        found = utc([cell], zone)
        assert (found.at[0], found.lacks[0]) == (TEN, "")


@pytest.mark.parametrize(
    "cell",
    [
        "2024-02-01 07:00", "2024-02-01T07:00:00.000", "2024.02.01 07:00", "2024.02.01 07:00:00", "20240201 070000",
        "2024/02/01 07:00", "01.02.2024 07:00:00.000", dt.datetime(2024, 2, 1, 7),
    ],
)  # fmt: skip
def test_a_time_without_a_zone_is_refused_unless_it_is_said(cell):
    """Nobody knows whose seven o'clock it is."""
    assert utc([cell], None).lacks[0] == NO_ZONE
    assert utc([cell], TOKYO).at[0] == TEN


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", NO_TIME), (None, NO_TIME), ("NaT", NO_TIME), ("soon", UNREADABLE), ("03/04/2024 10:00", UNREADABLE),
        ("2024-02-31 10:00", UNREADABLE), ("2999-01-01 10:00Z", UNREADABLE), ("17067384", UNREADABLE),
        ("2024-03-10 02:30", TWICE_OR_NEVER), ("2024-11-03 01:30", TWICE_OR_NEVER),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_the_reason(cell, reason):
    """Nonsense, days that are two days, hours that the clock of the zone shows twice or never: nothing is guessed."""
    found = utc([cell, "2024-01-31T22:00Z"], NEW_YORK)
    assert found.lacks.tolist() == [reason, ""]
    assert pd.isna(found.at[0]) and found.at[1] == TEN


def test_a_day_alone_begins_at_midnight_of_its_zone():
    """For bars of a day; its zone must be said."""
    assert utc(["2024-02-01"], TOKYO).at[0] == pd.Timestamp("2024-01-31 15:00", tz="UTC")
    assert utc(["2024-02-01"], None).lacks[0] == NO_ZONE
