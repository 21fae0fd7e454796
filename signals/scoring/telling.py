"""What of a title tells its event: concepts of the lexicon, words, names, figures, times and answers.

`BOJ raises key rate` and `Bank of Japan hikes` share their concepts; `hikes` and `cuts` answer one question in two
ways, and so do `Waller` and `Daly`, `March` and `June`. `likeness.py` weighs what two titles share against what is at
odds in them.
"""

import csv
import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from signals.scoring.lexicon import Concept
from signals.scoring.units import Unit, english, japanese
from signals.text import fold, normal_title, numbers, script_lang


def word_set(words: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(words.split())


_MENDS = "CORRECTED|CORRECTION|REFILE|訂正|修正"
_TAKES_BACK = "WITHDRAWN|WITHDRAWAL|WITHDRAWS|RETRACTED|RETRACTION|KILLED|KILL|取り消し|取消し|取消|撤回"
_SENT_AGAIN = (
    "RPT|WRAPUP|UPDATED?|EXCLUSIVE|BREAKING|ALERT|URGENT|FLASH|RECAP|ADVISORY|BRIEF|INTERVIEW|TABLE|TEXT|SNAP|再送|更新"
    "|速報|独自"
)
_TAG = re.compile(
    rf"^(?:\s*(?:\*+|【[^】]{{1,6}}】|[（(](?:{_MENDS}|{_TAKES_BACK}|{_SENT_AGAIN}|recasts|updates|adds|corrects|repeats)"
    rf"[^)）]{{0,30}}[)）]|(?:{_MENDS}|{_TAKES_BACK}|{_SENT_AGAIN})(?:\s*\(?\d+\)?)?(?:\s*\([^)]*\))?\s*[-–—:：]))+\s*",
    re.IGNORECASE,
)
"""What newsrooms put before a title that they send again."""
_CORRECTS = re.compile(_MENDS, re.IGNORECASE)
_WITHDRAWS = re.compile(_TAKES_BACK, re.IGNORECASE)
_SOURCE = re.compile(r"\s+[-–—|－｜]\s+[A-Z\u3040-\u30ff\u4e00-\u9fffＡ-Ｚ][\w.&'’\- ]{1,30}$")
_SPELLINGS = tuple(
    (hints.split(), re.compile(pattern), said)
    for hints, pattern, said in (
        ("‘ ’", r"[‘’]", "'"), ("“ ” „", r"[“”„]", '"'), ("– —", r"[–—]", "-"),
        (".", r"\b([a-z])\.([a-z])\.(?=\W|$)", r"\1\2"),
        ("¥ ￥", r"[¥￥]\s?([\d.,]+)((?: (?:trillion|billion|million|trln|bln|mln|tn|bn))?)", r"\1\2 yen"),
        ("tn tln trn trln", r"\b(?:trln|tln|tn|trn)\b", "trillion"), ("bn bln", r"\b(?:bln|bn)\b", "billion"),
        ("mln", r"\bmln\b", "million"),
        ("cent pct", r"\bper ?cent\b|\bpct\b", "%"), ("%", r"(?<=\d) %", "%"),
        ("quarter", r"\bquarter(?:[- ]percentage)?[- ]point\b|\bquarter of a (?:percentage )?point\b", "25 bp"),
        ("half", r"\bhalf(?:[- ]percentage)?[- ]point\b", "50 bp"),
        ("bp basis", r"(?<=\d)[- ]?(?:bps|bp|basis[- ]points?)\b", " bp"),
        ("quarter jan", r"\b(?:first|1st)[- ]quarter\b|\bjan(?:uary)?-mar(?:ch)?\b", "q1"),
        ("quarter apr", r"\b(?:second|2nd)[- ]quarter\b|\bapr(?:il)?-june?\b", "q2"),
        ("quarter jul", r"\b(?:third|3rd)[- ]quarter\b|\bjuly?-sept?(?:ember)?\b", "q3"),
        ("quarter oct", r"\b(?:fourth|4th)[- ]quarter\b|\boct(?:ober)?-dec(?:ember)?\b", "q4"),
        ("half", r"\bfirst half\b", "h1"), ("half", r"\bsecond half\b", "h2"),
        ("year yoy", r"\byear[- ]on[- ]year\b|\byoy\b", "y/y"),
        ("-year", r"\b(?:ten|10)-year\b", "10-year"), (",", r"(?<=\d),(?=\d{3}\b)", ""), ("+", r"\+(?=\d)", ""),
    )
)  # fmt: skip
"""One spelling for what newsrooms spell in several ways; of folded text. First of each what is in all that it changes:
most titles hold none of it."""
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
_PLACES = {"US": "us", "FED": "us", "USTREASURY": "us", "JP": "jp", "BOJ": "jp", "MOF": "jp", "JGB": "jp"}
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
_MONTHS = "january february march april june july august september october november december"
_TIMES = word_set(
    f"{_MONTHS} jan feb mar apr jun jul aug sep sept oct nov dec may monday tuesday wednesday thursday friday saturday"
    " sunday q1 q2 q3 q4"
)
_JA_TIMES = re.compile(r"\d+月|\d+日|\d+年")
_NOT_YET = word_set(
    "consider considers considering weigh weighs weighing plan plans planning mull mulls mulling expected "
    "expect expects likely may might could seen eyes set will would to ahead before preview poised close "
    "near should warn warns warned risk risks threatens threat ask asks asked call calls seek seeks "
    "demand demands request poll forecast forecasts expectations bid bids urge urges hopes hope wants "
    "want today tomorrow next if whether vow vows pledge pledges offer propose proposes proposed proposal "
    "nominate nominates nominee draft scheduled due upcoming looms question why what how can look looks "
    "talk speculation bets bet"
)
"""Words of what is to come: `BOJ to raise rates` is not `BOJ raises rates`."""
_STAGES = word_set(
    "cabinet lower upper house parliament senate committee panel court enacted enacts passes passed law "
    "approves confirmed confirms nominates nominated signs signed vote votes decides decided announces "
    "announced sources minutes summary opinions preliminary prelim final flash revised exit poll despite "
    "after following analysis explainer column opinion reaction react welcomes protests slams"
)
"""Words of where a matter stands: passed by one house is not law."""
_JA_NOT_YET = re.compile(
    "へ$|へ[、 　]|検討|見通し|公算|観測|要求|予想|あす|明日|焦点|勢い|提示|方針|視野|可能性|示唆|意向|調整|案を|か$"
    "|コラム|求め"
)
_JA_STAGES = re.compile(
    r"閣議決定|成立|可決|同意|否決|衆院|参院|速報|改定|確報|開票|調査|関係者|議事要旨|主な意見|受け|嫌気|好感"
)
_ORDINALS = word_set(
    "first second third fourth fifth sixth seventh eighth ninth tenth one two three four five six seven eight nine ten"
)
_SAYS_NOTHING = word_set("TERM SAY HOPE PREVIEW QUESTION BUT AGAINST")
_STOP = word_set(
    "to of in on at for is as and # % , : ; by s with from be it after amid over ? - + than per will more "
    "that are was has have said year month week"
)
_WORD = re.compile(r"[a-z][a-z'&/-]*")
_ENDING = re.compile(r"('s|s|ed|ing|es)$")
_CAPITAL = re.compile(r"\b[A-Z][A-Za-z'’.&-]+")
_LONG = 4
_SENTENCE = 4
_REMEMBERED = 50_000
"""Titles of a window of days: each step asks for them again."""


class Telling:
    """The parts of one title, in English or Japanese.

    What tells the same words and what newsrooms say of them is read at once; what its likes are found by, and what is
    looked at when two are compared, only then: most titles are of no concern to the pair, and never asked.
    """

    def __init__(self, title: str) -> None:
        tag = _TAG.match(title)
        self._bare = title[tag.end() :] if tag else title
        self._text = text = _spelled(fold(_without_source(self._bare)))
        self.japanese = not (text.isascii() or script_lang(text) not in ("ja", "zh"))
        self.normal = normal_title(text)
        """Titles whose normal form is the same are the same, however little they say."""
        self.corrects = bool(tag and _CORRECTS.search(tag.group()))
        """It says of itself that it mends an earlier one."""
        self.withdraws = bool(tag and _WITHDRAWS.search(tag.group()))
        """It says of itself that it takes an earlier one back."""

    @cached_property
    def meant(self) -> frozenset[str]:
        """Concepts, and stems of words that have none."""
        return frozenset(self._meant)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Stems of words in their order, one for all that newsrooms use for one another; of Japanese, pairs of
        characters.
        """
        return _pairs(self.normal) if self.japanese else tuple(map(_class, self._content))

    @cached_property
    def figures(self) -> frozenset[str]:
        """Its numbers."""
        return frozenset(numbers(self.normal))

    @property
    def first(self) -> str:
        """The first of what is meant."""
        return self._meant[0] if self._meant else ""

    @property
    def column(self) -> str:
        """What stands before a colon."""
        return self._text.partition(":")[0] if ":" in self._text else ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Stems of words in their order; of Japanese, pairs of characters."""
        return self.classes if self.japanese else tuple(map(_stem, self._content))

    @cached_property
    def concepts(self) -> frozenset[str]:
        """Names of the lexicon's concepts that have a role."""
        return frozenset(unit[1].name for unit in self._units if unit[1].role)

    @cached_property
    def places(self) -> frozenset[str]:
        """Whose matter it is: the states and central banks that the lexicon knows."""
        return frozenset(_PLACES.get(unit[1].name, "") for unit in self._units) - {""}

    @cached_property
    def times(self) -> frozenset[str]:
        """Months, weekdays, quarters."""
        return _times(self._text, not self.japanese)

    @cached_property
    def ordinals(self) -> frozenset[str]:
        """First, second; one, two."""
        return self._plain & _ORDINALS

    @cached_property
    def names(self) -> frozenset[str]:
        """Who speaks or is spoken of, as far as the lexicon knows them."""
        return frozenset(unit[0] for unit in self._units if unit[1].name in _NAMED and unit[0] not in _OFFICES)

    @cached_property
    def capitals(self) -> frozenset[str]:
        """Words written with a capital, in lower case."""
        return frozenset(_bare_name(word) for word in _CAPITAL.findall(self._bare))

    @cached_property
    def marks(self) -> frozenset[str]:
        """`core`, `final`, ...: which figure it is."""
        return self._plain & _QUALIFIERS

    @cached_property
    def not_yet(self) -> frozenset[str]:
        """Words of what is to come."""
        return frozenset(_JA_NOT_YET.findall(self._text)) if self.japanese else self._plain & _NOT_YET

    @cached_property
    def stages(self) -> frozenset[str]:
        """Words of where a matter stands."""
        return frozenset(_JA_STAGES.findall(self._text)) if self.japanese else self._plain & _STAGES

    @cached_property
    def senses(self) -> Mapping[str, frozenset[str]]:
        """By question (which way? policy or figure?) the answers given."""
        return _senses(unit[1] for unit in self._units)

    @cached_property
    def denies(self) -> bool:
        """It says that something is not so."""
        flips = any(unit[1].role == "flip" for unit in self._units)
        return flips or (self.japanese and any(unit[1].name == "RECEDE" for unit in self._units))

    @cached_property
    def priced(self) -> bool:
        """It speaks of the price."""
        return any(unit[1].name in _PRICES for unit in self._units)

    @cached_property
    def _units(self) -> Sequence[Unit]:
        return japanese(self._text) if self.japanese else english(self._text)

    @cached_property
    def _meant(self) -> list[str]:
        return list(_meant(self._units))

    @cached_property
    def _content(self) -> tuple[str, ...]:
        return () if self.japanese else _content(self._text)

    @cached_property
    def _plain(self) -> frozenset[str]:
        return frozenset() if self.japanese else frozenset(_WORD.findall(self._text))


@functools.lru_cache(_REMEMBERED)
def telling(title: str) -> Telling:
    """The parts of one title, in English or Japanese."""
    return Telling(title)


def _meant(units: Sequence[Unit]) -> Iterable[str]:
    for said, concept, *_ in units:
        if concept.name:
            if concept.name not in _SAYS_NOTHING:
                yield concept.name
        elif said not in _STOP and said not in _TIMES:
            yield said


def _without_source(title: str) -> str:
    """The title without the name of who printed it; in a short one what looks like it is the news itself."""
    bare = _SOURCE.sub("", title)
    return bare if len(bare.split()) >= _SENTENCE or not bare.isascii() else title


def _spelled(text: str) -> str:
    for hints, pattern, said in _SPELLINGS:
        for hint in hints:
            if hint in text:
                text = pattern.sub(said, text)
                break
    return text


def _content(text: str) -> tuple[str, ...]:
    return tuple([word for word in _WORD.findall(text) if word not in _STOP and word not in _TIMES])


def _stem(word: str) -> str:
    return _ENDING.sub("", word) if len(word) > _LONG else word


def _class(word: str) -> str:
    return _CLASSES.get(word) or _CLASSES.get(word.removesuffix("'s")) or _stem(word)


def _read_classes(path: Path) -> Mapping[str, str]:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {word: f"={row['as']}" for row in rows for word in row["words"].split()}


_CLASSES = _read_classes(Path(__file__).with_name("synonyms.tsv"))


def _pairs(normal: str) -> tuple[str, ...]:
    return tuple([pair for pair in map("".join, itertools.pairwise(normal)) if " " not in pair])


def _times(text: str, latin: bool) -> frozenset[str]:
    if not latin:
        return frozenset(_JA_TIMES.findall(text))
    return frozenset(word[:3] for word in re.findall(r"[a-z0-9]+", text) if word in _TIMES)


def _bare_name(word: str) -> str:
    return re.sub(r"['’]s$", "", word.lower())


def _senses(meant: Iterable[Concept]) -> MappingProxyType[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for concept in meant:
        if concept.name in _ANSWER:
            question, answer = _ANSWER[concept.name]
            found.setdefault(question, set()).add(answer)
    return MappingProxyType({question: frozenset(answers) for question, answers in found.items()})
