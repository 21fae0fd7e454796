"""GDELT's article lists: windows of time, politeness, and answers that are none."""

import datetime as dt
import json

import aiohttp
import pytest
from aiohttp import web

from signals.errors import ConfigError, SourceError
from signals.sources import gdelt
from signals.sources.gdelt import CAP, Search, Window
from signals.sources.history import mapping

from .conftest import Site, clock

pytestmark = pytest.mark.asyncio

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


def article(at: dt.datetime, number: int = 0) -> dict[str, str]:
    """An article as GDELT lists it."""
    return {
        "url": f"https://news.example.com/{at:%d%H%M}/{number}", "url_mobile": "", "title": f"Yen news {number}",
        "seendate": f"{at:%Y%m%dT%H%M%SZ}", "socialimage": "", "domain": "news.example.com", "language": "English",
        "sourcecountry": "Japan",
    }  # fmt: skip


class Archive:
    """GDELT's API over these articles: both ends of a window included, `CAP` articles at most."""

    def __init__(self, site: Site, moments: list[dt.datetime]) -> None:
        self.articles = [(at, article(at, number)) for number, at in enumerate(moments)]
        self.asked: list[tuple[dt.datetime, dt.datetime]] = []
        self.pauses: list[float] = []
        site.pages["/doc"] = self._answer
        self.search = Search("usd jpy", START, START + 2 * DAY, site.url("/doc"))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        query = request.query
        assert (query["query"], query["mode"], query["format"], query["maxrecords"]) == (
            "usd jpy", "ArtList", "json", str(CAP),
        )  # fmt: skip
        low, high = (
            dt.datetime.strptime(query[name], "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
            for name in ("startdatetime", "enddatetime")
        )
        self.asked.append((low, high))
        found = [one for at, one in self.articles if low <= at <= high][:CAP]
        return web.Response(text=json.dumps({"articles": found} if found else {}), content_type="application/json")

    async def pause(self, seconds: float) -> None:
        """Remember that it was waited."""
        self.pauses.append(seconds)

    async def read(self, session: aiohttp.ClientSession, after: dt.datetime = START) -> list[Window]:
        """All windows of the search."""
        return [window async for window in gdelt.windows(self.search, after, session, clock, self.pause)]


async def test_full_windows_are_asked_for_in_halves(site: Site, session: aiohttp.ClientSession) -> None:
    """Whatever the crowd, every article comes, in windows that meet and none of which was cut."""
    crowd = [START + 6 * 60 * MINUTE + n * MINUTE for n in range(600)]
    archive = Archive(site, [START, *crowd, START + 47 * 60 * MINUTE])
    windows = await archive.read(session)
    found = {one["url"] for window in windows for one in window.articles}
    assert found == {one["url"] for _, one in archive.articles}
    assert not any(window.maybe_cut for window in windows)
    assert [window.start for window in windows] == [START, *(window.end for window in windows[:-1])]
    assert windows[-1].end == archive.search.end
    assert archive.pauses == [5.0] * (len(archive.asked) - 1)
    assert len(archive.asked) <= 20


async def test_a_quarter_of_an_hour_that_is_full_is_noted(site: Site, session: aiohttp.ClientSession) -> None:
    """Windows are never shorter than what GDELT works in; one that is full even so says that it may be cut."""
    archive = Archive(site, [START + DAY + 3 * MINUTE] * (CAP + 50))
    windows = await archive.read(session)
    assert [window.start for window in windows if window.maybe_cut] == [START + DAY]
    assert min(high - low for low, high in archive.asked) == 15 * MINUTE
    assert sum(len(window.articles) for window in windows) == CAP


async def test_quiet_times_take_few_requests(site: Site, session: aiohttp.ClientSession) -> None:
    """Where little is found the windows grow; a search goes on from where it was."""
    archive = Archive(site, [])
    archive.search = archive.search._replace(end=START + 366 * DAY)
    assert (await archive.read(session))[-1].end == archive.search.end
    assert len(archive.asked) <= 17
    archive.asked.clear()
    await archive.read(session, START + 365 * DAY)
    assert archive.asked == [(START + 365 * DAY, START + 366 * DAY)]


@pytest.mark.parametrize(
    ("status", "body", "header", "pauses"),
    [
        (429, b"", {"Retry-After": "70"}, [70, 70]),
        (429, b"", {}, [10, 20]),
        (503, b"", {}, [10, 20]),
        (200, b"Please limit requests to one every 5 seconds.", {}, [10, 20]),
    ],
)
async def test_a_server_that_wants_rest_is_left_alone(
    site: Site, session: aiohttp.ClientSession, status: int, body: bytes, header: dict[str, str], pauses: list[float]
) -> None:
    """It is asked again after as long as it says, or ever longer, and the answer then counts."""
    archive = Archive(site, [START])
    sound, refusals = site.pages["/doc"], 2

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal refusals
        refusals -= 1
        return web.Response(status=status, body=body, headers=header) if refusals >= 0 else await sound(request)

    site.pages["/doc"] = answer
    archive.search = archive.search._replace(end=START + DAY)
    (window,) = await archive.read(session)
    assert len(window.articles) == 1
    assert archive.pauses == pauses


async def test_a_server_that_never_answers_is_given_up(site: Site, session: aiohttp.ClientSession) -> None:
    """After some minutes of tries the failure says so, with what to do."""
    archive = Archive(site, [])
    site.put("/doc", status=503)
    with pytest.raises(
        SourceError, match="GDELT: the server answered HTTP 503 - try again later: it goes on from here"
    ):
        await archive.read(session)
    assert (len(archive.pauses), len(site.requests)) == (gdelt.TRIES - 1, gdelt.TRIES)


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        (
            b"Your query was too short or too long.\n",
            ConfigError,
            "--gdelt 'usd jpy': GDELT answers: Your query was too",
        ),
        (b"", ConfigError, "--gdelt 'usd jpy': GDELT answers: nothing"),
        (b'{"articles": [', SourceError, "GDELT: its answer is no JSON"),
        (b'{"articles": {}}', SourceError, "GDELT: its answer holds no list of articles"),
        (b"[]", SourceError, "GDELT: its answer holds no list of articles"),
    ],
)
async def test_an_answer_that_is_none_is_one_clear_line(
    site: Site, session: aiohttp.ClientSession, body: bytes, error: type[Exception], told: str
) -> None:
    """What GDELT says in plain words is shown; nothing is asked again."""
    archive = Archive(site, [])
    site.put("/doc", body)
    with pytest.raises(error) as caught:
        await archive.read(session)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)
    assert len(site.requests) == 1


async def test_odd_escapes_cost_nothing(site: Site, session: aiohttp.ClientSession) -> None:
    """Titles with backslashes that escape nothing, or with control characters, are read."""
    archive = Archive(site, [])
    archive.search = archive.search._replace(end=START + DAY)
    site.put("/doc", b'{"articles": [{"title": "BOJ\\\'s \\d \\u65e5 \\\\ \tmove"}, 7]}')
    (window,) = await archive.read(session)
    assert window.articles == [{"title": "BOJ's \\d 日 \\ \tmove"}, {}]


async def test_an_address_that_is_none_is_told(session: aiohttp.ClientSession) -> None:
    """`--gdelt-url` that is no address is one clear line, and nothing is asked."""
    search = Search("q", START, START + DAY, "http://[::1")
    with pytest.raises(ConfigError, match="is not an address"):
        await anext(gdelt.windows(search, START, session, clock, _never))


async def _never(seconds: float) -> None:
    raise AssertionError(seconds)


async def test_a_file_of_gdelts_is_understood_like_an_answer() -> None:
    """The columns guessed of an article list are those that its fields mean."""
    assert mapping(list(article(START)), {}, "f") == gdelt.COLUMNS
