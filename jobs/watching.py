"""What one service sees of the lease and of the others, by its own clock alone: who is silent, and who is fresh.

Pure: it is told what was read, and when by a clock that also counts while the machine sleeps.
"""

from collections.abc import Sequence

from signals.store.leases import Lease, Member

BEAT_S = 1.0
"""Between two signs of life of who leads."""
LOOK_S = 0.5
"""Between two looks of who stands by."""
_COUNTED_S = 2.0
"""Most of a time without a look that counts as silence: whoever slept, or could not look, knows little of it, and who
leads may have slept with it; but one late look must not make the waiting begin anew."""


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
        self._silent_s = 0.0
        self._beats: dict[str, tuple[int, float]] = {}
        """Of each service its last beat, and for how many seconds there was no other."""
        self.lease = Lease(None, 0, 0)
        self.members: tuple[Member, ...] = ()
        """All that stand in the store, silent ones too."""

    def look(self, at: float, lease: Lease, members: Sequence[Member]) -> None:
        """Take in what was read at a time (seconds)."""
        passed_s = 0.0 if self._looked_at is None else min(at - self._looked_at, _COUNTED_S)
        self._silent_s = self._silent_s + passed_s if lease == self.lease else 0.0
        for one in members:
            beats, silent_s = self._beats.get(one.instance, (None, 0.0))
            self._beats[one.instance] = one.beats, silent_s + passed_s if one.beats == beats else 0.0
        self.lease, self.members, self._looked_at = lease, tuple(members), at

    def silent(self) -> Lease | None:
        """The lease, where its holder has been silent for too long."""
        return self.lease if self._silent_s >= self._lease_s else None

    def others(self) -> tuple[Member, ...]:
        """The other services that are heard of."""
        return tuple(
            one for one in self.members if one.instance != self._me and self._beats[one.instance][1] < self._lease_s
        )

    def may_take(self, *, broker_ok: bool) -> bool:
        """Whether the lease may be tried: it is free, ours or silent; and nobody is a better leader than us."""
        free = self.lease.holder in (None, self._me) or self.silent() is not None
        return free and (broker_ok or not any(one.broker_ok for one in self.others()))

    def rings(self) -> int:
        """How often the others have rung."""
        return sum(one.rings for one in self.members if one.instance != self._me)
