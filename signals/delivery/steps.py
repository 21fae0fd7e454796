"""What the reading core asks of the outside: steps that an edge carries out, with threads or with asyncio.

The core (`follow`, `work`, `snapshot`, `stream`) decides and never waits: it is written as generators
that yield an `Effect`, get its answer sent in, and yield the items meant for the bot in between.
`link` carries the steps out with redis-py, `alink` with redis-py's asyncio half. Each is a few lines, so
both clients do the same.
"""

from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

from signals.delivery.items import Delivery, Item
from signals.errors import BrokerError


class Effect:
    """Something to be done outside."""

    __slots__ = ()


class Ask(Effect):
    """One command on the reading connection; its answer, as redis-py gives it.

    Parameters
    ----------
    words : the command.
    allow : error codes (`NOGROUP`) that are answers too: they come as `Refused`.
    options : how redis-py is to read the answer.
    """

    __slots__ = ("allow", "options", "words")

    def __init__(self, *words: str | bytes | int, allow: tuple[str, ...] = (), **options: bool) -> None:
        self.words = words
        self.allow = allow
        self.options = options


class Hear(Effect):
    """The messages that the channel brought since the last time. Waits only to subscribe, where that is not done."""

    __slots__ = ()


class Drop(Effect):
    """Give the connections up; the next step makes new ones, with the address asked for again."""

    __slots__ = ()


class Pause(Effect):
    """Wait.

    Parameters
    ----------
    seconds : how long.
    """

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Refused(NamedTuple):
    """An error answer that the core asked to see."""

    code: str


class Lost(Exception):
    """A step failed: thrown into the core where it stands.

    Parameters
    ----------
    fault : what to tell a person.
    passes : whether it may be over by itself, so that another try makes sense.
    """

    def __init__(self, fault: BrokerError, *, passes: bool) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.passes = passes


T = TypeVar("T")
Steps = Generator[Effect | Item | Delivery, Any, T]
"""A part of the core: yields effects and items, ends with a result."""
