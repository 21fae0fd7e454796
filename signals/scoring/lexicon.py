"""The words of the field: phrases and the concepts they stand for, read from `lexicon.tsv`.

A row gives concepts, a language and phrases. `~` before an English verb stands for its regular forms.
A phrase may stand for several concepts in a row (円安: YEN DOWN).
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_TABLE = Path(__file__).with_name("lexicon.tsv")
_ROLES = Path(__file__).with_name("concepts.tsv")
WORD = re.compile(r"n't\b|[a-z&]+(?:'(?=t\b)t)?|\d[\d.,]*\d|\d|[?%,;:]|[^\x00-\x7f\s]+")
"""A word, a number or a mark that means something, in folded text."""


def _roles() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"subject": {}, "action": {}, "flip": {}}
    for line in _ROLES.read_text(encoding="utf-8").splitlines()[1:]:
        concept, role, sign, _meaning = line.split("\t")
        found[role][concept] = int(sign)
    return found


ROLES = _roles()
"""Role → concept → sign: subjects (+1 on the dollar's side), actions (+1 up), flips; read from `concepts.tsv`."""


class Lexicon(NamedTuple):
    """The table, made ready for matching."""

    english: dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]
    """First word → (all words, concepts), longest first."""
    japanese: dict[str, tuple[str, ...]]
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
    english: dict[tuple[str, ...], tuple[str, ...]] = {}
    japanese: dict[str, tuple[str, ...]] = {}
    for row in rows():
        for phrase in row.phrases:
            if row.lang == "ja":
                japanese.setdefault(phrase.casefold(), row.concepts)
            else:
                for form in _forms(phrase):
                    english.setdefault(tuple(WORD.findall(form.casefold())), row.concepts)
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for words, concepts in english.items():
        by_first.setdefault(words[0], []).append((words, concepts))
    longest_first = sorted(japanese, key=lambda phrase: (-len(phrase), phrase))
    return Lexicon(
        {first: tuple(sorted(found, key=lambda item: (-len(item[0]), item))) for first, found in by_first.items()},
        japanese,
        re.compile("|".join(map(re.escape, longest_first))),
    )


def _forms(phrase: str) -> Iterator[str]:
    if not phrase.startswith("~"):
        yield phrase
        return
    verb, _, rest = phrase[1:].partition(" ")
    tail = f" {rest}" if rest else ""
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
