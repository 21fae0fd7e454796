"""Pausing jobs and letting them go on; it stands in the store, so every process of the home sees it at once."""

import datetime as dt
from collections.abc import Callable, Collection

from jobs.logs import logger
from signals.errors import ConfigError, StoreError
from signals.model import Pause
from signals.store import Store, pauses

NEVER = frozenset({"heartbeat"})
"""Jobs that cannot be paused: a service without heartbeats looks dead, and bots stop."""


class Pauses:
    """The pauses of one store.

    Parameters
    ----------
    store : keeps them.
    clock : gives the UTC time.
    jobs : the names there are.
    """

    def __init__(self, store: Store, clock: Callable[[], dt.datetime], jobs: Collection[str]) -> None:
        self._store = store
        self._clock = clock
        self._jobs = tuple(jobs)
        self._seen: dict[str, Pause] = {}

    def pause(self, job: str, for_s: float | None = None, why: str = "") -> Pause:
        """Let a job rest from its next tick on; a run that is under way ends as it would.

        Parameters
        ----------
        for_s : for how many seconds; null: until `resume`.
        why : told to whoever looks.

        Raises
        ------
        ConfigError : there is no such job, or it cannot be paused.
        StoreError : it could not be kept.
        """
        self._known(job)
        if job in NEVER:
            raise ConfigError(f"job {job}", "cannot be paused", "without it bots take the service for dead and stop")
        now = self._clock()
        until = None if for_s is None else now + dt.timedelta(seconds=for_s)
        pause = Pause(job=job, paused_at=now, until=until, why=" ".join(why.split()))
        with self._store.write() as conn:
            pauses.put(conn, pause)
        self._seen[job] = pause
        logger().warning("job.paused", job=job, until=until, why=pause.why or None)
        return pause

    def resume(self, job: str) -> bool:
        """Let a job go on with its next tick; whether it was paused. Raises as `pause` does."""
        self._known(job)
        with self._store.write() as conn:
            lifted = pauses.lift(conn, job)
        self._seen.pop(job, None)
        if lifted:
            logger().info("job.resumed", job=job)
        return lifted

    def standing(self) -> dict[str, Pause]:
        """The pauses that hold now, by job. A store that cannot be read leaves what was last seen."""
        now = self._clock()
        try:
            with self._store.read() as conn:
                self._seen = pauses.standing(conn, now)
        except StoreError:  # whoever runs a job is told of it by the run itself
            return {job: pause for job, pause in self._seen.items() if pause.until is None or pause.until > now}
        return self._seen

    def hold(self, job: str) -> bool:
        """Whether a job rests now; asks the store for no job that never does."""
        return job not in NEVER and job in self.standing()

    def _known(self, job: str) -> None:
        if job not in self._jobs:
            raise ConfigError("NAME", f"there is no job {job!r}", f"one of {', '.join(self._jobs)}")
