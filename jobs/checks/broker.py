"""Redis: whether it answers and lets us write, keeps what it is given, and has all that the store has."""

from jobs.checks.broker_state import BrokerState
from jobs.checks.line import Line, fail, ok, size, warn
from jobs.checks.seen import Seen
from jobs.checks.store_state import Kept
from jobs.spans import span

_NEARLY_FULL = 0.9


def broker(seen: Seen) -> list[Line]:
    """Whether signals can go out."""
    state = seen.broker()
    if state is None:
        return [_none(seen)]
    who = f" as {state.user}" if state.user else ""
    text = f"{state.program or 'a server'} at {state.where}{who}"
    if state.write_fault is not None:
        return [fail("redis", f"{text}: {state.write_fault.problem}", state.write_fault.mend or "see its log")]
    return [ok("redis", f"{text}, may write"), *_keeping(state)]


def channel(seen: Seen) -> list[Line]:
    """Whether Redis has all that the store has put out."""
    kept = seen.store().kept
    if kept is None or kept.epoch is None:
        return [ok("channel", "nothing was published yet")]
    state = seen.broker()
    waits = _waits(kept, seen)
    if state is None:
        return [warn("channel", f"{waits}, no Redis to send it to", "`signals serve` sends it")] if kept.waiting else []
    epoch, seq = state.last or (None, 0)
    at = f"seq {seq} of {kept.last_seq}"
    if epoch is not None and epoch != kept.epoch:
        mend = "if that is not meant, point SIGNALS_REDIS_URL or SIGNALS_DATABASE_URL at the one that goes with it"
        return [warn("channel", f"Redis has the signals of another store (epoch {epoch}, ours {kept.epoch})", mend)]
    if seq < kept.last_seq or kept.waiting:
        behind = f"Redis is behind by {kept.last_seq - seq} ({at}), {waits}"
        return [warn("channel", behind, "the job publish sends it: see `signals jobs history --job publish`")]
    return [ok("channel", f"{at}: Redis has all")]


def _waits(kept: Kept, seen: Seen) -> str:
    since = (
        f", the oldest for {span((seen.clock() - kept.waiting_since).total_seconds())}" if kept.waiting_since else ""
    )
    return f"{kept.waiting} messages wait{since}"


def _none(seen: Seen) -> Line:
    if seen.service() is not None:
        text = f"the service runs and no Redis of {seen.settings.home} is named in its endpoints.json"
        return fail("redis", text, "see its log for redis; restart `signals serve`")
    return ok("redis", "the home's own server is not running: `signals serve` starts it")


def _keeping(state: BrokerState) -> list[Line]:
    lines = []
    if state.persists is False:
        mend = "set appendonly yes: what a restart loses is sent again, older signals are not"
        lines.append(warn("redis:persistence", "it keeps nothing on disk", mend))
    if state.persistence_fault is not None:
        lines.append(
            fail(
                "redis:persistence",
                f"its last write to disk failed ({state.persistence_fault})",
                "see its log and disk",
            )
        )
    if state.policy not in (None, "noeviction"):
        mend = (
            "CONFIG SET maxmemory-policy noeviction: full should be an error to be seen, no signal dropped in silence"
        )
        lines.append(warn("redis:policy", f"maxmemory-policy is {state.policy}", mend))
    used, limit = state.used_bytes, state.limit_bytes
    if used and limit and used > _NEARLY_FULL * limit:
        lines.append(warn("redis:memory", f"{size(used)} of {size(limit)} used", "raise its maxmemory"))
    elif used:
        lines.append(ok("redis:memory", f"{size(used)} used{f' of {size(limit)}' if limit else ''}"))
    return lines
