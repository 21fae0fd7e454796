"""The feeds: what ingest last had of each, and what each answers now."""

import datetime as dt

from jobs.checks.feed_answers import Answer
from jobs.checks.line import Line, fail, ok, warn
from jobs.checks.seen import Seen
from jobs.mends import mend_of
from jobs.spans import span
from signals.errors import SignalsError
from signals.model import FeedState
from signals.sources.feed import Feed


def feeds(seen: Seen) -> list[Line]:
    """A line a feed, and one more where none of those that are fetched works."""
    try:
        kept = seen.store().kept
    except SignalsError:  # told by its own check
        kept = None
    states = kept.states if kept else {}
    answers = seen.answers()
    now = seen.clock()
    enabled = [feed for feed in seen.settings.feeds if feed.enabled]
    lines = [_feed(feed, states.get(feed.id), answers.get(feed.id), now) for feed in enabled]
    fetched = [line for feed, line in zip(enabled, lines, strict=True) if feed.kind != "articles"]
    if fetched and all(line.status != "ok" for line in fetched):
        text = f"none of the {len(fetched)} feeds that are fetched works"
        lines.append(fail("feeds", text, "is this machine's network up? proxy, DNS and firewall come before the feeds"))
    return lines


def _feed(feed: Feed, state: FeedState | None, answer: Answer | None, now: dt.datetime) -> Line:
    check = f"feed:{feed.id}"
    if feed.path is not None and not feed.path.is_dir():
        return warn(check, f"{feed.path} is no folder", "correct its path in the feeds file, or make it")
    remembered = _remembered(state, now)
    failing = state is not None and state.failures > 0
    if answer is not None and answer.fault is not None:
        fault = f"{getattr(answer.fault, 'reason', 'configuration')}: {answer.fault.problem}"
        again = "still so now" if state and state.last_error == fault else f"now {fault}"
        text = f"{remembered}; {again}" if failing else f"{again}; {remembered}"
        return warn(check, text, answer.fault.mend or mend_of(fault, "source"))
    if answer is not None:
        text = f"answers in {answer.took_s * 1000:.0f} ms; {remembered}"
        return warn(check, text, "wait: ingest asks it again by itself") if failing else ok(check, text)
    if state is not None and failing:
        return warn(check, remembered, mend_of(state.last_error or "", "source"))
    return ok(check, remembered)


def _remembered(state: FeedState | None, now: dt.datetime) -> str:
    if state is None or state.last_attempt_at is None:
        return "never asked by ingest"
    last = state.last_success_at
    since = f"last success {span((now - last).total_seconds())} ago" if last else "never a success"
    if not state.failures:
        return since
    again = f", asked again at {state.next_attempt_at:%H:%M:%S} UTC" if state.next_attempt_at else ""
    return f"down, {state.failures} in a row ({state.last_error}), {since}{again}"
