"""What a page may ask for: its query, checked; what cannot be read is answered 400 with the key and what it may be."""

import datetime as dt
from collections.abc import Mapping

from jobs.answers import Refused
from signals.store.listing import Before, Filter

DIRECTIONS = ("up", "flat", "down", "unknown")
_LONGEST = 200


def wanted(query: Mapping[str, str]) -> Filter:
    """Which signals are asked for."""
    direction = query.get("direction") or None
    if direction is not None and direction not in DIRECTIONS:
        raise Refused(400, f"direction: one of {', '.join(DIRECTIONS)}")
    texts = {name: query.get(name, "") for name in ("topic", "source", "text")}
    if long := [name for name, text in texts.items() if len(text) > _LONGEST]:
        raise Refused(400, f"{long[0]}: at most {_LONGEST} characters")
    return Filter(
        direction=direction,
        topic=texts["topic"] or None,
        source=texts["source"] or None,
        strength_min=number(query, "strength", 0.0, 0.0, 1.0),
        text=texts["text"].strip(),
    )


def before(query: Mapping[str, str]) -> Before | None:
    """Behind which signal the page goes on: `TIME,ID`; null at the beginning."""
    raw = query.get("before")
    if not raw:
        return None
    at, _, signal_id = raw.partition(",")
    try:
        known_at = dt.datetime.fromisoformat(at)
    except ValueError as error:
        raise Refused(400, "before: a time and an id, as `2026-03-04T12:00:00Z,ID`") from error
    if known_at.tzinfo is None or not signal_id:
        raise Refused(400, "before: a time with its zone and an id, as `2026-03-04T12:00:00Z,ID`")
    return Before(known_at, signal_id)


def number(query: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    """A number of the query within two bounds."""
    raw = query.get(name)
    if raw is None or raw == "":
        return default
    try:
        value = float(raw)
    except ValueError as error:
        raise Refused(400, f"{name}: {raw[:20]!r} is no number") from error
    if not low <= value <= high:
        raise Refused(400, f"{name}: from {low:g} to {high:g}")
    return value
