"""The gist of a title by the lexicon: two newsrooms' words for one event become the same words.

`BOJ raises key rate` and `Bank of Japan hikes` share their concepts; `hikes` and `cuts` answer one question
in two ways, and so do `Waller` and `Daly`, `March` and `June`: such titles tell two events, however much
else of them is the same.
"""

import functools
import itertools
import re
from collections.abc import Iterable
from types import MappingProxyType

from signals.scoring.lexicon import Concept
from signals.scoring.units import Unit, english, japanese
from signals.text import Gist, fold, normal_title, numbers, script_lang

MIN_OVERLAP = 0.45
"""Share of gists in common (Jaccard) from which two titles tell one event, if nothing is at odds."""
_TAG = re.compile(
    r"^(?:\s*(?:\*+|【[^】]{1,6}】|[（(](?:訂正|再送|更新|速報|修正|取り?消し?|撤回)[)）]|(?:(?P<mends>CORRECTED|CORRECTION|REFILE|訂正)|RPT|WRAPUP|UPDATED?|EXCLUSIVE|BREAKING|ALERT"
    r"|URGENT|FLASH|RECAP|ADVISORY|BRIEF|WITHDRAWN|WITHDRAWAL|RETRACTED|RETRACTION|KILL|KILLED|取り消し|再送|更新|速報)(?:\s*\(?\d+\)?)?(?:\s*\([^)]*\))?\s*[-–—:：]))+\s*",
    re.IGNORECASE,
)
"""What newsrooms put before a title that they send again."""
_WITHDRAWS = re.compile(r"WITHDRAW[NA]L?|RETRACT(?:ED|ION)|KILL(?:ED)?|取り?消し?|撤回", re.IGNORECASE)
"""Of those, what takes a story back."""
_SOURCE = re.compile(r"\s+[-–—|]\s+[A-Z][\w.&' ]{1,30}$")
_SENSES = {
    "policy": "TIGHTEN EASE HOLD", "talk": "HAWK DOVE", "way": "UP=UPN=HIGHEST=ABOVE DOWN=DOWNN=LOWEST=BELOW FLAT",
    "figure": "STRONG WEAK INLINE", "cause": "LIFT DRAG", "position": "LONGS SHORTS", "risk": "RISKON RISKOFF",
    "change": "GROW RECEDE", "size": "RAISE CUT",
    "indicator": "INFLATION JOBS JOBLESS WAGES GROWTH CONSUMER SURVEY HOUSING DEFICIT",
}  # fmt: skip
"""Questions and their answers, `=` between those that are one."""
_ANSWER = {
    name: (question, names.split("=")[0])
    for question, answers in _SENSES.items()
    for names in answers.split()
    for name in names.split("=")
}
_PRICES = frozenset({"YEN", "USD", "PAIR"})
_NAMED = frozenset(
    {"FED", "BOJ", "MOF", "USTREASURY", "BROKER", "FOREIGN", "OTHERFX", "OTHERCB", "OTHERPAIR", "YENCROSS", "EQUITY"}
)
"""Concepts that many bear: which of them is meant tells events apart."""
_OFFICES = frozenset(
    {"fed", "fed_s", "fomc", "federal_reserve", "boj", "boj_s", "bank_of_japan", "mof", "finance_ministry",
     "us_treasury", "stock", "shar", "futur", "equiti",
     "日銀", "日本銀行", "財務省", "当局", "政府・日銀", "株価", "株式"}
)  # fmt: skip
"""Of those, words for the house itself, which name no one in it."""
_QUALIFIERS = frozenset(
    {"core", "tokyo", "preliminary", "prelim", "final", "revised", "services", "manufacturing", "real"}
)
_TIMES = frozenset(
    re.findall(
        r"\w+",
        "january february march april june july august september october november december jan feb mar apr jun jul aug"
        " sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday q1 q2 q3 q4",
    )
)
_JA_TIMES = re.compile(r"\d+月|\d+日|\d+年")
_SAYS_NOTHING = frozenset({"TERM", "SAY", "HOPE", "PREVIEW", "QUESTION", "BUT", "AGAINST"})
_STOP = frozenset(
    re.findall(
        r"\S+",
        "to of in on at for is as and # % , : ; by s with from be it after amid over ? - + than per will more that are"
        " was has have said year month week",
    )
)
_REMEMBERED = 50_000
"""Titles of a window of days: each step asks for them again."""
_WORD = re.compile(r"[a-z0-9]+")


@functools.lru_cache(_REMEMBERED)
def gist(title: str) -> Gist:
    """The gist of one title, in English or Japanese."""
    tag = _TAG.match(title)
    bare = title[tag.end() :] if tag else title
    normal, text = normal_title(bare), fold(_SOURCE.sub("", bare))
    latin = text.isascii() or script_lang(text) not in ("ja", "zh")
    units = english(text) if latin else japanese(text)
    meant = [concept for _said, concept, *_ in units]
    denies = any(concept.role == "flip" or (concept.name == "RECEDE" and not latin) for concept in meant)
    priced = any(concept.name in _PRICES for concept in meant)
    marks = {name for name, there in (("denied", denies), ("price", priced)) if there}
    if latin:
        plain = set(_WORD.findall(text))
        times = {word[:3] for word in plain & _TIMES}
        marks |= plain & _QUALIFIERS
    else:
        times = set(_JA_TIMES.findall(text))
    return Gist(
        words=frozenset(_words(units) if latin else _characters(units, normal)),
        figures=frozenset(numbers(normal)),
        normal=normal,
        names=frozenset(unit[0] for unit in units if unit[1].name in _NAMED and unit[0] not in _OFFICES),
        times=frozenset(times),
        marks=frozenset(marks),
        senses=_senses(meant),
        corrects=bool(tag and tag["mends"]),
        withdraws=bool(tag and _WITHDRAWS.search(tag.group())),
    )


def _words(units: list[Unit]) -> Iterable[str]:
    for said, concept, *_ in units:
        if concept.name:
            if concept.name not in _SAYS_NOTHING:
                yield concept.name
        elif said not in _STOP and said not in _TIMES:
            yield said


def _characters(units: list[Unit], normal: str) -> Iterable[str]:
    yield from (unit[1].name for unit in units if unit[1].name not in _SAYS_NOTHING)
    yield from (pair for pair in map("".join, itertools.pairwise(normal)) if pair.isalpha())


def _senses(meant: Iterable[Concept]) -> MappingProxyType[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for concept in meant:
        if concept.name in _ANSWER:
            question, answer = _ANSWER[concept.name]
            found.setdefault(question, set()).add(answer)
    return MappingProxyType({question: frozenset(answers) for question, answers in found.items()})
