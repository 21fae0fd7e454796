"""What counts as fresh, and how alerts behave: the tables `[freshness]` and `[alerts]` of the settings file."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

Seconds = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(gt=0, le=1)]
T = TypeVar("T")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file; unknown keys are errors."""


class SourceObjective(Part, frozen=True, kw_only=True):
    """Of a source of headlines. A feed that answers and has nothing new is fresh."""

    age_s: Annotated[int, Meta(ge=0)] = 0
    """Longest time since its last answer; 0: three times its `every_s`, at least five minutes."""
    error_share: Share = 0.5
    """Most of its last twenty answers that may have failed."""
    lag_s: Annotated[int, Meta(ge=0)] = 3600
    """Longest from the publisher's time to ours, of the quickest of its last five headlines; 0: any."""


class JobObjective(Part, frozen=True, kw_only=True):
    """Of a job."""

    rounds: Annotated[int, Meta(ge=1)] = 3
    """How many times its `every_s` may pass without a good end (at least a minute, and its timeout)."""
    error_share: Share = 0.5
    """Most of its last twenty runs within the hour that may have failed."""


class PriceObjective(Part, frozen=True, kw_only=True):
    """Of a source of prices."""

    age_s: Seconds = 900
    """Longest time of open market since its last bar closed."""


class ChannelObjective(Part, frozen=True, kw_only=True):
    """Of the way from the store to Redis."""

    unsent_s: Seconds = 60
    """Longest that a message may wait in the outbox."""
    lag_s: Seconds = 120
    """Longest from a headline's `known_at` to its being on the channel, of the quickest of the last five."""


class ServiceObjective(Part, frozen=True, kw_only=True):
    """Of the service and its machine."""

    drift_s: Seconds = 30
    """Latest that a job may start after its time."""
    clock_s: Annotated[float, Meta(gt=0)] = 5.0
    """Most that the clock may be off, or jump."""
    disk_free_mb: Annotated[int, Meta(ge=0)] = 500
    """Least room in the home; with a tenth of it the alert is critical."""


class SourceOverride(Part, frozen=True, kw_only=True):
    """What one source has of its own."""

    age_s: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    error_share: Share | UnsetType = UNSET
    lag_s: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class JobOverride(Part, frozen=True, kw_only=True):
    """What one job has of its own."""

    rounds: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    error_share: Share | UnsetType = UNSET


class PriceOverride(Part, frozen=True, kw_only=True):
    """What one source of prices has of its own."""

    age_s: Seconds | UnsetType = UNSET


class Freshness(Part, frozen=True, kw_only=True):
    """All objectives: those of everyone, and what single ones have of their own, by id."""

    source: SourceObjective = SourceObjective()
    sources: dict[str, SourceOverride] = {}
    job: JobObjective = JobObjective()
    jobs: dict[str, JobOverride] = {}
    price: PriceObjective = PriceObjective()
    prices: dict[str, PriceOverride] = msgspec.field(default_factory=lambda: {"ecb": PriceOverride(age_s=144_000)})
    channel: ChannelObjective = ChannelObjective()
    service: ServiceObjective = ServiceObjective()

    def of_source(self, source: str) -> SourceObjective:
        """The objectives of one source."""
        return _own(self.source, self.sources.get(source))

    def of_job(self, job: str) -> JobObjective:
        """The objectives of one job."""
        return _own(self.job, self.jobs.get(job))

    def of_price(self, source: str) -> PriceObjective:
        """The objectives of one source of prices."""
        return _own(self.price, self.prices.get(source))


class Alerts(Part, frozen=True, kw_only=True):
    """When an alert opens, repeats and closes, and the digest of a day."""

    for_s: Annotated[int, Meta(ge=0)] = 30
    """How long something must be wrong before its alert opens."""
    clear_s: Annotated[int, Meta(ge=0)] = 60
    """How long it must be well before its alert closes."""
    repeat_s: Seconds = 14_400
    """After how long an alert that is still open is told again."""
    digest_at: Annotated[str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")] = "21:30"
    """UTC time of the day's digest; empty: none."""
    keep_days: Annotated[int, Meta(ge=1)] = 90
    """How long closed alerts are kept."""


def _own(all_: T, own: msgspec.Struct | None) -> T:
    """What holds for all, with what one has of its own."""
    if own is None:
        return all_
    said: Mapping[str, object] = {k: v for k, v in msgspec.structs.asdict(own).items() if v is not UNSET}
    made: T = msgspec.structs.replace(all_, **said)  # type: ignore[type-var]
    return made
