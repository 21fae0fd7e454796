"""Names of features and their codes: numbers that pack a kind and up to three tokens."""

from collections.abc import Sequence
from typing import Any

KINDS = ("", "w", "b", "c", "p", "t", "s", "i", "n", "d", "o", "2", "3")
"""Prefixes of names. The first is that of features known by their whole name."""
(
    WORD, NEIGHBOURS, CONCEPT, PAIR, TRIPLE, OWN_SUBJECT, EARLIER_SUBJECT, NEXT_SUBJECT, NOBODY, OBJECT, TWO, THREE,
) = range(1, len(KINDS))  # fmt: skip
_SEPARATORS = {"b": " ", "2": " ", "3": " ", "p": ">", "t": ">"}
_BITS = 19
"""Of a token in a code: half a million of them."""
_CLAUSED = frozenset("csind")
"""Kinds whose names may carry the kind of a clause: `sm:UP`."""


class Numbering(dict[str, int]):
    """Tokens that number every name they are asked for, as training needs them."""

    def get(self, name: str, default: int = 0) -> int:  # type: ignore[override]
        """The number of a name, a new one if it had none."""
        return _number(self, name)


def code_of(name: str, tokens: dict[str, int]) -> int:
    """The code of a feature's name, whose parts are numbered if they are not yet."""
    head, _, rest = name.partition(":")
    kind, clause = head[:1], head[1:]
    if kind not in KINDS or (clause and (kind not in _CLAUSED or len(clause) > 1)):
        return int(pack(0, _number(tokens, name)))
    parts = rest.split(_SEPARATORS[kind]) if kind in _SEPARATORS else [rest]
    a, b, c = [*(_number(tokens, part) for part in parts), 0, 0][:3]
    return int(pack(KINDS.index(kind), a, b, ord(clause) if clause else c))


def name_of(code: int, names: Sequence[str]) -> str:
    """The name of a code; `names` are those of the tokens, in order, from 1."""
    kind = KINDS[code >> 3 * _BITS]
    a, b, c = ((code >> shift) & (1 << _BITS) - 1 for shift in (2 * _BITS, _BITS, 0))
    if not kind:
        return names[a]
    if kind in _SEPARATORS:
        return f"{kind}:" + _SEPARATORS[kind].join(names[part] for part in (a, b, c) if part)
    return f"{kind}{chr(c) if c else ''}:{names[a]}"


def _number(tokens: dict[str, int], part: str) -> int:
    return tokens.setdefault(part, len(tokens) + 1)


def pack(kind: Any, a: Any, b: Any = 0, c: Any = 0) -> Any:
    """One number of four: plain ones, or arrays of them."""
    return (kind << 3 * _BITS) | (a << 2 * _BITS) | (b << _BITS) | c
