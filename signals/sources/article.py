"""A news article as a text document to its parts; the page's furniture around it is dropped."""

import datetime as dt
import re
from typing import NamedTuple

from signals.sources.dates import parse_date
from signals.text import plain

SECTIONS = frozenset({
    "forex", "fx", "currencies", "markets", "stocks", "bonds", "commodities", "news", "latest news", "breaking news",
    "economy", "economic data", "economic calendar", "central banks", "politics", "opinion", "analysis",
    "technical analysis", "fundamental analysis", "foreign exchange and money markets", "news and analysis",
})  # fmt: skip
"""Section lines by name; other short ones are told by their length."""
SECTION_WORDS = 3
SECTION_LETTERS_CJK = 6
"""Chinese and Japanese write no spaces: a section is a word or two, a headline longer."""

SUMMARY_HEADINGS = frozenset({"summary", "key points", "key takeaways", "highlights", "at a glance", "要約", "要点"})

TAIL = re.compile(
    r"related (?:articles?|stories|posts?|news|content|topics|reading)|you (?:may|might) also (?:like|be interested in)"
    r"|more from\b.{0,40}|most (?:read|popular)\b.{0,20}|back to (?:the )?top(?: button)?|関連記事|トップへ戻る",
    re.IGNORECASE,
)
"""A line that opens the tail of the page: nothing of the article comes after it."""
FURNITURE = re.compile(
    r"(?:(?:share (?:this|on|via)|read (?:more|next|also|the full)|follow us|sign up|subscribe|newsletter|advertisement"
    r"|click here|leave a (?:comment|reply)|print this|view comments|skip to|terms of use|get the day.s headlines"
    r"|this is a developing story)\b|(?:tags|photo|image):|続きを読む|シェア).*",
    re.IGNORECASE,
)
"""A line that belongs to the page and may stand anywhere; it counts only where it is short."""
FURNITURE_WORDS = 10
CAPTION_WORDS = 25
"""Between body and tail, lines up to this long that end no sentence are captions and buttons."""
SUBTITLE_LETTERS = 240
"""Without bullets after it, a first line longer than this is the body's."""
HEAD_LINES = 6
"""The time stands within the first lines, if anywhere."""

_TIME = re.compile(r"\d{4}[-/年].{4,30}")
_BULLET = re.compile(r"(?:[•●‣◦▪・·]\s*|[-*–]\s+)(?P<text>.+)")
_ENDS_SENTENCE = re.compile(r"[.!?…:。！？]['\"”’»)\]）」』]*$")
_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


class Article(NamedTuple):
    """The parts of an article, as plain text; any but the title may be missing."""

    section: str | None
    title: str
    published_at: dt.datetime | None
    """UTC, as the form's times are."""
    subtitle: str | None
    bullets: tuple[str, ...]
    body: tuple[str, ...]
    """Paragraphs."""


def parse_article(text: str) -> Article:
    """The parts of one document: section, title, time, subtitle, `Summary:` with bullets, body, furniture.

    Raises
    ------
    ValueError : there is no title.
    """
    lines = [line for line in (plain(raw) for raw in text.splitlines()) if line and not _is_furniture(line)]
    at, published_at = _time(lines)
    if at is None:
        section, title, rest = _title(lines)
    else:
        section, title, extra = _title(lines[:at] or lines[at + 1 : at + 2])
        rest = extra + lines[at + 1 + (at == 0) :]
    subtitle, bullets, body = _summary(rest)
    return Article(section, title, published_at, subtitle, tuple(bullets), tuple(_without_tail(body)))


def _is_furniture(line: str) -> bool:
    return len(line.split()) <= FURNITURE_WORDS and FURNITURE.fullmatch(line) is not None


def _time(lines: list[str]) -> tuple[int | None, dt.datetime | None]:
    """Which of the first lines is the time, and the time (null where it is none that can be)."""
    for at, line in enumerate(lines[:HEAD_LINES]):
        if _is_heading(line):
            break
        if _TIME.fullmatch(line) and not _BULLET.match(line):
            published_at = parse_date(line, zone=dt.UTC)
            if published_at or re.fullmatch(r"[\d\s:/.TZ-]+", line):
                return at, published_at
    return None, None


def _title(lines: list[str]) -> tuple[str | None, str, list[str]]:
    """Section and title from the leading lines, and what is left of them."""
    if not lines or _is_heading(lines[0]) or TAIL.fullmatch(lines[0]):
        raise ValueError("no title")
    second = lines[1] if len(lines) > 1 else ""
    if _is_section(lines[0]) and second and not _is_heading(second) and not TAIL.fullmatch(second):
        return lines[0], second, lines[2:]
    return None, lines[0], lines[1:]


def _is_section(line: str) -> bool:
    if line.casefold() in SECTIONS:
        return True
    if _CJK.search(line):
        return len(line) <= SECTION_LETTERS_CJK
    return len(line.split()) <= SECTION_WORDS and len(line) <= 40 and not re.search(r"\d|[.!?,;]$", line)


def _is_heading(line: str) -> bool:
    return line.rstrip(":： ").casefold() in SUMMARY_HEADINGS


def _summary(lines: list[str]) -> tuple[str | None, list[str], list[str]]:
    """Subtitle, bullets and body from the lines after the head."""
    end = next((i for i, line in enumerate(lines) if _is_heading(line) or _BULLET.fullmatch(line)), None)
    if end is None or end > 2:  # a list further down belongs to the body
        has_subtitle = len(lines) > 1 and len(lines[0]) <= SUBTITLE_LETTERS and not TAIL.fullmatch(lines[1])
        return (lines[0], [], lines[1:]) if has_subtitle else (None, [], lines)
    before, after = lines[:end], lines[end + _is_heading(lines[end]) :]
    bullets = []
    while after and (match := _BULLET.fullmatch(after[0])):
        bullets.append(match["text"])
        after = after[1:]
    return (before[0] if before else None), bullets, before[1:] + after


def _without_tail(body: list[str]) -> list[str]:
    """The body up to the tail of the page, without the captions just before it."""
    end = next((i for i, line in enumerate(body) if TAIL.fullmatch(line)), None)
    if end is None:
        return body
    while end and len(body[end - 1].split()) <= CAPTION_WORDS and not _ENDS_SENTENCE.search(body[end - 1]):
        end -= 1
    return body[:end]
