"""What the research commands share: which stretch of time, whose signals, which bars, what model and policy."""

import contextlib
import datetime as dt
import importlib.util
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console

from signals.errors import ConfigError
from signals.model import Policy
from signals.research.values import with_values

if TYPE_CHECKING:
    from jobs.app import App
    from jobs.history import From, History

Since = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Signals known from then on: a date or time, UTC.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="And before then.")]
SignalsFrom = Annotated[
    str, typer.Option("--signals", metavar="WHENCE", help="store: as told; replay: made anew; or a Parquet file.")
]
Bars = Annotated[
    str | None,
    typer.Option("--bars", metavar="SOURCE:SECONDS", help="Which bars.", show_default="the finest that cover them"),
]
Model = Annotated[
    Path | None, typer.Option("--model", metavar="FILE", help="Replay with this model.", show_default="the service's")
]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replay with another policy.novelty_min, ...")
]
GOES_ON = ": the same command goes on from here"
AllowBackfilled = Annotated[
    bool, typer.Option("--allow-backfilled", help="Take signals whose known_at was reconstructed, not witnessed.")
]
T = TypeVar("T", bound=msgspec.Struct)


def moment(text: str | None, option: str) -> dt.datetime | None:
    """A UTC time as a person writes it: a date, or a time with or without a zone. Raises ConfigError."""
    if text is None:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
        return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # beyond the years 1 to 9999 once its zone is taken off
        raise ConfigError(option, f"{text!r} is no time", "as 2026-03-01 or 2026-03-01T12:30") from None


def span(since: str | None, until: str | None) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The UTC times of `--from` and `--until`. Raises ConfigError where nothing lies between them."""
    low, high = moment(since, "--from"), moment(until, "--until")
    if low is not None and high is not None and not low < high:
        raise ConfigError(f"--until {until}", "is not after --from", "it is not included: the moment after the last")
    return low, high


def assignments(options: Sequence[str] | None, sections: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`section.key=value` options by section; values as in TOML, bare words are texts. Raises ConfigError."""
    found: dict[str, dict[str, Any]] = {section: {} for section in sections}
    for option in options or ():
        key, equals, raw = option.partition("=")
        section, _, name = key.strip().partition(".")
        if not equals or section not in found or not name:
            raise ConfigError("--set", f"{option!r} sets nothing", f"as {sections[0]}.NAME=VALUE")
        try:
            found[section][name] = tomllib.loads(f"value = {raw}")["value"]
        except tomllib.TOMLDecodeError:
            found[section][name] = raw.strip()
    return found


def changed(section: str, one: T, values: dict[str, Any]) -> T | None:
    """A policy (or rules, or costs) with these values in place of its own; null where there are none.

    Raises ConfigError, which names the key by its section.
    """
    return with_values(f"--set {section}", one, values) if values else None


@contextlib.contextmanager
def stoppable(then: str = "") -> Iterator[None]:
    """Ctrl-C ends the command in one line, which may say how to go on; nothing is half written."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"signals: stopped{then}", file=sys.stderr)
        raise typer.Exit(1) from None


def load(
    app: "App",
    *,
    since: str | None = None,
    until: str | None = None,
    signals_from: str = "store",
    bars: str | None = None,
    model: Path | None = None,
    policy: Policy | None = None,
    allow_backfilled: bool = False,
) -> "History":
    """`jobs.history.load` of what was written on the command line."""
    from jobs import history

    where: From = signals_from if signals_from in ("store", "replay") else Path(signals_from)  # type: ignore[assignment]
    if isinstance(where, Path) and not where.exists():
        raise ConfigError(signals_from, "there is no such file", "--signals takes store, replay or a Parquet file")
    low, high = span(since, until)
    return history.load(
        app,
        since=low,
        until=high,
        signals_from=where,
        bars=bars,
        model=model,
        policy=policy,
        allow_backfilled=allow_backfilled,
    )


def reserve(report: Path) -> None:
    """A place that cannot be written is told of before the work; nothing is left there if that comes to nothing."""
    new = not report.exists()
    report.touch()
    if new:
        report.unlink()


def folder(path: Path, option: str = "--to") -> Path:
    """A folder that is there, or is made. Raises ConfigError where something else has its name."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError(f"{option} {path}", "there is a file where a folder is to be", "name a folder") from error
    return path


def require(package: str, what: str) -> None:
    """Raise ConfigError where a package of the extra `research` is not installed."""
    if importlib.util.find_spec(package) is None:
        raise ConfigError(what, f"{package} is not installed", "pip install -e .[research]")


@contextlib.contextmanager
def progress(name: str, what: str = "headlines") -> Iterator[Any]:
    """A bar on a terminal, none in a pipe."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    screen = Console(stderr=True)
    count = TextColumn("{task.completed:,.0f} of {task.total:,.0f} " + what)
    with Progress(
        TextColumn(name), BarColumn(), count, TimeRemainingColumn(),
        console=screen, disable=not screen.is_terminal or not sys.stderr.isatty(), transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(name, total=1)
        yield lambda done, total: bar.update(task, completed=done, total=total or 1)


def looked(checked: Any) -> Iterator[str]:
    """What a check for look-ahead found, a line each; nothing where there was none."""
    if checked is None:
        return
    cuts = ", ".join(f"{at:%F %T}" for at in checked.cuts)
    if not checked.differences:
        yield f"no look-ahead: {checked.compared:,} comparisons, cut at {cuts or 'nowhere: nothing was told'}"
        return
    yield f"! look-ahead: {len(checked.differences):,} of {checked.compared:,} comparisons differ, cut at {cuts}"
    yield from (f"  {one}" for one in checked.differences[:5])
