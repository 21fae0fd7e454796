"""A made archive that is mixed like a real feed: seeded, and taken in steps of a minute as a service takes it."""

import datetime as dt
import math
import random
from collections.abc import Iterator
from typing import NamedTuple

from signals.model import Bar, Headline, Policy, Withdrawal
from signals.scoring.corpus import read_corpus
from signals.scoring.model import ScoringModel
from signals.text import headline_id, item_id, script_lang
from tests.conftest import ROOT

BEGIN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
"""A Monday."""
RELEVANT = Policy().relevance_min
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
Step = tuple[dt.datetime, list[Headline], list[Withdrawal], bool, dt.datetime]


class Mix(NamedTuple):
    """What a feed is made of."""

    per_day: int = 5_000
    relevant: float = 0.225
    """Share that bears on the pair."""
    repeated: float = 0.5
    """Share of the relevant that repeats an earlier one: half in the same words from another source, half edited."""
    echoed: float = 0.15
    """Share of the others that repeats an earlier one in the same words."""


_WHO = (
    "Alder Bank", "Brookline Foods", "Cobalt Motors", "Delphi Airways", "Eastgate Pharma", "Fairview Retail",
    "Harbour Steel", "Inland Rail", "Juniper Chips", "Kestrel Energy", "Lakeside Media", "Moorfield", "Northwind Solar",
    "Orchard Homes", "Pinecrest Capital", "Quayside Shipping", "Redwood Software", "Tidewater Oil",
    "Brazil", "Canada", "Chile", "Denmark", "Egypt", "France", "Ghana", "India", "Italy", "Kenya", "Mexico", "Norway",
)  # fmt: skip
_DOES = (
    "names new chief executive", "recalls {n} vehicles", "opens plant with {n} jobs", "wins {n} million order",
    "sues rival over patents", "plans to close {n} stores", "delays launch of flagship phone", "posts record orders",
    "agrees to sell its insurance arm", "faces strike at {n} sites", "signs gas supply deal", "reports {n} new cases",
    "hosts climate talks", "approves football bid", "rescues {n} after floods", "launches satellite",
    "begins trial of former minister", "elects assembly", "cuts {n} jobs in overhaul", "buys stake in start-up",
    "raises {n} million in listing", "drops merger plan", "settles lawsuit for {n} million", "tests new vaccine",
)  # fmt: skip
_WHERE = (
    "",
    " in Lisbon",
    " after review",
    ", sources say",
    " for second time",
    " amid protests",
    " despite delay",
    "",
)
_JA = (
    "が新工場を建設",
    "、社長が交代",
    "が決算発表を延期",
    "の新製品が人気",
    "が海外で提携",
    "、{n}人を採用",
    "で祭り開催",
)
_EDITS = ("UPDATE 1-{}", "{} - Newsline", "{}, officials say", "{} on Tuesday", "BREAKING: {}", "{} - report")


def archive(mix: Mix, count: int, model: ScoringModel, seed: int = 1) -> tuple[list[Step], list[Bar]]:
    """So many headlines in steps of a minute, and one-minute bars to go with them, each learned as it closed.

    `model` says what of the made titles bears on the pair, so that the mix is what it says it is.
    """
    chance = random.Random(seed)
    near = [row.text for row in read_corpus(ROOT / "seeds" / "headlines") if row.relevant]
    chance.shuffle(near)
    far = list(dict.fromkeys(_other(chance) for _ in range(2 * count)))
    relevance = [dict(zip(texts, model.probabilities(texts)[0].tolist(), strict=True)) for texts in (near, far)]
    titles = {
        True: iter([text for text, share in relevance[0].items() if share >= RELEVANT]),
        False: iter([text for text, share in relevance[1].items() if share < RELEVANT]),
    }
    steps: list[Step] = []
    for headline in _headlines(mix, count, titles, chance):
        at = headline.known_at.replace(second=0, microsecond=0) + MINUTE
        if not steps or steps[-1][0] != at:
            steps.append((at, [], [], False, at - MINUTE))
        steps[-1][1].append(headline)
    return steps, list(_bars(steps[-1][0], seed))


def _headlines(mix: Mix, count: int, titles: dict[bool, Iterator[str]], chance: random.Random) -> Iterator[Headline]:
    told: dict[bool, list[str]] = {True: [], False: []}
    for number in range(count):
        relevant = chance.random() < mix.relevant
        recent = told[relevant][-mix.per_day // 2 :]
        repeats = recent and chance.random() < (mix.repeated if relevant else mix.echoed)
        if repeats:
            title = chance.choice(recent)
            title = chance.choice(_EDITS).format(title) if relevant and chance.random() < 0.5 else title
        else:
            title = next(titles[relevant])
            told[relevant].append(title)
        at = BEGIN + DAY * (number / mix.per_day)
        source, url = f"wire-{number % 40}", f"https://example.org/{number}"
        yield Headline(
            headline_id=headline_id(source, url, title), source=source, item_id=item_id(source, url), url=url,
            title=title, lang=script_lang(title), source_published_at=at - MINUTE, known_at=at,
        )  # fmt: skip


def _other(chance: random.Random) -> str:
    """News of other things, hardly ever twice the same."""
    who, n = chance.choice(_WHO), chance.randrange(2, 5_000)
    if chance.random() < 0.1:
        return f"{who}{chance.choice(_JA)}".format(n=n)
    then = f", {chance.choice(_WHO)} {chance.choice(_DOES)}" if chance.random() < 0.4 else ""
    return f"{who} {chance.choice(_DOES)}{chance.choice(_WHERE)}{then}".format(n=n)


def _bars(until: dt.datetime, seed: int) -> Iterator[Bar]:
    chance, price, open_at = random.Random(seed), 150.0, BEGIN - DAY
    while open_at < until:
        close = price * math.exp(chance.gauss(0, 2e-4))
        yield Bar(
            open_at=open_at, close_at=open_at + MINUTE, open=price, high=max(price, close), low=min(price, close),
            close=close, source="yahoo", known_at=open_at + MINUTE,
        )  # fmt: skip
        open_at, price = open_at + MINUTE, close
