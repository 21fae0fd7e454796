"""Figures against what was expected: `US CPI m/m 0.5% vs 0.3% exp, prior 0.4%` is a dollar-positive surprise.

The indicator table says whose figure it is, whether higher is stronger (claims and unemployment: lower
is), and what a usual miss is in the units it is printed in. Roles come from the words around each number.
"""

import functools
import re
from pathlib import Path
from typing import Literal, NamedTuple

_TABLE = Path(__file__).with_name("indicators.tsv")

Country = Literal["US", "JP"]


class Indicator(NamedTuple):
    """One row of the table."""

    name: str
    country: Country | None
    polarity: int
    """+1 where a higher figure means a stronger currency, -1 where a lower one does."""
    scale: float
    """A usual miss, in the units of the figure (percent, points, thousands)."""


class Surprise(NamedTuple):
    """A figure that could be compared."""

    indicator: str
    country: Country
    gap: float
    """Polarity times (actual minus forecast, or minus prior where no forecast is given), in usual misses."""
    against: Literal["forecast", "prior"]
    span: tuple[int, int]
    """From the indicator to the last figure used, in characters of the folded text."""


_UNITS = {
    "k": 1.0, "thousand": 1.0, "m": 1e3, "mn": 1e3, "mln": 1e3, "million": 1e3, "b": 1e6, "bn": 1e6, "bln": 1e6,
    "billion": 1e6, "t": 1e9, "trn": 1e9, "tn": 1e9, "trillion": 1e9, "万": 10.0, "億": 1e5, "兆": 1e9, "万人": 10.0,
    "万件": 10.0,
}  # fmt: skip
"""Multiples of a thousand: the usual print of American counts."""
_NUMBER = re.compile(
    r"(?<![\w.,/])(?P<sign>[-+−–▲△]?)[$¥€]?(?P<digits>\d[\d,]*(?:\.\d+)?|\.\d+)\s?"
    r"(?P<unit>%|bps?\b|万[人件]?|億|兆|(?:k|mln|mn|m|bln|bn|b|trn|tn|t|thousand|million|billion"
    r"|trillion)\b)?(?![\w/]*(?:year|yr|day|month|年債|月))"
)
_FORECAST = (
    r"vs\.?|v\.?|versus|against|exp(?:ected|ectations?|\.)?|est(?:imates?|imated|\.)?|f'?cast|fcst"
    r"|forecasts?|consensus|cons\.?|seen|poll|median|survey|surv\.?|eyed|予想|市場予想|コンセンサス|projected"
    r"|penciled in|pencilled in"
)
_PRIOR = r"prev(?:ious(?:ly)?|\.)?|prior|last|from|revised|rev\.?|前回|前月|前年|before|earlier"
_CUE = re.compile(
    rf"(?:\b|(?<=[(,;:]))(?:(?P<forecast>{_FORECAST})|(?P<prior>{_PRIOR}))(?=[\s+\-−\d$(%.,:;)]|$)"
    r"|(?P<jf>予想)|(?P<jp>前回)"
)
_FALLS = re.compile(
    r"\b(?:f[ae]ll|falls|fell|drop(?:s|ped)?|declin(?:es?|ed)|down|slump(?:s|ed)?|plunge[sd]?|slid(?:es?)?"
    r"|slip(?:s|ped)?|sank|sinks?"
    r"|shr[aiu]nks?|contract(?:s|ed)?|tumble[sd]?|dip(?:s|ped)?|minus|decreases?d?)(?: by| an?| about| only| just)? ?$"
)
_DECLINE = re.compile(r" (?:annualised |annualized )?(?:decline|drop|fall|contraction|decrease|slide|dip|slump)\b|%?減")
_DIGITS = re.compile(r"\d[\d.,]*")
_PAIR = 2
"""Fewer numbers than these can't be compared."""
_MINUS = frozenset("-−–▲△")
_BARE_COUNT = 10_000
_VERSUS = frozenset({"vs", "v", "versus", "against"})
_US = re.compile(r"\bu\.?s\.?(?![a-z])|\bamerica|\bunited states|米")
_JP = re.compile(r"\bjapan|\btokyo|日本|東京|全国")
_OTHER = re.compile(
    r"\b(?:uk|u\.k\.|brit|german|euro|france|french|ital|spa(?:in|nish)|canad|austral|new zealand|nz|chin"
    r"|india|korea|swiss|switz|swed|norw|brazil|mexic|turk|russia|eu|ez|hong kong|singapore|south africa"
    r"|indonesia|thai|taiwan|pol(?:and|ish)|ontario|tokyo stock)"
    r"|ユーロ圏|英国|英[^語]|独|豪|中国|カナダ|韓国|仏|NZ"
)


