"""The words of the field: phrases and the concepts they stand for, read from `lexicon.tsv`.

A row gives a concept (or several: 円安 is YEN DOWN), a language and phrases. `~` before an English verb
stands for its regular forms. What a concept does in a sentence is in `concepts.tsv`.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_TABLE = Path(__file__).with_name("lexicon.tsv")
_ROLES = Path(__file__).with_name("concepts.tsv")
WORD = re.compile(r"[a-z&]+(?:'t\b)?|\d[\d.,]*\d|\d|[?%,;:]|(?<![\w.)])[-+−](?=\d|$)|[^\x00-\x7f\s]+")
"""A word, a number or a mark that means something, in folded text."""


_PARTICLES = frozenset("はがの、をに")


class Concept(NamedTuple):
    """What a phrase means, and its part in a sentence."""

    name: str
    role: str
    """Subjects: price, bank, state, bond, other. Else thing, quality, event, move, cause, change, flip, or empty."""
    sign: int
    """Subjects: +1 on the dollar's side. Events: their effect on USD/JPY. Others: +1 more or stronger."""


Entry = tuple[tuple[str, ...], tuple[Concept, ...]]
"""A phrase's words and its concepts."""


class Lexicon(NamedTuple):
    """The table, made ready for matching."""

    words: dict[str, tuple[Concept, ...]]
    """English phrases of one word → concepts."""
    phrases: dict[str, dict[str, tuple[Entry, ...]]]
    """First word → second word → longer phrases, longest first."""
    japanese: dict[str, tuple[Concept, ...]]
    """Phrase → concepts."""
    japanese_pattern: re.Pattern[str]


class Row(NamedTuple):
    """One row of the table."""

    concepts: tuple[str, ...]
    lang: str
    phrases: tuple[str, ...]


def rows() -> list[Row]:
    """The table as it is written."""
    lines = _TABLE.read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split("\t") for line in lines if line]
    return [Row(tuple(concept.split()), lang, tuple(phrases.split("|"))) for concept, lang, phrases in cells]


@functools.cache
def load() -> Lexicon:
    """The lexicon; where two rows claim a phrase, the first one has it."""
    known = all_concepts()
    english: dict[tuple[str, ...], tuple[Concept, ...]] = {}
    japanese: dict[str, tuple[Concept, ...]] = {}
    for row in rows():
        meant = tuple(known[name] for name in row.concepts)
        for phrase in row.phrases:
            if row.lang == "ja":
                japanese.setdefault(phrase.casefold(), meant)
            else:
                for form in _forms(phrase):
                    english.setdefault(tuple(WORD.findall(form.casefold())), meant)
    phrases: dict[str, dict[str, list[Entry]]] = {}
    for words, concepts in sorted(english.items(), key=lambda item: (-len(item[0]), item[0])):
        if len(words) > 1:
            phrases.setdefault(words[0], {}).setdefault(words[1], []).append((words, concepts))
    return Lexicon(
        {words[0]: concepts for words, concepts in english.items() if len(words) == 1},
        {first: {second: tuple(found) for second, found in then.items()} for first, then in phrases.items()},
        japanese,
        re.compile(_alternatives(japanese)),
    )


def _alternatives(phrases: Iterable[str]) -> str:
    """A pattern of all phrases, longest first, by their first letter: a position is tried against few of them."""
    by_letter: dict[str, list[str]] = {}
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase), phrase)):
        by_letter.setdefault(phrase[0], []).append(_rest(phrase))
    return "|".join(f"{re.escape(letter)}(?:{'|'.join(rests)})" for letter, rests in sorted(by_letter.items()))


def _rest(phrase: str) -> str:
    """What follows the first letter. `155円の` is an amount, no yen of its own; `1円高` a move of what moved."""
    amount = phrase[0] == "円" and (phrase[1:] in _PARTICLES or phrase[1:] in ("高", "安"))
    return ("(?<![0-9]円)" if amount else "") + re.escape(phrase[1:])


@functools.cache
def all_concepts() -> dict[str, Concept]:
    """Every concept by its name: those of `concepts.tsv`, and those without a part in a sentence."""
    found = {}
    for line in _ROLES.read_text(encoding="utf-8").splitlines()[1:]:
        name, role, sign, _meaning = line.split("\t")
        found[name] = Concept(name, role, int(sign))
    for row in rows():
        for name in row.concepts:
            found.setdefault(name, Concept(name, "", 0))
    return found


def _forms(phrase: str) -> Iterator[str]:
    if not phrase.startswith("~"):
        yield phrase
        return
    verb, _, rest = phrase[1:].partition(" ")
    tail = f" {rest}" if rest else ""
    endings: tuple[str, ...]
    if verb.endswith("e"):
        endings = (verb, f"{verb}s", f"{verb}d", f"{verb[:-1]}ing")
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        endings = (verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing")
    elif verb.endswith(("s", "sh", "ch", "x")):
        endings = (verb, f"{verb}es", f"{verb}ed", f"{verb}ing")
    else:
        doubled = verb + verb[-1]
        endings = (verb, f"{verb}s", f"{verb}ed", f"{verb}ing", f"{doubled}ed", f"{doubled}ing")
    yield from (form + tail for form in endings)
