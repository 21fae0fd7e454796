"""`signals sweep`: a grid of policies, rules and costs, every point traded, and every point counted."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import typer

from jobs.cli import archive, options, research
from jobs.cli.sweep_output import show, told, written
from signals.errors import ConfigError

if TYPE_CHECKING:
    from jobs.app import App
    from jobs.sweeping import Ready
    from signals.model import Policy
    from signals.research.spread import Mapper, Place
    from signals.research.sweep import Point
    from signals.research.swept import Swept

_SECTIONS = ("rules", "costs", "policy")

Grid = Annotated[
    list[str] | None,
    typer.Option(
        "--grid", metavar="KEY=A,B", help="rules.strength_min=0.2,0.4; policy... and costs... too; none: null."
    ),
]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="What is the same at every point.")]
SignalsFrom = Annotated[
    str | None,
    typer.Option(
        "--signals", metavar="WHENCE", help="As for backtest.",
        show_default="replay where the grid has policies, else store",
    ),
]  # fmt: skip
WalkForward = Annotated[
    int | None,
    typer.Option("--walk-forward", metavar="K", min=1, max=1000, help="Choose on past days, trade the next, K times."),
]
Yes = Annotated[bool, typer.Option("--yes", help="More than 10,000 points are meant.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="F.html", help="Write a report with pictures.")]
To = Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write all points as Parquet.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "sweep",
        epilog="Example: signals sweep --grid rules.strength_min=0.2,0.4 --grid policy.novelty_min=0.4,0.6"
        " --walk-forward 5",
    )(sweep)


def sweep(
    context: typer.Context,
    grid: Grid = None,
    walk_forward: WalkForward = None,
    since: research.Since = None,
    until: research.Until = None,
    signals_from: SignalsFrom = None,
    bars: research.Bars = None,
    model: research.Model = None,
    sets: Set = None,
    allow_backfilled: research.AllowBackfilled = False,
    processes: archive.Processes = None,
    cluster: archive.Cluster = None,
    yes: Yes = False,
    report: Report = None,
    to: To = None,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Backtest every point of a grid of policies, rules and costs, and say what the best of so many is worth.

    Each policy is replayed once. Every point is a trial of the ledger, and the best one's Sharpe ratio is deflated by
    all of them. With --walk-forward the point is chosen on past days only and traded on the next: that figure is the
    one to believe. The rows are the same wherever they are made. Stopped at any moment, the same command goes on:
    points that were done are not done again, as long as signals, bars and code are the same.
    """
    from jobs.app import App
    from signals.research.sweep import MOST
    from signals.research.sweep import grid as make

    settings = options.settings(context, config)
    given, axes = research.assignments(sets, _SECTIONS), _axes(grid)
    place = archive.place(processes, cluster)
    with closing(App(settings)) as app, research.stoppable(research.GOES_ON):
        policy = research.changed("policy", settings.policy, given["policy"])
        points = make(axes, policy or settings.policy, *_traded(app, given), most=None if yes else MOST)
        _reserve(report, to, walk_forward)
        asked = _Asked(since, until, signals_from, bars, model, policy, allow_backfilled)
        found, said, inputs = _swept(app, points, asked, place, walk_forward)
    lines = written(found, said, inputs, report, to)
    if as_json:
        print(msgspec.json.encode(told(found, said, inputs)).decode())
    else:
        show(found, said, lines)


class _Asked(NamedTuple):
    """Which signals and bars, as written on the command line."""

    since: str | None
    until: str | None
    signals_from: str | None
    bars: str | None
    model: Path | None
    policy: "Policy | None"
    allow_backfilled: bool


def _axes(grids: Sequence[str] | None) -> dict[str, list[Any]]:
    """Values by key; as in TOML, bare words are texts, `none` is null. Raises ConfigError."""
    axes: dict[str, list[Any]] = {}
    for option in grids or ():
        key, equals, raw = option.partition("=")
        key = key.strip()
        if not equals:
            raise ConfigError("--grid", f"{option!r} has no values", "as --grid rules.strength_min=0.2,0.4")
        if key in axes:
            raise ConfigError(f"--grid {key}", "is given twice", "give all its values at once")
        axes[key] = _values(raw)
    return axes


