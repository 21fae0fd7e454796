"""The settings: files, variables that override them, and variables that nothing reads."""

from jobs.checks.line import Line, ok, warn
from jobs.checks.seen import Seen
from jobs.settings import ENV, KNOWN


def settings(seen: Seen) -> list[Line]:
    """What is set, by file and by variable; a name that nothing reads."""
    told = seen.settings
    overrides = sorted(name for name in seen.environ if name.startswith(f"{ENV}_"))
    own = sorted(name for name in seen.environ if name in KNOWN)
    feeds = sum(feed.enabled for feed in told.feeds)
    parts = [f"{told.path}: {feeds} feeds, {len(told.events)} events", "costs" if told.costs else "no file of costs"]
    parts += [f"set by the environment: {', '.join((*own, *overrides))}"] if own or overrides else []
    lines = [ok("settings", "; ".join(parts))]
    lines += [
        warn(f"settings:{name}", "nothing reads this variable", f"one of {', '.join(KNOWN)}, or {ENV}_SECTION__KEY")
        for name in sorted(seen.environ)
        if name.startswith(ENV) and name not in KNOWN and not name.startswith(f"{ENV}_")
    ]
    if not feeds:
        lines.append(
            warn("settings:feeds", "no feed is enabled: only what is pushed comes in", "see config/feeds.toml")
        )
    return lines