def find(text: str) -> Surprise | None:
    """The surprise in a folded headline (NFKC, lower case), or null where there is none to read.

    Figures of other countries, figures alone and figures whose country can't be told are no surprise.
    """
    if len(_DIGITS.findall(text)) < _PAIR:
        return None
    if not _CUE.search(text):
        return None
    numbers = list(_NUMBER.finditer(text))
    if len(numbers) < _PAIR:
        return None
    found = _indicator(text)
    if found is None:
        return None
    indicator, at = found
    country = _country(text, indicator)
    if country is None:
        return None
    roles = _roles(text, numbers, at)
    if "actual" not in roles or not (base := roles.get("forecast") or roles.get("prior")):
        return None
    actual = roles["actual"]
    against: Literal["forecast", "prior"] = "forecast" if "forecast" in roles else "prior"
    gap = indicator.polarity * (_value(actual, base, text) - _value(base, actual, text)) / indicator.scale
    return Surprise(indicator.name, country, round(gap, 6), against, (at, max(actual.end(), base.end())))


@functools.cache
def table() -> tuple[tuple[Indicator, tuple[str, ...]], ...]:
    """The indicators, each with the phrases it is known by."""
    found = []
    for line in _TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        name, country, polarity, scale, phrases = line.split("\t")
        whose: Country | None = "US" if country == "US" else "JP" if country == "JP" else None
        row = Indicator(name, whose, int(polarity), float(scale))
        found.append((row, tuple(phrases.split("|"))))
    return tuple(found)


@functools.cache
def _patterns() -> tuple[re.Pattern[str], dict[str, Indicator]]:
    by_phrase = {phrase: row for row, phrases in table() for phrase in phrases}
    longest_first = sorted(by_phrase, key=lambda phrase: (-len(phrase), phrase))
    words = "|".join(re.escape(phrase).replace("\\ ", "[ -]") for phrase in longest_first if phrase.isascii())
    others = "|".join(re.escape(phrase) for phrase in longest_first if not phrase.isascii())
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])|{others}"), by_phrase


def _indicator(text: str) -> tuple[Indicator, int] | None:
    pattern, by_phrase = _patterns()
    first = pattern.search(text)
    return (by_phrase[first.group().replace("-", " ")], first.start()) if first else None


def _country(text: str, indicator: Indicator) -> Country | None:
    us, jp, other = _US.search(text), _JP.search(text), _OTHER.search(text)
    if other and not us and not jp:
        return None
    if us and not jp:
        return "US"
    if jp and not us:
        return "JP"
    if us and jp:
        return "US" if us.start() < jp.start() else "JP"
    return indicator.country


def _roles(text: str, numbers: list[re.Match[str]], at: int) -> dict[str, re.Match[str]]:
    roles: dict[str, re.Match[str]] = {}
    for index, number in enumerate(numbers):
        before = text[numbers[index - 1].end() if index else at : number.start()]
        after = text[number.end() : numbers[index + 1].start() if index + 1 < len(numbers) else len(text)]
        role = _role(before, after, first=not roles)
        roles.setdefault(role, number)
    return roles


def _role(before: str, after: str, *, first: bool) -> str:
    lead = next(reversed(list(_CUE.finditer(before))), None)
    vague = lead is None or lead.group().rstrip(".") in _VERSUS
    behind = None if first else _CUE.match(after.lstrip(" ()[]"))  # `51.2 exp 52.0`: what follows is the second's
    if vague and behind is not None and behind.group().rstrip(".") not in _VERSUS:
        return _kind(behind)
    return _kind(lead) if lead is not None else "actual"


def _kind(cue: re.Match[str]) -> str:
    return "forecast" if cue.group("forecast") or cue.group("jf") else "prior"


def _value(number: re.Match[str], other: re.Match[str], text: str) -> float:
    size = float(number["digits"].replace(",", ""))
    unit = number["unit"] or other["unit"] or ""
    size *= _UNITS.get(unit, 1.0)
    if not unit and size >= _BARE_COUNT:
        size /= 1000  # `231,000` is 231K
    falls = _FALLS.search(text, 0, number.start()) or _DECLINE.match(text, number.end())
    return -size if number["sign"] in _MINUS or (falls and not number["sign"]) else size
