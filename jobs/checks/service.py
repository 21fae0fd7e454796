"""The service: whether it runs, since when, whether it beats, and whether it says that it is ready."""

import contextlib
import json
import urllib.error
import urllib.request
from typing import Any

from jobs.checks.line import Line, fail, ok, warn
from jobs.checks.processes import CAN_TELL, started_at
from jobs.checks.seen import Seen
from jobs.spans import span
from signals.delivery.endpoints import endpoint
from signals.errors import SignalsError
from signals.model import JobRun

_ANSWER_S = 3.0
_MISSED_BEATS = 6
_LEAST_SILENCE_S = 15.0
"""Beats are put on record with the next ones, and a locked store delays that."""


def service(seen: Seen) -> list[Line]:
    """The process, its heartbeat, and its own word."""
    if not CAN_TELL and endpoint(seen.settings.home, "console") is None:
        return [warn("service", "none is seen, and this system does not tell who holds a file", "is it running?")]
    holder = seen.service()
    if seen.died():
        text = "is gone, and did not end by itself: it was killed, or the machine went down"
        return [fail("service", text, "`signals serve` starts it, and takes up what was left; nothing is lost")]
    if holder is None and CAN_TELL:
        return [warn("service", "is not running", "`signals serve` starts it")]
    began = started_at(holder.pid) if holder else None
    since = f", for {span((seen.clock() - began).total_seconds())}" if began else ""
    return [ok("service", f"{holder or 'it'} runs{since}"), *_beat(seen, began), *_ready(seen)]


def _beat(seen: Seen, began: Any) -> list[Line]:
    try:
        kept = seen.store().kept
    except SignalsError:  # told by its own check
        return []
    beat = kept.latest.get("heartbeat") if kept else None
    every_s = seen.settings.jobs.heartbeat.every_s
    limit_s = max(_MISSED_BEATS * every_s, _LEAST_SILENCE_S)
    if beat is None:
        up_s = (seen.clock() - began).total_seconds() if began else limit_s + 1
        if up_s <= limit_s:
            return [ok("service:heartbeat", "too young to have one on record")]
        return [fail("service:heartbeat", "none on record", _RESTART)]
    return [_age_of(beat, (seen.clock() - beat.started_at).total_seconds(), limit_s)]


_RESTART = "is the process stopped, or the store locked? else restart `signals serve` and keep its log"


def _age_of(beat: JobRun, age_s: float, limit_s: float) -> Line:
    text = f"last one {span(age_s)} ago ({beat.outcome})"
    if age_s > limit_s:
        return fail("service:heartbeat", text, _RESTART)
    if beat.outcome == "failed":
        return warn("service:heartbeat", f"{text}: {beat.error}", "bots hear nothing until Redis is back")
    return ok("service:heartbeat", text)


def _ready(seen: Seen) -> list[Line]:
    url = endpoint(seen.settings.home, "console")
    if url is None:
        return [warn("service:ready", "it names no address yet in endpoints.json", "wait a moment: it is starting")]
    status, body = _asked(f"{url}/readyz")
    if status is None:
        return [fail("service:ready", f"{url} does not answer ({body})", "restart `signals serve` and keep its log")]
    if status == 404:
        mend = "restart `signals serve` after an update"
        return [warn("service:ready", f"{url} runs a version that does not tell whether it is ready", mend)]
    if status == 200:
        return [ok("service:ready", f"{url} says that it is ready")]
    return [fail("service:ready", f"{url} says: {_reasons(body)}", "see the lines above and below for each of these")]


def _asked(url: str) -> tuple[int | None, str]:
    """Status and text of an answer; null and why where there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with contextlib.closing(opener.open(url, timeout=_ANSWER_S)) as answer:
            return answer.status, answer.read(100_000).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(100_000).decode(errors="replace")
    except OSError as error:
        return None, str(getattr(error, "reason", error))


def _reasons(body: str) -> str:
    try:
        reasons = json.loads(body)["reasons"]
    except (ValueError, KeyError, TypeError):  # a proxy's page, or another program's
        return body.strip().partition("\n")[0][:200] or "not ready"
    words = [one.get("text", one) if isinstance(one, dict) else one for one in reasons]
    return "; ".join(map(str, words)) or "not ready"