def _values(raw: str) -> list[Any]:
    try:
        return list(tomllib.loads(f"values = [{raw}]")["values"])
    except tomllib.TOMLDecodeError:
        return [_value(word.strip()) for word in raw.split(",") if word.strip()]


def _value(word: str) -> Any:
    try:
        return None if word == "none" else tomllib.loads(f"value = {word}")["value"]
    except tomllib.TOMLDecodeError:
        return word


def _traded(app: "App", given: Mapping[str, dict[str, Any]]) -> tuple[Any, Any]:
    from signals.research.rules import Rules

    rules = research.changed("rules", Rules(), given["rules"]) or Rules()
    return rules, research.changed("costs", app.costs, given["costs"]) or app.costs


def _reserve(report: Path | None, to: Path | None, walk_forward: int | None) -> None:
    """What is missing or cannot be written is told of before the work."""
    needs = {"arch": "intervals", "matplotlib": "sweep"}
    needs |= ({"pyarrow": "--to"} if to else {}) | ({"skfolio": "--walk-forward"} if walk_forward else {})
    for package, what in needs.items():
        research.require(package, what)
    if report:
        report.touch()
    if to:
        research.folder(to)


def _swept(
    app: "App", points: "Sequence[Point]", asked: _Asked, place: "Place", tests: int | None
) -> "tuple[Swept, list[str], dict[str, str]]":
    from jobs.sweeping import counted, inputs, journal_of
    from signals.research import spread
    from signals.research.sweep import sweep as evaluate
    from signals.research.sweep_forward import plan, walk
    from signals.research.swept import conclude

    if place.cluster:  # whoever mistyped an address need not wait for the replays to hear of it
        with spread.dask(None, place.cluster):
            pass
    ready = _loaded(app, points, asked, place)
    cut = plan(points, ready.world, tests) if tests else None
    journal = journal_of(app, ready)
    begun = len(journal)
    with _mapper(ready, place, len(points)) as plain:
        mapper = journal.resuming(plain)
        with research.progress("sweep", "points") as tell:
            figures = evaluate(points, _watched(mapper, tell))
        forward = []
        if cut:
            with research.progress("walk forward", "points") as tell:
                forward = walk(points, ready.world, _watched(mapper, tell), cut)
    trials, said = counted(app, points, figures, ready)
    found = conclude(points, figures, ready.world, forward, trials)
    journal.forget()
    said += [f"went on where it was stopped: {begun:,} results were there"] if begun else []
    return found, [*ready.notes, *said], inputs(ready)


def _loaded(app: "App", points: "Sequence[Point]", asked: _Asked, place: "Place") -> "Ready":
    from jobs import sweeping
    from jobs.history import FIRST, LAST
    from jobs.replaying import Asked
    from signals.research.sweep import policies

    if not any(key.startswith("policy.") for key, _ in points[0].values):
        history = research.load(
            app, since=asked.since, until=asked.until, signals_from=asked.signals_from or "store", bars=asked.bars,
            model=asked.model, policy=asked.policy, allow_backfilled=asked.allow_backfilled,
        )  # fmt: skip
        return sweeping.of_history(history, points[0].policy)
    if asked.signals_from not in (None, "replay"):
        raise ConfigError("--grid policy", "changes nothing of signals made before", "leave --signals out: replay")
    low, high = research.span(asked.since, asked.until)
    since, until = low or FIRST, high or LAST
    with research.progress("replay", "policies") as tell:
        return sweeping.by_policy(
            app, policies(points), Asked(since, until, asked.model), bars=asked.bars,
            allow_backfilled=asked.allow_backfilled, count=place.processes, tell=tell,
        )  # fmt: skip


def _mapper(ready: "Ready", place: "Place", points: int) -> "AbstractContextManager[Mapper]":
    from signals.research import spread

    if place.cluster:
        return spread.dask(ready.world, place.cluster)
    count = min(place.processes, points)
    return spread.here(ready.world) if count == 1 else spread.processes(ready.world, count)


def _watched(mapper: "Mapper", tell: Callable[[int, int], None]) -> "Mapper":
    def mapped(task: Callable[[Any, Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for done, one in enumerate(mapper(task, items), 1):
            tell(done, len(items))
            yield one

    return mapped
