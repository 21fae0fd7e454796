"""Files of history: their formats, their columns, and what becomes of each row."""

import datetime as dt
import gzip
import json
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from signals.errors import ConfigError
from signals.model import Headline
from signals.sources.history import NAMES, REASONS, Refused, Terms, headline, mapping, source_name
from signals.sources.items import Item, headlines
from signals.sources.tables import format_of, identity, open_rows
from signals.sources.textfile import MAX_LINE
from signals.text import item_id

from .conftest import NOW, rss_feed

AT = dt.datetime(2024, 1, 31, 12, 0, tzinfo=dt.UTC)
TERMS = Terms("import", dt.timedelta(seconds=60))
CELLS = {"title": "BOJ hikes rates", "published_at": "2024-01-31T12:00:00Z"}


def made(terms: Terms = TERMS, **cells: object) -> Headline | Refused:
    """What a row with these cells becomes."""
    return headline(CELLS | cells, terms, NOW)  # type: ignore[arg-type]


def read(path: Path, *wanted: str, after: int = 0, encoding: str | None = None, form: str | None = None) -> list:
    """The rows of a file."""
    rows = open_rows(path, format_of(path, form), encoding)
    try:
        return list(rows.rows(wanted or rows.columns, after))
    finally:
        rows.close()


def put(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_a_row_is_known_at_its_published_time_plus_the_delay() -> None:
    """Without a first-seen time, the published time plus the stated delay is all that a backtest may use."""
    one = made(Terms("import", dt.timedelta(minutes=3)))
    assert isinstance(one, Headline)
    assert (one.source_published_at, one.known_at) == (AT, AT + dt.timedelta(minutes=3))
    assert one.backfilled


def test_a_first_seen_time_goes_before_the_delay() -> None:
    """A row's own first-seen time is when it was known; a row that lacks it is not given another."""
    one = made(known_at="2024-01-31T12:00:07Z")
    assert isinstance(one, Headline)
    assert one.known_at == AT + dt.timedelta(seconds=7)
    assert made(known_at="") == Refused("no first-seen time")
    assert made(known_at="2024-01-31T11:00:00Z") == Refused("published after it was first seen")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "no date"),
        (None, "no date"),
        ("NaN", "no date"),
        ("soon", "date cannot be read"),
        ("2024-02-31T12:00:00Z", "date cannot be read"),
        ("2024-01-31 12:00:00", "date without a zone"),
        ("2024-01-31", "date without a time of day"),
        ("20240131", "date without a time of day"),
        (dt.datetime(2024, 1, 31, 12), "date without a zone"),
        (dt.date(2024, 1, 31), "date without a time of day"),
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), "date cannot be read"),
        ("2099-01-31T12:00:00Z", "known in the future"),
        ((NOW - dt.timedelta(seconds=59)).isoformat(), "known in the future"),
    ],
)
def test_a_time_is_never_invented(raw: object, reason: str) -> None:
    """A row whose date is missing, unclear or still to come is refused, and told why."""
    assert made(published_at=raw) == Refused(reason)
    assert reason in REASONS


@pytest.mark.parametrize(
    "raw",
    [
        "2024-01-31T12:00:00Z", "Wed, 31 Jan 2024 21:00:00 +0900", "20240131T120000Z", "1706702400", 1706702400,
        1706702400000, "1706702400000", 1706702400.0, dt.datetime(2024, 1, 31, 21, tzinfo=ZoneInfo("Asia/Tokyo")),
    ],
)  # fmt: skip
def test_dates_are_read_in_the_forms_that_files_have(raw: object) -> None:
    """Text with a zone, seconds and milliseconds since 1970, and Parquet's times are the same moment."""
    one = made(published_at=raw)
    assert isinstance(one, Headline)
    assert one.source_published_at == AT


def test_a_stated_zone_is_that_of_dates_without_one() -> None:
    """`--zone` tells whose time it is, and leaves dates that say so themselves alone."""
    tokyo = Terms("import", dt.timedelta(0), ZoneInfo("Asia/Tokyo"))
    bare, own = made(tokyo, published_at="2024-01-31 21:00:00"), made(tokyo)
    assert isinstance(bare, Headline)
    assert isinstance(own, Headline)
    assert bare.known_at == own.known_at == AT


def test_a_row_is_cleaned_as_an_item_of_a_feed() -> None:
    """The same words at the same address are the same headline, whether a feed or a file brings them."""
    item = Item("Yen <b>falls</b> &amp; rises", "In <i>short</i>", "https://example.com/a?utm_source=x", None, "", AT)
    (live,), _ = headlines([item], rss_feed("http://127.0.0.1/", id="wire"), AT)
    one = made(title=item.title, summary=item.summary, url=item.link, source="Wire", body="At\x00 <p>length</p>")
    assert isinstance(one, Headline)
    assert (one.headline_id, one.item_id, one.title, one.summary, one.url, one.source, one.lang) == (
        live.headline_id, live.item_id, live.title, live.summary, live.url, live.source, live.lang,
    )  # fmt: skip
    assert one.body == "At length"


