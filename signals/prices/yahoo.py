"""USD/JPY bars from Yahoo Finance, through yfinance."""

import datetime as dt
import functools
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import yfinance as yf  # type: ignore[import-untyped,unused-ignore]
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException
from peewee import PeeweeException
from yfinance.data import YfData  # type: ignore[import-untyped,unused-ignore]
from yfinance.exceptions import (  # type: ignore[import-untyped,unused-ignore]
    YFException,
    YFPricesMissingError,
    YFRateLimitError,
)

from signals.errors import PermanentError, PriceError
from signals.model import Bar
from signals.prices.budget import Budget, rate_limited, unreachable, within
from signals.prices.checks import NEIGHBOURS, PRICES, believable, in_fx_week
from signals.prices.patience import SOURCE_WIDE
from signals.prices.reading import Clock, PriceReading, shorten
from signals.prices.scale import PERSISTS, Kept, jump_note, other_scale, same_scale

SOURCE = "yahoo"
Interval = Literal["1m", "1h"]
SessionFactory = Callable[[], Session[Response]]

STEP = {"1m": dt.timedelta(minutes=1), "1h": dt.timedelta(hours=1)}
REACH = {"1m": dt.timedelta(days=8, minutes=-5), "1h": dt.timedelta(days=730, hours=-1)}
"""How far back Yahoo answers, less a margin for a clock that differs from Yahoo's."""
ONE_REQUEST = {"1m": dt.timedelta(days=7), "1h": dt.timedelta(days=730)}
BEFORE = 30
"""Bars asked for before `since`: by them the first new bars are judged."""

_ONE_AT_A_TIME = threading.Lock()
"""yfinance has one session, cookie and crumb for the whole process."""
_FOREIGN = (YFException, LookupError, ArithmeticError, TypeError, ValueError, AttributeError)
"""What yfinance raises where Yahoo's answer is not the JSON that it expects."""


def read_yahoo(
    clock: Clock,
    *,
    interval: Interval,
    since: dt.datetime | None,
    until: dt.datetime | None = None,
    again: dt.timedelta = dt.timedelta(0),
    kept: Kept | None = None,
    session_factory: SessionFactory | None = None,
    symbol: str = "USDJPY=X",
    cache_dir: Path,
    timeout_s: float = 8.0,
) -> PriceReading:
    """Closed bars that opened at or after `since`, oldest first, and those within `again` before it.

    A bar counts as closed if it was when Yahoo was asked. `known_at` is the time of receipt. Rows that cannot
    be prices are dropped with a note. Yahoo has no bar for the last minute of a London day. Of several requests
    one may fail: what the others gave is returned, with a note.

    Parameters
    ----------
    clock : gives the UTC time now; it also times the call.
    interval : length of a bar, `1m` (Yahoo keeps 8 days) or `1h` (730 days).
    since : aware UTC, best the close of the last bar held; null for as far back as Yahoo answers.
    until : aware UTC; bars that close later are not returned (null: all that have closed).
    again : how far before `since` bars are returned, too: those that may have changed.
    kept : a close that is held, best the newest: bars at another scale than it are refused (null: none is).
    session_factory : makes the HTTP session (null: one that looks like a browser, kept by the process).
    symbol : Yahoo's name for USD/JPY.
    cache_dir : folder of yfinance's own caches (time zone, cookie); the first one used in a process counts.
    timeout_s : seconds for the whole call. With no network it fails within two `CONNECT_S` of `budget.py`.

    Raises
    ------
    PriceError : no usable answer; `reason` is unreachable, timeout, rate_limited, http_<status>, empty_answer,
        other_shape, or other_scale where its prices are far from the one that is held.
    PermanentError : yfinance's cache files are broken.
    """
    where = f"yahoo {symbol} {interval}"
    asked_at, step = clock(), STEP[interval]
    reach = asked_at - REACH[interval]
    fresh = max(since or reach, reach)
    start, end = max(fresh - again, reach), min(until or asked_at, asked_at)
    if not _may_have_closed(start, end, step):
        return PriceReading(())
    with _ONE_AT_A_TIME:
        _prepare(cache_dir)
        session = (session_factory or _browser)()
        with within(session, clock, timeout_s, where) as budget:
            spans = _spans(max(start - BEFORE * step, reach), min(end + NEIGHBOURS * step, asked_at), interval)
            frames, notes = _fetch_all(symbol, interval, list(spans), session, budget, cache_dir)
    reading = _reading(pd.concat(frames), _Wanted(start, fresh, end, asked_at, step, kept), clock(), where)
    return PriceReading(reading.bars, shorten([*notes, *reading.notes]))


class _Wanted(NamedTuple):
    start: dt.datetime
    fresh: dt.datetime
    """From here on bars are not held yet."""
    end: dt.datetime
    asked_at: dt.datetime
    step: dt.timedelta
    kept: Kept | None


def _may_have_closed(start: dt.datetime, now: dt.datetime, step: dt.timedelta) -> bool:
    return bool(in_fx_week(pd.date_range(pd.Timestamp(start).ceil(step), now - step, freq=step)).any())


