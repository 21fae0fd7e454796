"""What one service sees of the lease and of the others, by its own clock alone: who is silent, and who is fresh.

Pure: it is told what was read, and when by a clock that also counts while the machine sleeps.
"""

from collections.abc import Sequence

from signals.store.leases import Lease, Member

BEAT_S = 1.0
"""Between two signs of life of who leads."""
LOOK_S = 0.5
"""Between two looks of who stands by."""
_GAP_S = 2.5
"""Whoever has not looked for longer does not know whether anything changed meanwhile."""


class Watch:
    """What is seen.

    Parameters
    ----------
    instance : whose eyes these are.
    lease_s : seconds without a change after which a lease, or a service, is silent.
    """

    def __init__(self, instance: str, lease_s: float) -> None:
        self._me = instance
        self._lease_s = lease_s
        self._looked_at: float | None = None
        self._changed_at = 0.0
        self._beats: dict[str, tuple[int, float]] = {}
        self.lease = Lease(None, 0, 0)
        self.members: tuple[Member, ...] = ()
        """All that stand in the store, silent ones too."""

    def look(self, at: float, lease: Lease, members: Sequence[Member]) -> None:
        """Take in what was read at a time (seconds)."""
        slept = self._looked_at is None or at - self._looked_at > _GAP_S
        if slept or lease != self.lease:
            self._changed_at = at
        for one in members:
            known = self._beats.get(one.instance)
            if slept or known is None or known[0] != one.beats:
                self._beats[one.instance] = one.beats, at
        self.lease, self.members, self._looked_at = lease, tuple(members), at

    def silent(self) -> Lease | None:
        """The lease, where its holder has been silent for too long."""
        if self._looked_at is None or self._looked_at - self._changed_at < self._lease_s:
            return None
        return self.lease

    def others(self) -> tuple[Member, ...]:
        """The other services that are heard of."""
        at = self._looked_at or 0.0
        return tuple(
            one
            for one in self.members
            if one.instance != self._me and at - self._beats[one.instance][1] < self._lease_s
        )

    def may_take(self, *, broker_ok: bool) -> bool:
        """Whether the lease may be tried: it is free, ours or silent; and nobody is a better leader than us."""
        free = self.lease.holder in (None, self._me) or self.silent() is not None
        return free and (broker_ok or not any(one.broker_ok for one in self.others()))

    def rings(self) -> int:
        """How often the others have rung."""
        return sum(one.rings for one in self.members if one.instance != self._me)