def test_the_same_words_on_another_day_are_other_news() -> None:
    """A row with neither address nor id is told from others by its date, and is no correction of any."""
    one, again = made(), made(published_at="2024-02-01T12:00:00Z")
    assert isinstance(one, Headline)
    assert isinstance(again, Headline)
    assert one.headline_id != again.headline_id
    assert one.item_id == again.item_id == ""
    own = made(id="7")
    assert isinstance(own, Headline)
    assert own.item_id == item_id("import", "7")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Example Wire", "example-wire"),
        ("日本経済新聞", "日本経済新聞"),
        ("a.b/c", "a.b-c"),
        ("  -- ", ""),
        ("ＮＨＫ", "nhk"),
    ],
)
def test_a_publishers_name_becomes_a_source(raw: str, name: str) -> None:
    """Names are written alike, so that a publisher counts once."""
    assert source_name(raw) == name


@pytest.mark.parametrize(("raw", "lang"), [("en-US", "en"), ("Japanese", "ja"), ("", "ja"), ("Klingon", "ja")])
def test_a_language_is_a_code_or_a_name_else_the_script_tells(raw: str, lang: str) -> None:
    """`lang` is ISO 639-1 whatever the file writes."""
    one = made(title="日銀、利上げ見送り", lang=raw)
    assert isinstance(one, Headline)
    assert one.lang == lang


def test_columns_are_guessed_by_common_names() -> None:
    """What a column is called says what it holds; the likelier name goes first, the stated one before all."""
    columns = ["ID", "Head-Line", "date", "pub_date", "text", "first seen"]
    guessed = mapping(columns, {}, "f")
    assert guessed == {
        "title": "Head-Line",
        "published_at": "pub_date",
        "known_at": "first seen",
        "id": "ID",
        "body": "text",
    }
    assert mapping(columns, {"title": "text", "published_at": "date"}, "f")["title"] == "text"
    assert "body" not in mapping(columns, {"title": "text"}, "f")
    assert set(NAMES) >= set(guessed)


@pytest.mark.parametrize(
    ("columns", "stated", "told"),
    [
        (["date", "x"], {}, "f: has no column for the title - its columns are date, x: say --columns title=NAME"),
        (["title", "x"], {}, "f: has no column for the date"),
        (["title", "date"], {"url": "link"}, "f: has no column 'link' for url - its columns are title, date"),
        (["title", "date"], {"when": "date"}, "--columns when=date: no such field - one of title,"),
    ],
)
def test_a_missing_column_is_one_clear_line(columns: list[str], stated: dict[str, str], told: str) -> None:
    """The line names what is missing and the columns that are there."""
    with pytest.raises(ConfigError) as caught:
        mapping(columns, stated, "f")
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


ROWS = [["a", "1"], ["b, c", "2"], ["日銀\nhikes", ""]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", '\ufefftitle,n\r\na,1\r\n\r\n"b, c",2\r\n"日銀\nhikes",\r\n'),
        ("b.csv", 'title;n\na;1\nb, c;2\n"日銀\nhikes";""'),
        ("a.tsv", 'title\tn\na\t1\nb, c\t2\n"日銀\nhikes"\t\n'),
    ],
)
def test_separated_values_are_read_as_written(tmp_path: Path, name: str, content: str) -> None:
    """Byte order mark, quotes, line breaks in cells, empty lines, other separators: the rows are the same."""
    path = put(tmp_path, name, content)
    zipped = put(tmp_path, f"{name}.gz", gzip.compress(content.encode()))
    assert read(path, "title", "n") == read(zipped, "title", "n") == ROWS
    assert read(path, "n", "title", after=1) == [["2", "b, c"], ["", "日銀\nhikes"]]
    assert read(path, after=3) == []


def test_json_lines_and_documents_give_the_same_rows(tmp_path: Path) -> None:
    """One object a line, a list of them, or a list in an object; a key that an object lacks is null."""
    objects = [{"title": "a", "n": 1}, {"title": "日銀\n'"}]
    expected = [["a", 1], ["日銀\n'", None]]
    lines = "\n\n".join(json.dumps(one) for one in objects)
    assert read(put(tmp_path, "a.jsonl", lines)) == expected
    assert read(put(tmp_path, "a.jsonl.gz", gzip.compress(lines.encode()))) == expected
    assert read(put(tmp_path, "a.json", json.dumps(objects))) == expected
    assert read(put(tmp_path, "b.json", json.dumps({"status": "ok", "articles": objects})), after=1) == expected[1:]


