"""A damaged feed, and the requirement on its reading."""

import time
from collections.abc import Callable
from random import Random

from signals.errors import SourceError
from signals.model import FeedState
from signals.sources import rss
from signals.sources.feed import Feed, Reading
from signals.sources.fetch import Fetched
from signals.text import plain

from ..conftest import NOW
from .damage import ENCODINGS, Written, spoil, written
from .documents import FORMATS, Document, Sound, document

FEED = Feed(id="wire", kind="rss", url="https://wire.example/rss")
BOUND_S = 5.0
"""No input may take longer: a hundred times what the largest of them takes."""


def read(raw: bytes, content_type: str) -> Reading:
    """The reading of some bytes, as fetched at NOW."""
    return rss.parse(
        FEED, FeedState(source="wire"), Fetched(200, raw, content_type, None, None, "https://wire.example/rss", NOW)
    )


def one_item_broken(chance: Random, form: str, count: int, encoding: str) -> tuple[Written, list[Sound]]:
    """A feed in which one item is damaged, and the others."""
    made = document(chance, form, count)
    victim = chance.randrange(count)
    parts = [item.xml if n != victim else spoil(chance, item.xml) for n, item in enumerate(made.items)]
    others = [item for n, item in enumerate(made.items) if n != victim]
    return written(chance, made, "".join((made.head, *parts, made.tail)), encoding), others


def channel_broken(chance: Random, form: str, count: int, encoding: str) -> tuple[Written, list[Sound]]:
    """A feed damaged around its items: in its head but for the root's start tag, between items, in its tail."""
    made = document(chance, form, count)
    root, rest = made.head.split(">", 1)
    head, tail, between = f"{root}>{rest}", made.tail, ""
    where = chance.randrange(3)
    if where == 0:
        head = f"{root}>{spoil(chance, rest)}"
    elif where == 1:
        between = spoil(chance, " ")
    else:
        tail = spoil(chance, tail)
    at = chance.randint(0, count)
    parts = [item.xml for item in made.items]
    text = "".join((head, *parts[:at], between, *parts[at:], tail))
    return written(chance, made, text, encoding), list(made.items)


def mutated(chance: Random, form: str, count: int) -> Written:
    """A sound feed with some of its bytes changed, doubled, taken away or cut off."""
    made: Document = document(chance, form, count)
    raw, header = written(chance, made, "".join((made.head, *(i.xml for i in made.items), made.tail)), _any(chance))
    changed = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 4, 8, 30))):
        at, many = chance.randrange(len(changed)), chance.choice((1, 1, 2, 8, 64))
        kind = chance.randrange(5)
        if kind == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[at:at] = chance.randbytes(many)
        elif kind == 2:
            changed[at : at + many] = b""
        elif kind == 3:
            changed[at:at] = changed[at : at + many]
        elif chance.random() < 0.3:
            changed[at:] = b""
        changed = changed or bytearray(b"<")
    return bytes(changed), header


def _any(chance: Random) -> str:
    return chance.choice(list(ENCODINGS))


def lost(written_as: Written, others: list[Sound]) -> str:
    """What is wrong with the reading of a feed whose other items are sound; empty where nothing is."""
    reading, problem = sound_reading(written_as)
    if reading is None:
        return "taken for no feed" if others else ""
    if problem:
        return problem
    found = {(h.title, h.url, h.source_published_at) for h in reading.headlines}
    missing = [item.title for item in others if (plain(item.title), item.url, item.published_at) not in found]
    return f"lost {missing}" if missing else ""


def sound_reading(written_as: Written) -> tuple[Reading | None, str]:
    """The reading of any bytes whatever (null: said to be no feed), and what is wrong with it."""
    started = time.thread_time()
    try:
        reading = read(*written_as)
    except SourceError:
        return None, ""
    took_s = time.thread_time() - started
    if took_s > BOUND_S:
        return reading, f"took {took_s:.1f} s"
    for headline in reading.headlines:
        if not headline.title or any(plain(text) != text.rstrip() for text in (headline.title, headline.summary)):
            return reading, f"not plain: {headline.title[:80]!r}"
        if headline.known_at != NOW:
            return reading, f"known at {headline.known_at}"
    return reading, ""


def item_problem(seed: int) -> str:
    """What is wrong with the reading of a feed of which one item is broken, case number `seed`."""
    chance = Random(seed)
    form, encoding = chance.choice(list(FORMATS)), _any(chance) if chance.random() < 0.3 else "utf-8"
    return lost(*one_item_broken(chance, form, chance.choice((2, 2, 3)), encoding))


def channel_problem(seed: int) -> str:
    """The same where what is broken stands around the items."""
    chance = Random(seed)
    form, encoding = chance.choice(list(FORMATS)), _any(chance) if chance.random() < 0.3 else "utf-8"
    return lost(*channel_broken(chance, form, chance.choice((1, 2, 2)), encoding))


def bytes_problem(seed: int) -> str:
    """The same of one whose bytes are changed anywhere: no item is promised, only that it ends well."""
    chance = Random(seed)
    return sound_reading(mutated(chance, chance.choice(list(FORMATS)), chance.choice((1, 2, 2))))[1]


def problems(problem_of: Callable[[int], str], seeds: range) -> dict[int, str]:
    """By seed, what is wrong."""
    return {seed: problem for seed in seeds if (problem := problem_of(seed))}
