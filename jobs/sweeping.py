"""What a sweep works on: the signals of each of its policies, each replayed once, and one series of bars for all.

A headline's score does not depend on the policy, so those who replay several remember what was scored.
"""

import contextlib
import datetime as dt
import functools
import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from jobs import series
from jobs.app import App
from jobs.history import FIRST, LAST, History, code_version
from jobs.replaying import Asked, frame_of, rules
from jobs.settings import Settings
from signals.decide import policy_id
from signals.errors import DataError
from signals.model import Headline, Policy, Score
from signals.research.columns import SIGNAL_COLUMNS
from signals.research.files import fingerprint
from signals.research.frames import witnessed
from signals.research.journal import Journal
from signals.research.ledger import Ledger, Trials
from signals.research.prescored import Prescored
from signals.research.spread import here, processes
from signals.research.sweep import Figures, Point, World, trial_of
from signals.scoring.model import ScoringModel

REMEMBERED = 500_000
"""Scores that are kept, half a kilobyte each; what comes beyond them is scored anew."""
Tell = Callable[[int, int], None]


class Made(NamedTuple):
    """The signals of one policy, as far as backtests read them."""

    signals: pd.DataFrame
    inputs_id: str
    """SHA-256 of the whole frame."""
    model_ids: tuple[str, ...]
    policy_ids: tuple[str, ...]
    refused: Mapping[str, int]
    """Left out, by the reason."""
    backfilled: int
    """Taken all the same."""
    notes: tuple[str, ...]


class Ready(NamedTuple):
    """Everything a sweep needs."""

    world: World
    made: Mapping[str, Made]
    """By `policy_id`."""
    bars_id: str
    """SHA-256 of the bars."""
    notes: tuple[str, ...]


