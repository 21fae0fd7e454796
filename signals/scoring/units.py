"""A text cut into units: phrases of the lexicon, else words, each with its place and its clause."""

import re

from signals.scoring.lexicon import WORD, Concept, Entry, load

PLAIN = Concept("", "", 0)

Unit = tuple[str, Concept, str, int, int]
"""What it says (stems), what it means, the kind of its clause, the first and the last of its places plus one.

Places count words in English, characters in Japanese; `offsets` turns them into characters.
"""

MAIN = "m"
_CLAUSES = {
    "as": "c", "after": "c", "on": "c", "amid": "c", "following": "c", "since": "c", "because": "c", "due": "c",
    "given": "c", "owing": "c", "citing": "c", "thanks": "c", "amidst": "c",
    "with": "f", "by": "c", "when": "c", "for": "f", "over": "c", "in": "f", "ahead": "a", "before": "a",
    "awaiting": "a", "awaits": "a", "despite": "d", "though": "d", "although": "d", "even": "d", "while": "w",
    "but": "b", "however": "b", "yet": "b", "and": "n", ",": "n", ";": "n", ":": MAIN, "to": "t", "if": "i",
    "unless": "i", "until": "i", "says": "s", "say": "s", "said": "s", "against": "g", "versus": "g", "vs": "g",
}  # fmt: skip
"""What begins a clause, and its kind: c cause, a ahead of an event, d despite, b but, n next, t to, g against."""
_PREPOSITIONS = frozenset({"as", "on", "in", "with", "for", "over", "by", "to", "and", "yet", "but", "if"})
_ABOUT = frozenset({"on", "over"})
_TOPICS = frozenset({"HOPE", "FEAR", "WARN", "PATIENT", "CAUTION", "DOVE", "HAWK", "NOT"})
"""What has a topic: `bets on a hike`."""
_COUNTED = frozenset({"#", "full", "half", "one", "two", "thre", "per"})
_DROPPED = frozenset({"the", "a", "an", "its", "their", "his", "her", "this", "that"})
_ENDINGS = (
    ("'s", ""), ("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("ly", ""), ("s", ""),
)  # fmt: skip
_LEAST_STEM = 4
_stems: dict[str, str] = {}
_MOST_STEMS = 50_000
_BREAK = re.compile(
    r"[、。　 ・＝=|：:;；「」?？]|"
    r"受け|を受けて|ものの|にもかかわらず|でも|で(?=[^きあす])|も(?=、)|控え|前に|から|なら|が(?=、)"
)
_JA_CLAUSES = {"、": "n", "。": "n", "受け": "c", "を受けて": "c", "ものの": "d", "にもかかわらず": "d", "でも": "d",
               "で": "c", "も": "d", "控え": "a", "前に": "a", "から": "c", "なら": "i", "が": "d"}  # fmt: skip


def stem(word: str) -> str:
    """A word without its ending, much as Porter's rules have it; numbers are all one."""
    known = _stems.get(word)
    if known is None:
        known = _stemmed(word)
        if len(_stems) < _MOST_STEMS:
            _stems[word] = known
    return known


def english(text: str) -> list[Unit]:
    """Units of a folded text; articles and the like are left out."""
    words = WORD.findall(text)
    lexicon = load()
    singles, phrases = lexicon.words, lexicon.phrases
    units: list[Unit] = []
    clause = MAIN
    at, end = 0, len(words)
    while at < end:
        word = words[at]
        before = clause
        if word in _CLAUSES:
            clause = "f" if word in _ABOUT and units and units[-1][1].name in _TOPICS else _CLAUSES[word]
        after = at + 1
        longer = phrases.get(word)
        if longer is not None and after < end and words[after] in longer:
            entry = _longest(longer[words[after]], words, at)
            if entry is not None:
                phrase, concepts = entry
                after = at + len(phrase)
                if word in _PREPOSITIONS:  # `on the defensive` begins no clause
                    clause = before
                said = "_".join(phrase)
                units += [(said, concept, clause, at, after) for concept in concepts]
                at = after
                continue
        if word == "yen" and units and units[-1][0] in _COUNTED:  # `147.60 yen`: an amount, no yen of its own
            units.append((word, PLAIN, clause, at, after))
        elif word in singles:
            said = stem(word)
            units += [(said, concept, clause, at, after) for concept in singles[word]]
        elif word not in _DROPPED:
            units.append((stem(word), PLAIN, clause, at, after))
        at = after
    return units


def japanese(text: str) -> list[Unit]:
    """Units of a folded Japanese text: the lexicon's phrases only. A clause takes its kind from how it ends."""
    lexicon = load()
    known = lexicon.japanese
    breaks = [(m.start(), _JA_CLAUSES.get(m.group(), "n")) for m in _BREAK.finditer(text)]
    units: list[Unit] = []
    number, kind = 0, MAIN if not breaks else breaks[0][1]
    for match in lexicon.japanese_pattern.finditer(text):
        start, end = match.span()
        while number < len(breaks) and start >= breaks[number][0]:
            number += 1
            kind = breaks[number][1] if number < len(breaks) else MAIN
        said = match.group()
        units += [(said, concept, kind, start, end) for concept in known[said]]
    return units


def offsets(text: str) -> list[tuple[int, int]]:
    """Characters of each word of a folded English text."""
    return [match.span() for match in WORD.finditer(text)]


def _longest(found: tuple[Entry, ...], words: list[str], at: int) -> Entry | None:
    for entry in found:
        phrase = entry[0]
        size = len(phrase)
        if size == 2 or tuple(words[at : at + size]) == phrase:  # the first two words are known to agree
            return entry
    return None


def _stemmed(word: str) -> str:
    if word[0].isdigit():
        return "#"
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= _LEAST_STEM:
            bare = word[: len(word) - len(ending)] + instead
            if bare[-1] == bare[-2] and bare[-1] not in "lsz":
                bare = bare[:-1]
            return bare.removesuffix("e")
    return word.removesuffix("e") if len(word) > _LEAST_STEM else word
