"""What a page may ask for: its query, checked; what cannot be read is answered 400 with the key and what it may be."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from signals.store.listing import Before, Filter

DIRECTIONS = ("up", "flat", "down", "unknown")
_LONGEST = 200


def said(told: Any, status: int = 200) -> web.Response:
    """An answer in JSON that nobody keeps."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        status=status, body=msgspec.json.encode(told), content_type="application/json", headers=headers
    )


def refused(problem: str, status: int = 400) -> Exception:
    """The error that answers so."""
    made = web.HTTPBadRequest if status == 400 else web.HTTPNotFound
    return made(body=msgspec.json.encode({"error": problem}), content_type="application/json")


def wanted(query: Mapping[str, str]) -> Filter:
    """Which signals are asked for."""
    direction = query.get("direction") or None
    if direction is not None and direction not in DIRECTIONS:
        raise refused(f"direction: one of {', '.join(DIRECTIONS)}")
    texts = {name: query.get(name, "") for name in ("topic", "source", "text")}
    if long := [name for name, text in texts.items() if len(text) > _LONGEST]:
        raise refused(f"{long[0]}: at most {_LONGEST} characters")
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
        raise refused("before: a time and an id, as `2026-03-04T12:00:00Z,ID`") from error
    if known_at.tzinfo is None or not signal_id:
        raise refused("before: a time with its zone and an id, as `2026-03-04T12:00:00Z,ID`")
    return Before(known_at, signal_id)


def number(query: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    """A number of the query within two bounds."""
    raw = query.get(name)
    if raw is None or raw == "":
        return default
    try:
        value = float(raw)
    except ValueError as error:
        raise refused(f"{name}: {raw[:20]!r} is no number") from error
    if not low <= value <= high:
        raise refused(f"{name}: from {low:g} to {high:g}")
    return value