class Remembering:
    """A model that scores each headline once."""

    def __init__(self, model: ScoringModel | Prescored) -> None:
        self._model = model
        self._known: dict[str, Score] = {}
        self.model_id = model.model_id

    def answers(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores without evidence, in the order of the headlines."""
        new = [one for one in headlines if one.headline_id not in self._known]
        scored = {score.headline_id: score for score in self._model.answers(new)}
        for name, score in scored.items():
            if len(self._known) < REMEMBERED:
                self._known[name] = score
        return [self._known.get(one.headline_id) or scored[one.headline_id] for one in headlines]

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores with their evidence; not remembered."""
        return self._model.score(headlines)


class Replayer:
    """The archive of a home, for one policy after the other; goes to another process before it is first used.

    Parameters
    ----------
    now : when what waits is taken (UTC): the same for every policy.
    """

    def __init__(self, settings: Settings, asked: Asked, now: dt.datetime, *, allow_backfilled: bool) -> None:
        self._settings, self._asked, self._now = settings, asked, now
        self._allow_backfilled = allow_backfilled

    @functools.cached_property
    def _app(self) -> App:
        app = App(self._settings, clock=lambda: self._now)
        app.__dict__["scorer"] = Remembering(rules(app, self._asked)[0])
        return app

    def close(self) -> None:
        """Close the store, where it was opened in this process."""
        if "_app" in self.__dict__:
            self._app.close()

    def make(self, policy: Policy) -> Made:
        """The signals of a policy."""
        frame, notes = frame_of(self._app, self._asked._replace(model=None, policy=policy))
        frame, refused = witnessed(frame, allow_backfilled=self._allow_backfilled)
        return _made(frame, refused, notes[1:])


def replayed(world: Replayer, policy: Policy) -> Made:
    """`Replayer.make`, as a task of a mapper."""
    return world.make(policy)


def by_policy(
    app: App, policies: Sequence[Policy], asked: Asked, *, bars: str | None, allow_backfilled: bool, count: int,
    tell: Tell,
) -> Ready:  # fmt: skip
    """The signals of each policy, made anew, and bars that go with all of them.

    Parameters
    ----------
    asked : the time and the model; its policy is passed over.
    bars, allow_backfilled : as `history.load`.
    count : processes that replay at once.

    Raises
    ------
    DataError : no policy makes a signal that can be used, or there are no bars. WorkerError : a process died.
    """
    app.store  # noqa: B018  brought up to date once, not by every process
    replayer = Replayer(app.settings, asked, app.clock(), allow_backfilled=allow_backfilled)
    at_once = min(count, len(policies))
    made: dict[str, Made] = {}
    pool = here(replayer) if at_once == 1 else processes(replayer, at_once)
    with contextlib.closing(replayer), pool as mapper:
        for policy, one in zip(policies, mapper(replayed, policies), strict=True):
            made[policy_id(policy)] = one
            tell(len(made), len(policies))
    known_at = pd.concat([one.signals["known_at"] for one in made.values()], ignore_index=True)
    if known_at.empty:
        raise DataError("signals", "no policy of the grid makes any that can be used", _mend(made.values()))
    since, until = (None if at in (FIRST, LAST) else at for at in (asked.since, asked.until))
    with app.store.read() as conn:
        found = series.choose(conn, known_at, bars, since, until)
    notes = [f"{len(policies):,} policies, each replayed once", *_notes(made), *found.notes]
    return _ready(made, found.bars, notes)


def of_history(history: History, policy: Policy) -> Ready:
    """The same of signals that were loaded; `policy`: what the points of the grid bear, whoever told the signals."""
    made = _made(history.signals, history.refused, ())
    return _ready({policy_id(policy): made}, history.bars, history.notes)


def counted(app: App, points: Sequence[Point], found: Sequence[Figures], ready: Ready) -> tuple[Trials, list[str]]:
    """Every point into the ledger of trials, and what is to be said of it."""
    run_id, at = uuid.uuid4().hex[:12], app.clock().isoformat()
    ledger = Ledger(app.settings.home / "trials.jsonl")
    trials = ledger.add_all([
        trial_of(
            point, one, run_id=run_id, at=at, model_id=",".join(made.model_ids),
            made_by=",".join(made.policy_ids) or policy_id(point.policy), inputs_id=f"{made.inputs_id},{ready.bars_id}",
        )
        for point, one in zip(points, found, strict=True)
        for made in (ready.made[policy_id(point.policy)],)
    ])  # fmt: skip
    said = [f"{len(trials.distinct):,} distinct trials in {ledger.path.name}, these {len(points):,} among them"]
    if trials.unreadable:
        said.append(f"{ledger.path}: {len(trials.unreadable)} lines cannot be read and are not counted")
    return trials, said


def journal_of(app: App, ready: Ready) -> Journal:
    """What was found so far of the same signals, bars and code."""
    told = [ready.bars_id, code_version(), *sorted(f"{name}={one.inputs_id}" for name, one in ready.made.items())]
    name = hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
    return Journal(app.settings.home / "sweeps" / f"{name}.jsonl")


def inputs(ready: Ready) -> dict[str, str]:
    """What a sweep was made of: hashes, ids, versions."""
    made, bars = ready.made.values(), ready.world.bars
    return {
        "signals (SHA-256)": ", ".join(one.inputs_id for one in made),
        "bars (SHA-256)": ready.bars_id,
        "bars": f"{bars.attrs['source']}:{bars.attrs['length_s']:.0f}",
        "model": ", ".join(sorted({name for one in made for name in one.model_ids})),
        "policy": ", ".join(dict.fromkeys(name for one in made for name in one.policy_ids)),
        "code": code_version(),
    }


def _made(frame: pd.DataFrame, refused: Mapping[str, int], notes: Sequence[str]) -> Made:
    return Made(
        frame[list(SIGNAL_COLUMNS)],
        fingerprint(frame),
        tuple(sorted(frame["model_id"].unique())),
        tuple(sorted(frame["policy_id"].unique())),
        refused,
        int(frame["backfilled"].sum()),
        tuple(notes),
    )


def _ready(made: Mapping[str, Made], bars: pd.DataFrame, notes: Sequence[str]) -> Ready:
    world = World({name: one.signals for name, one in made.items()}, bars)
    world.calendar  # noqa: B018  asked for once, before it is handed over
    return Ready(world, made, fingerprint(bars), tuple(notes))


def _notes(made: Mapping[str, Made]) -> list[str]:
    """What is to be said of the replays, each thing once."""
    said = list(dict.fromkeys(note for one in made.values() for note in one.notes))
    for reason in ("backfilled", "undated"):
        most = max(one.refused.get(reason, 0) for one in made.values())
        said += [f"up to {most:,} signals of a policy left out: {reason}"] if most else []
    most = max(one.backfilled for one in made.values())
    kept = f"up to {most:,} signals of a policy are backfilled: their known_at was reconstructed, not witnessed"
    return [*said, *([kept] if most else [])]


def _mend(made: Iterable[Made]) -> str:
    if any(one.refused for one in made):
        return "--allow-backfilled takes those whose times were reconstructed"
    return "`signals run` makes some; `signals import` brings history"
