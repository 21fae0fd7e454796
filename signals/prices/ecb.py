"""The ECB's euro reference rates of the last days, asked for over HTTP: the reference behind Yahoo, kept current.

The document is the ECB's XML of one day or of ninety (`eurofxref-daily.xml`, `eurofxref-hist-90d.xml`): a `Cube`
with a `time` for each day, in it one with `currency` and `rate` (units per EUR) for each currency.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator

from curl_cffi import CurlECode, CurlOpt
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException

from signals.errors import PriceError
from signals.prices.budget import CONNECT_S, unreachable
from signals.prices.patience import EVERY_REFERENCE
from signals.prices.reading import Clock, PriceReading
from signals.prices.reference import Rate, newest_published, reading_of
from signals.prices.scale import Kept, jump_max

MAX_BYTES = 2 * 1024 * 1024
"""Ninety days are about 200 kB."""
MAX_REDIRECTS = 3
USER_AGENT = "usdjpy-signals/0.1 (+reference rates)"

_WHERE = "ecb reference rates"
_FAILURES = {
    CurlECode.FILESIZE_EXCEEDED: ("too_large", f"more than {MAX_BYTES} bytes"),
    CurlECode.TOO_MANY_REDIRECTS: ("too_many_redirects", f"more than {MAX_REDIRECTS} redirects"),
    CurlECode.UNSUPPORTED_PROTOCOL: ("refused", "only http and https addresses are fetched"),
}
_CUBE = re.compile(r"<(?:\w+:)?Cube\s[^<>]*>")
"""Not an XML parser: that would follow entities, and lose all where a document is cut off."""
_ATTRIBUTE = re.compile(r"""\b(time|currency|rate)\s*=\s*["']([^"']{1,40})["']""")
_MEND = "is prices.reference_url right? the ECB's own is eurofxref-hist-90d.xml"


def read_ecb(clock: Clock, *, url: str, kept: Kept | None = None, timeout_s: float = 8.0) -> PriceReading:
    """Published reference rates as bars without length, as `read_reference` gives them; `known_at` is when received.

    Parameters
    ----------
    clock : gives the UTC time now.
    url : of the XML document.
    kept : the newest rate held; a document at another scale is refused (null: none is).
    timeout_s : seconds for everything, redirects included.

    Raises
    ------
    PriceError : no usable answer; `reason` is unreachable, timeout, rate_limited, http_<status>, too_large,
        too_many_redirects, refused, other_shape or other_scale.
    """
    text = _fetch(url, timeout_s)
    notes: list[str] = []
    now = clock()
    reading = reading_of(_rates(text, notes), notes)
    bars = tuple(bar for bar in reading.bars if bar.close_at <= now)  # one that is there early waits for its time
    if not reading.bars:
        raise PriceError(_WHERE, "other_shape", f"no rates of USD and JPY in {text[:60]!r}", _MEND)
    if kept and bars:
        near = min(bars, key=lambda bar: abs(bar.close_at - kept.at))
        if abs(near.close / kept.close - 1) > jump_max(near.close_at - kept.at):
            there = f"{near.close:g} on {near.close_at:%Y-%m-%d}"
            held = f"the last kept rate is {kept.close:g} on {kept.at:%Y-%m-%d}"
            raise PriceError(_WHERE, "other_scale", f"{there}, {held}", _MEND)
    return PriceReading(bars, reading.notes)


def is_due(now: dt.datetime, newest: dt.datetime | None, asked_at: dt.datetime | None) -> bool:
    """Whether there may be a rate newer than the newest held, and nobody has asked within `EVERY_REFERENCE`."""
    missing = newest is None or newest < newest_published(now)
    return missing and (asked_at is None or now >= asked_at + EVERY_REFERENCE)


def _fetch(url: str, timeout_s: float) -> str:
    options = {CurlOpt.MAXFILESIZE_LARGE: MAX_BYTES, CurlOpt.REDIR_PROTOCOLS_STR: b"http,https",
               CurlOpt.PROTOCOLS_STR: b"http,https"}  # fmt: skip
    connect_s = min(CONNECT_S, timeout_s / 2)
    try:
        with Session[Response](curl_options=options) as session:
            # Uncompressed: the bound of size is one of what is read, and small things cannot grow.
            response = session.get(
                url, timeout=(connect_s, timeout_s - connect_s), max_redirects=MAX_REDIRECTS, accept_encoding=None,
                headers={"User-Agent": USER_AGENT, "Accept": "application/xml, text/xml, */*;q=0.5"},
            )  # fmt: skip
    except RequestException as error:
        if error.code in _FAILURES:
            raise PriceError(_WHERE, *_FAILURES[CurlECode(error.code)], _MEND) from error
        raise unreachable(_WHERE, error) from error
    status = response.status_code
    if status != 200:
        reason = "rate_limited" if status == 429 else f"http_{status}"
        raise PriceError(_WHERE, reason, f"the server answered HTTP {status}", _MEND)
    return str(response.content, "utf-8", "replace")


def _days(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each day as it is written, with its units per EUR by currency."""
    day, units = "", dict[str, str]()
    for cube in _CUBE.finditer(text):
        named = dict(_ATTRIBUTE.findall(cube[0]))
        if "time" in named:
            if day:
                yield day, units
            day, units = named["time"], {}
        elif "currency" in named:
            units[named["currency"]] = named.get("rate", "")
    if day:
        yield day, units


def _rates(text: str, notes: list[str]) -> list[Rate]:
    rates = []
    for day, units in _days(text):
        where = f"ecb {day[:20]}"
        try:
            usd, jpy = float(units["USD"]), float(units["JPY"])
            rate = Rate(dt.date.fromisoformat(day), where, round(jpy / usd, 4))
        except (LookupError, ValueError, ZeroDivisionError):
            notes.append(f"{where} dropped: no date with rates of USD and JPY")
            continue
        if math.isfinite(rate.rate) and rate.rate > 0:
            rates.append(rate)
        else:
            notes.append(f"{where} dropped: the rate {rate.rate} is not a positive number")
    return rates
