"""A row of the feeds file, and what reading it gives."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from signals.model import FeedState, Headline
from signals.sources.manners import Wishes

Clock = Callable[[], dt.datetime]
"""Gives the UTC time now; passed in, so that nothing below `jobs` reads a clock."""


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[feed]]` of the feeds file. `path` is absolute once the file is loaded."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,40}$")]
    kind: str
    url: str | None = None
    path: Path | None = None
    query: str | None = None
    """What to ask for, where the kind searches (`yahoo_news`: a ticker)."""
    every_s: Annotated[int, Meta(ge=5)] = 300
    lang: Annotated[str, Meta(max_length=8)] | None = None
    weight: Annotated[float, Meta(ge=0, le=1)] = 1.0
    enabled: bool = True
    allow_private: bool = False
    """May resolve to a private or loopback address (redirects elsewhere private stay refused)."""
    mode: Literal["archive", "inbox"] = "archive"
    watch_vanished: bool = True
    """Items that leave the middle of the list count as withdrawn; false where a list is a search, or shuffled."""
    delay_s: Annotated[int, Meta(ge=0)] = 60
    """Archives: how long after its own time a document counts as known."""
    freshness: dict[str, int | float] = {}
    """What counts as fresh for this one, as in `[freshness.sources.ID]` of the settings; read by who judges it."""


class Reading(NamedTuple):
    """What one look at a source gave."""

    headlines: tuple[Headline, ...]
    state: FeedState
    notes: tuple[str, ...] = ()
    """One line for each item or document that could not be used, naming it and why."""
    unchanged: bool = False
    """The source said that nothing is new (304)."""
    wishes: Wishes = Wishes()
    """When the source wants to be asked again."""