def _spans(start: dt.datetime, end: dt.datetime, interval: Interval) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Equal parts, each within what one request may ask for: a short one could fall into a weekend and be empty."""
    parts = math.ceil((end - start) / ONE_REQUEST[interval])
    for part in range(parts):
        yield start + (end - start) * part / parts, start + (end - start) * (part + 1) / parts


def _prepare(cache_dir: Path) -> None:
    yf.config.debug.hide_exceptions = False  # else an HTTP 500 is an empty frame
    YfData.cache_get.cache_clear()  # it keeps failed answers, for the life of the process
    _cache_in(cache_dir)


@functools.cache
def _cache_in(cache_dir: Path) -> None:
    yf.set_tz_cache_location(str(cache_dir))  # once: each time it closes the files in use


@functools.cache
def _browser() -> Session[Response]:
    return Session(impersonate="chrome")


def _fetch_all(
    symbol: str, interval: Interval, spans: list[tuple[dt.datetime, dt.datetime]],
    session: Session[Response], budget: Budget, cache_dir: Path,
) -> tuple[list[pd.DataFrame], list[str]]:  # fmt: skip
    """Yahoo's rows over each span that it answered for, and a note for each other; the error where it was none.

    The newest comes first: should the time run out, the price of now is there.
    """
    frames: list[pd.DataFrame] = []
    failures: list[tuple[str, PriceError]] = []
    for low, high in reversed(spans):
        try:
            frames.append(_fetch(symbol, interval, (low, high), session, budget, cache_dir))
        except PriceError as error:
            failures.append((f"{low:%Y-%m-%dT%H:%MZ} to {high:%Y-%m-%dT%H:%MZ}", error))
            if error.reason in SOURCE_WIDE:
                break
    if not frames:
        raise failures[0][1]
    return frames, [f"{budget.where}: {span} failed: {error.reason} ({error.problem})" for span, error in failures]


def _fetch(
    symbol: str, interval: Interval, span: tuple[dt.datetime, dt.datetime],
    session: Session[Response], budget: Budget, cache_dir: Path,
) -> pd.DataFrame:  # fmt: skip
    """Yahoo's rows over `span`, by UTC time of opening."""
    try:
        frame: pd.DataFrame = yf.Ticker(symbol, session=session).history(
            interval=interval, start=span[0], end=span[1], auto_adjust=False, actions=False, keepna=True
        )
        rows = frame[PRICES].tz_convert("UTC")
    except RequestException as error:
        raise unreachable(budget.where, error) from error
    except YFRateLimitError as error:
        raise rate_limited(budget.where) from error
    except PeeweeException as error:
        raise PermanentError(
            str(cache_dir), f"yfinance's cache is broken: {error}", "delete tkr-tz.db and cookies.db there"
        ) from error
    except _FOREIGN as error:
        raise _no_rows(error, budget) from error
    if rows.empty:
        raise PriceError(budget.where, "empty_answer", "Yahoo answered without prices")
    return rows


def _no_rows(error: Exception, budget: Budget) -> PriceError:
    problem = f"{type(error).__name__}: {error}"[:200]
    if isinstance(error, YFPricesMissingError) and budget.chart is not None and '"chart"' in budget.chart.text:
        return PriceError(budget.where, "empty_answer", problem)
    return PriceError(budget.where, "other_shape", problem, "has Yahoo changed? look for a newer yfinance")


def _reading(rows: pd.DataFrame, wanted: _Wanted, known_at: dt.datetime, where: str) -> PriceReading:
    """Bars of the rows that had closed when Yahoo was asked: one that closed since may lack its last ticks."""
    step = wanted.step
    rows = rows[~rows.index.duplicated(keep="last")].sort_index()
    closed = rows[rows.index <= wanted.asked_at - step]
    believed = believable(closed, pd.Timedelta(step), pd.Timestamp(wanted.start))
    good = same_scale(believed.rows, wanted.kept)
    rows, jumped = believed.rows[good], believed.rows[~good]
    jumped = jumped[jumped.index >= wanted.start]
    new = rows[(rows.index >= wanted.start) & (rows.index <= wanted.end - step)]
    refused = pd.concat([believed.wrong, jumped])
    persists = (refused.index >= wanted.fresh).sum() >= PERSISTS
    if rows.empty or (persists and not (new.index >= wanted.fresh).any()):
        _refuse(closed, refused, wanted.kept, where)
    notes = [*believed.notes, *jump_note(jumped, rows, wanted.kept)]
    return PriceReading(_bars(new, step, known_at), tuple(f"{where}: {note}" for note in notes))


def _refuse(closed: pd.DataFrame, refused: pd.DataFrame, kept: Kept | None, where: str) -> None:
    """Raise for an answer without one bar that can be believed, but not at a weekend."""
    if not in_fx_week(pd.DatetimeIndex(closed.index)).any():
        return
    if refused.empty:
        raise PriceError(where, "empty_answer", f"none of {len(closed)} rows is a bar with a price")
    if kept is not None and (problem := other_scale(refused, kept)):
        raise PriceError(where, "other_scale", problem, "does the symbol still mean yen per dollar?")
    raise PriceError(where, "other_shape", f"none of {len(closed)} rows is a bar with a price")


def _bars(rows: pd.DataFrame, step: dt.timedelta, known_at: dt.datetime) -> tuple[Bar, ...]:
    opened = pd.DatetimeIndex(rows.index).to_pydatetime()
    return tuple(
        Bar(open_at=at.replace(tzinfo=dt.UTC), close_at=at.replace(tzinfo=dt.UTC) + step, known_at=known_at,
            open=row[0], high=row[1], low=row[2], close=row[3], source=SOURCE)
        for at, row in zip(opened, rows.to_numpy(float).tolist(), strict=True)
    )  # fmt: skip
