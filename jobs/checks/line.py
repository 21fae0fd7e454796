"""What a check says: a line, how bad it is, and what to do."""

from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "fail"]
WORST: tuple[Status, ...] = ("fail", "warn", "ok")


class Line(NamedTuple):
    """One finding of one check."""

    check: str
    """Its name, with what it looked at behind a colon where there are several: `feed:boj`."""
    status: Status
    text: str
    mend: str = ""
    """What to do; empty where nothing is to be done."""


def ok(check: str, text: str) -> Line:
    """All is well."""
    return Line(check, "ok", text)


def warn(check: str, text: str, mend: str) -> Line:
    """It works, but not as it should, or may soon not."""
    return Line(check, "warn", text, mend)


def fail(check: str, text: str, mend: str) -> Line:
    """It does not work."""
    return Line(check, "fail", text, mend)


def size(count: float) -> str:
    """A number of bytes for people.

    >>> size(900), size(3_500_000), size(42_000_000_000)
    ('900 B', '3.5 MB', '42.0 GB')
    """
    for limit, unit, name in ((1e3, 1, "B"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB")):
        if count < limit:
            return f"{count / unit:.0f} {name}" if unit == 1 else f"{count / unit:.1f} {name}"
    return f"{count / 1e9:.1f} GB"
