"""Prices: how old the newest bar is while the market is open, what is missing, and where prices come from."""

import datetime as dt

from jobs.checks.line import Line, ok, warn
from jobs.checks.seen import Seen
from jobs.checks.store_state import Kept
from jobs.spans import span
from signals.market.hours import is_quoted

LATE_S = 900
"""An open market has a bar each minute; a quarter of an hour without one is more than Yahoo's own delay."""

_FALLBACK = "until then the ECB's daily rate stands in, and signals say that their price is stale"


def prices(seen: Seen) -> list[Line]:
    """Whether signals get a price, and of what age."""
    kept = seen.store().kept
    if kept is None:
        return []
    now = seen.clock()
    return [_age(kept, now, enabled=seen.settings.prices.enabled), *_failing(kept, now), *_holes(kept)]


def _age(kept: Kept, now: dt.datetime, *, enabled: bool) -> Line:
    closes = {one: at for one, at in kept.closed_at.items() if at is not None}
    if not closes:
        return warn("prices", "there are none yet: signals go out without a price", "`signals jobs run prices`")
    (source, length_s), at = max(closes.items(), key=lambda item: item[1])
    age_s = (now - at).total_seconds()
    name = f"{source} {length_s // 60} min" if length_s else f"{source} daily"
    text = f"newest bar {span(age_s)} old ({name})"
    if not is_quoted(now):
        return ok("prices", f"{text}; the market is closed")
    if not enabled:
        return ok("prices", f"{text}; Yahoo is turned off (prices.enabled): daily reference rates alone")
    if age_s > LATE_S:
        mend = f"see `signals jobs history --job prices`; {_FALLBACK}"
        return warn("prices", f"{text} in an open market", mend)
    return ok("prices", text)


def _failing(kept: Kept, now: dt.datetime) -> list[Line]:
    lines = []
    for name, state in sorted(kept.prices.items()):
        if ":hole:" in name or not state.failures:
            continue
        again = f", asked again at {state.next_attempt_at:%H:%M:%S} UTC" if state.next_attempt_at else ""
        counted = "1 try" if state.failures == 1 else f"{state.failures} tries"
        text = f"failing for {counted} ({state.last_error}){again}"
        lines.append(warn(f"prices:{name}", text, _mend(name, state.last_error or "")))
    return lines


def _mend(name: str, error: str) -> str:
    meanwhile = "" if name == "ecb" else f"; {_FALLBACK}"
    if error.startswith("rate_limited"):
        return f"wait: it wants fewer requests, and is left alone for longer each time{meanwhile}"
    return f"is the network up? it is asked again by itself{meanwhile}"


def _holes(kept: Kept) -> list[Line]:
    found = [state for name, state in kept.prices.items() if ":hole:" in name]
    if not found:
        return []
    given_up = sum(state.next_attempt_at is None for state in found)
    text = f"{len(found)} holes in the bars held, {given_up} of them given up after all tries"
    return [ok("prices:holes", text)]
