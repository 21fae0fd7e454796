"""A text cut into units: phrases of the lexicon, else words, each with its place and its clause."""

import functools
import re
from typing import NamedTuple

from signals.scoring.lexicon import WORD, Concept, Entry, load

PLAIN = Concept("", "", 0)
_PLAIN = (PLAIN,)
_OVER = (Concept("RECEDE", "change", -1),)
_NOT_OVER = frozenset(
    {
        "half",
        "spill",
        "spills",
        "take",
        "takes",
        "taking",
        "carry",
        "carries",
        "turn",
        "hand",
        "start",
        "get",
        "gets",
        "roll",
        "rolls",
        "rolled",
        "flip",
        "flips",
        "week",
    }
)
_ENDS = frozenset({"?", ",", ";", ":", "says", "but", "and", "for", "as"})

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
    "from": "o", "off": "o", "away": "o",
}  # fmt: skip
"""What begins a clause, and its kind: c cause, a ahead of an event, d despite, b but, n next, t to, g against,
o from."""
_PREPOSITIONS = frozenset(
    {
        "as",
        "on",
        "in",
        "with",
        "for",
        "over",
        "by",
        "to",
        "and",
        "yet",
        "but",
        "if",
        "from",
        "off",
        "away",
        "against",
        "versus",
        "vs",
    }
)
_CONTRASTS = {"DESPITE": "d", "SHRUG": "d"}
"""Concepts that begin a clause."""
_ABOUT = frozenset({"on", "over"})
_TOPICS = frozenset({"HOPE", "FEAR", "WARN", "PATIENT", "CAUTION", "DOVE", "HAWK", "NOT"})
"""What has a topic: `bets on a hike`."""
_COUNTED = frozenset({"#", "full", "half", "one", "two", "thre", "per"})
_DROPPED = frozenset({"the", "a", "an", "its", "their", "his", "her", "this", "that"})
_ENDINGS = (
    ("'s", ""), ("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("ly", ""), ("s", ""),
)  # fmt: skip
_LEAST_STEM = 4
_MOST_KNOWN = 50_000
_BREAK = re.compile(
    r"[、。　 ・＝=|：:;；「」?？]|"
    r"受け|を受けて|ものの|にもかかわらず|でも|で(?=[^きあす])|も(?=、)|控え|前に|から|なら|が(?=、)"
)
_JA_CLAUSES = {"、": "n", "。": "n", "受け": "c", "を受けて": "c", "ものの": "d", "にもかかわらず": "d", "でも": "d",
               "で": "c", "も": "d", "控え": "a", "前に": "a", "から": "c", "なら": "i", "が": "d"}  # fmt: skip


class _Word(NamedTuple):
    """What is to be known of a word, looked up once."""

    said: str
    concepts: tuple[Concept, ...]
    """Empty where the word is left out."""
    clause: str
    """The kind of the clause it begins, or nothing."""
    longer: dict[str, tuple[Entry, ...]]
    """Phrases that begin with it, by their second word."""


@functools.lru_cache(maxsize=4096)
def english(text: str) -> tuple[Unit, ...]:
    """Units of a folded text; articles and the like are left out.

    Remembered for a while: what is scored is soon looked at for its story, and repeated.
    """
    words = WORD.findall(text)
    units: list[Unit] = []
    clause = MAIN
    at, end = 0, len(words)
    while at < end:
        word = words[at]
        said, concepts, begins, longer = _known.get(word) or _learnt(word)
        after = at + 1
        if longer and after < end and words[after] in longer:
            entry = _longest(longer[words[after]], words, at)
            if entry is not None:
                phrase, concepts = entry
                after = at + len(phrase)
                said = "_".join(phrase)
                begins = _CONTRASTS.get(concepts[0].name) or ("" if word in _PREPOSITIONS else begins)
                clause = begins or clause
                units += [(said, concept, clause, at, after) for concept in concepts]
                at = after
                continue
        if begins:
            if word == "over" and _is_over(words, at):
                concepts = _OVER
            elif word in _ABOUT and units and units[-1][1].name in _TOPICS:
                clause = "f"
            else:
                clause = begins
        elif said == "yen" and units and units[-1][0] in _COUNTED:  # `147.60 yen`: an amount, no yen of its own
            concepts = _PLAIN
        for concept in concepts:
            units.append((said, concept, clause, at, after))
        at = after
    return tuple(units)


def _learnt(word: str) -> _Word:
    lexicon = load()
    concepts = lexicon.words.get(word) or (() if word in _DROPPED else _PLAIN)
    begins = (concepts and _CONTRASTS.get(concepts[0].name)) or _CLAUSES.get(word, "")
    found = _Word(_stemmed(word), concepts, begins, lexicon.phrases.get(word, {}))
    if len(_known) < _MOST_KNOWN:
        _known[word] = found
    return found


def japanese(text: str) -> tuple[Unit, ...]:
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
    return tuple(units)


_known: dict[str, _Word] = {}


def offsets(text: str) -> list[tuple[int, int]]:
    """Characters of each word of a folded English text."""
    return [match.span() for match in WORD.finditer(text)]


def _is_over(words: list[str], at: int) -> bool:
    """`the rout is over`: at an end, not above."""
    after = words[at + 1] if at + 1 < len(words) else "?"
    return after in _ENDS and at > 0 and words[at - 1] not in _NOT_OVER


def _longest(found: tuple[Entry, ...], words: list[str], at: int) -> Entry | None:
    for entry in found:
        phrase = entry[0]
        size = len(phrase)
        if size == 2 or tuple(words[at : at + size]) == phrase:  # the first two words are known to agree
            return entry
    return None


def _stemmed(word: str) -> str:
    """A word without its ending, much as Porter's rules have it; numbers are all one."""
    if word[0].isdigit():
        return "#"
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= _LEAST_STEM:
            bare = word[: len(word) - len(ending)] + instead
            if bare[-1] == bare[-2] and bare[-1] not in "lsz":
                bare = bare[:-1]
            return bare.removesuffix("e")
    return word.removesuffix("e") if len(word) > _LEAST_STEM else word
