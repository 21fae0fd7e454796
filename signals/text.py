"""Normal forms of titles and addresses, and the identities derived from them."""

import hashlib
import re
import unicodedata

from w3lib.url import canonicalize_url, url_query_cleaner

TRACKING_PARAMETERS = (
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "utm_cid",
    "fbclid", "gclid", "dclid", "msclkid", "yclid", "mc_cid", "mc_eid", "igshid",
    "ref", "ref_src", "cmpid", "ocid", "guccounter", "smid", "partner", "feature",
)  # fmt: skip
"""Query parameters that say where a reader came from, not what the page is."""

_INVISIBLE = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]")
_SPACE = re.compile(r"\s+")
_SUFFIX = re.compile(r"\s+(?:[-–—|]|\|\|)\s+(?:by\s+)?[A-Z][\w.&' ]{1,30}$")
_NOT_WORD = re.compile(r"[^\w%$¥€£+.\-]+")
_EDGE = re.compile(r"(?<!\d)[.\-+]+|[.\-+]+(?!\d)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff\uff66-\uff9f]")),  # kana occur in no other language
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
)
_HAN = re.compile("[\u4e00-\u9fff]")
_JAPANESE_WORDS = re.compile("日銀|円安|円高|利上|利下|為替|日米|米国債|財務省|円相場|介入|見送|年物|消費者物価|[¥円]")


def plain(text: str) -> str:
    """One line of visible text: control, zero-width and direction-changing characters dropped, space folded."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", text.replace("\u3000", " "))).strip()


def fold(text: str) -> str:
    """NFKC (full-width forms become ASCII), lower case, one space between words."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


def normal_title(title: str) -> str:
    """What two printings of one headline share: no source suffix, case, punctuation or width."""
    bare = _SUFFIX.sub("", plain(title)) or title
    return _SPACE.sub(" ", _EDGE.sub(" ", _NOT_WORD.sub(" ", fold(bare)))).strip()


def numbers(text: str) -> tuple[str, ...]:
    """The numbers of a text, sorted: two headlines that differ in them tell two events."""
    return tuple(sorted(_NUMBER.findall(text)))


def canonical_url(url: str) -> str:
    """The same page under one address: parameters sorted, tracking ones and the fragment dropped."""
    return canonicalize_url(url_query_cleaner(url.strip(), TRACKING_PARAMETERS, remove=True))


def script_lang(text: str) -> str:
    """Language by script, ISO 639-1: ja, zh, ko, ru or ar where the letters say so, else en."""
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


def original_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Where a stretch of `fold(text)` stands in `text` itself."""
    if len(fold(text)) == len(text):
        return start, end
    lengths = [len(fold(f"|{text[:i]}|")) - 2 for i in range(len(text) + 1)]
    low = max(i for i, length in enumerate(lengths) if length <= start)
    high = min((i for i, length in enumerate(lengths) if length >= end), default=len(text))
    return min(low, high), high