def test_a_broken_row_costs_only_itself(tmp_path: Path) -> None:
    """Rows that can't be read are refused with a reason, those around them are read."""
    lines = [
        '{"title": "a"}',
        "{",
        "[1]",
        r'{"title": "b\'s \d"}',
        '{"title": "' + "x" * MAX_LINE + '"}',
        '{"title": "c"}',
    ]
    assert read(put(tmp_path, "a.jsonl", "\n".join(lines))) == [
        ["a"], Refused("not JSON"), Refused("not an object"), [r"b's \d"], Refused("too long"), ["c"],
    ]  # fmt: skip
    rows = b"title,n\n" + b"fine,1\n" * 40 + b"caf\xe9,2\nx,y,z\nshort\n"
    assert read(put(tmp_path, "a.csv", rows))[40:] == [
        Refused("not text in this encoding"), Refused("more cells than columns"), ["short", None],
    ]  # fmt: skip
    endless = 'title\na\n"' + ("x" * 999 + "\n") * (MAX_LINE // 1000 + 2)
    assert read(put(tmp_path, "b.csv", endless))[:2] == [["a"], Refused("too long")]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "title,date\n日銀,x\n".encode("utf-16"), "is UTF-16 - say --encoding utf-16"),
        ("a.csv", "title,date\n日銀,利上げ\n".encode("cp932"), "is not UTF-8 (line 2) - say its encoding"),
        ("a.csv.gz", gzip.compress(b"title,date\n" + b"a,b\n" * 99, mtime=0)[:30], "is no sound gzip file"),
        ("a.csv.gz", gzip.compress(b"title\n" + bytes(range(32, 127)) * 9999, 0, mtime=0)[:-9], "breaks off"),
        ("a.json", b"{", "is not one JSON document"),
        ("a.json", b'{"articles": []}', "holds no list of headlines"),
        ("a.txt", b"", "its name does not tell its format"),
        ("none.csv", None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(
    tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    """The line names the file and the mend; nothing of it is guessed."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: {told}")
    assert "\n" not in str(caught.value)


def test_a_stated_encoding_is_used(tmp_path: Path) -> None:
    """Shift_JIS and UTF-16 files are read where the user says what they are; a name that is none is told."""
    for encoding in ("cp932", "utf-16"):
        path = put(tmp_path, "a.csv", "title,n\n日銀,1\n", encoding)
        assert read(path, encoding=encoding) == [["日銀", "1"]]
    with pytest.raises(ConfigError, match="--encoding nonsense: no such encoding"):
        read(path, encoding="nonsense")


def test_a_file_is_told_from_others_by_name_size_and_beginning(tmp_path: Path) -> None:
    """The same file is the same import wherever it lies; one that has grown is another."""
    path = put(tmp_path, "a.csv", "title\n")
    (tmp_path / "elsewhere").mkdir()
    assert identity(path) == identity(put(tmp_path / "elsewhere", "a.csv", "title\n"))
    first = identity(path)
    assert len({first, identity(put(tmp_path, "a.csv", "title\na")), identity(put(tmp_path, "b.csv", "title\n"))}) == 3


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is not installed, one line says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"Parquet needs pyarrow - pip install 'usdjpy-signals\[research\]'"):
        read(put(tmp_path, "a.parquet", b"PAR1"))


def test_parquet_is_read_like_the_others(tmp_path: Path) -> None:
    """Texts, aware and bare times, days and nulls come out as they are in the other formats."""
    import pyarrow as pa
    from pyarrow import parquet

    times = [AT, None] + [AT + dt.timedelta(days=n) for n in range(4999)]
    table = pa.table({
        "title": pa.array(["日銀", "b", *["x"] * 4999]),
        "at": pa.array(times, pa.timestamp("ns", tz="Asia/Tokyo")),
        "bare": pa.array([at and at.replace(tzinfo=None) for at in times], pa.timestamp("ms")),
    })  # fmt: skip
    parquet.write_table(table, path := tmp_path / "a.parquet", row_group_size=1000)
    rows = read(path, "at", "title", "bare")
    assert rows[0] == [AT, "日銀", AT.replace(tzinfo=None)]
    assert rows[1] == [None, "b", None]
    assert (len(rows), read(path, "at", after=4500)) == (5001, [[row[0]] for row in rows[4500:]])
    with pytest.raises(ConfigError, match="is no Parquet file"):
        read(put(tmp_path, "b.parquet", b"title,date\n"))
