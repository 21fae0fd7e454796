"""Normal forms of titles and addresses, and the identities derived from them."""

import bisect
import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from w3lib.url import canonicalize_url, url_query_cleaner

TRACKING_PARAMETERS = (
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "utm_cid",
    "fbclid", "gclid", "dclid", "msclkid", "yclid", "mc_cid", "mc_eid", "igshid",
    "ref", "ref_src", "cmpid", "ocid", "guccounter", "smid", "partner", "feature",
)  # fmt: skip
"""Query parameters that say where a reader came from, not what the page is."""

_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f"  # controls, but for those that part words (tab to CR, NEL)
    "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # soft, zero-width, direction, notes
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"  # halves of characters (no encoding takes them), tags
)
_SUFFIX = re.compile(r"\s+(?:[-–—|]|\|\|)\s+(?:by\s+)?[A-Z][\w.&' ]{1,30}$")
_SENTENCE = 4
"""Words from which on a suffix names a source: in "BREAKING - Fed Cuts Rates" it is the news itself."""
_MINUS = re.compile(r"(?<![a-z\d.%])[\-–−](?=\d)|[▲△](?=\d)")  # the triangles stand for it in Japanese tables
_NOT_WORD = re.compile(r"[^\w%$¥€£+.\-]+")
_EDGE = re.compile(r"(?<!\d)[.\-+]+|[.\-+]+(?!\d)")
_NUMBER = re.compile(r"(?:minus)?\d+(?:\.\d+)?")

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff\uff66-\uff9f]")),  # kana occur in no other language
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
)
_HAN = re.compile("[\u4e00-\u9fff]")
_JAPANESE_WORDS = re.compile(
    "日銀|円安|円高|利上|利下|為替|日米|米国債|財務省|円相場|介入|見送|年物|消費者物価|米国|失業率|予想|前回|月期|前年比|前月比|[¥円]"
)


def plain(text: str) -> str:
    """One line of visible text: control, zero-width and direction-changing characters dropped, space folded."""
    return " ".join(_INVISIBLE.sub("", text).split())


def fold(text: str) -> str:
    """NFKC (full-width forms become ASCII), lower case, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def normal_title(title: str) -> str:
    """What two printings of one headline share: no source suffix, case, punctuation or width."""
    line = plain(title)
    bare = _SUFFIX.sub("", line)
    if bare.isascii() and len(bare.split()) < _SENTENCE:
        bare = line
    signed = _MINUS.sub(" minus", fold(bare))
    return " ".join(_EDGE.sub(" ", _NOT_WORD.sub(" ", signed)).split())


def numbers(normal: str) -> tuple[str, ...]:
    """The numbers of a `normal_title`, sorted: two headlines that differ in them, or in a sign, tell two events."""
    return tuple(sorted(_NUMBER.findall(normal)))


class PlainTitle(NamedTuple):
    """A title's words and numbers, and nothing of what they mean."""

    normal: str
    keys: Mapping[str, float]
    total: float
    numbers: frozenset[str]
    corrects: bool = False
    withdraws: bool = False


def plain_title(title: str) -> PlainTitle:
    """Words of a title, of Japanese the pairs of characters; each tells as much as any other."""
    normal = normal_title(title)
    if normal.isascii():
        words = dict.fromkeys(normal.split(), 1.0)
    else:
        words = dict.fromkeys((normal[i : i + 2] for i in range(len(normal) - 1)), 1.0) or {normal: 1.0}
    return PlainTitle(normal, words, float(len(words)), frozenset(numbers(normal)))


@functools.lru_cache(maxsize=64)
def canonical_url(url: str) -> str:
    """The same page under one address: parameters sorted, tracking ones and the fragment dropped.

    Remembered for a moment: an item's address is asked for several times in a row.
    """
    return canonicalize_url(url_query_cleaner(url.strip(), TRACKING_PARAMETERS, remove=True))


def script_lang(text: str) -> str:
    """Language by script, ISO 639-1: ja, zh, ko, ru or ar where the letters say so, else en."""
    if text.isascii():
        return "en"
    for lang, letters in _SCRIPTS:
        if letters.search(text):
            return lang
    if _HAN.search(text):  # a Japanese headline may do without kana
        return "ja" if _JAPANESE_WORDS.search(text) else "zh"
    return "en"


def stable_id(*parts: object) -> str:
    """20 hexadecimal digits derived from the parts: the same everywhere and always."""
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def headline_id(source: str, url: str | None, title: str) -> str:
    """Identity of a headline: its source, its address (or the publisher's own id) and its title."""
    return stable_id("headline", source, canonical_url(url) if url else "", normal_title(title))


@functools.lru_cache(maxsize=64)
def _folded_lengths(text: str) -> list[int]:
    """How long each prefix of the text is once folded; asked again for every span of one text."""
    return [len(fold(f"{text[:i]}|")) - 1 for i in range(len(text) + 1)]


def item_id(source: str, own: str | None) -> str:
    """Identity of an item at its source, whatever title it bears: by its address or the publisher's own id.

    Empty where it has neither. Raises ValueError for what looks like an address and is none.
    """
    return stable_id("item", source, canonical_url(own)) if own else ""


def original_spans(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where stretches of `fold(text)` stand in `text` itself, to whole characters: half of a ligature is all of it."""
    if unicodedata.is_normalized("NFKC", text) and len(text) == len(text.casefold()) == len(fold(text)):
        return list(spans)  # each character stands for itself
    lengths = _folded_lengths(text)
    return [_original(lengths, start, end) for start, end in spans]


def _original(lengths: list[int], start: int, end: int) -> tuple[int, int]:
    low = bisect.bisect_right(lengths, start) - 1
    reached = lengths[bisect.bisect_left(lengths, end)]
    return low, bisect.bisect_right(lengths, reached) - 1  # with the accents that follow and add no length
