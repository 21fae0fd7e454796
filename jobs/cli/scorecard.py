"""`signals scorecard`: what was called, what came of it net of costs, and what was missed."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE
from rich.table import Table

from jobs.app import App
from jobs.cli import options
from signals.errors import ConfigError

_SPANS = (1, 7, 30)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scorecard", epilog="Example: signals scorecard --days 90")(scorecard)


def scorecard(
    context: typer.Context,
    days: Annotated[
        list[int] | None, typer.Option("--days", metavar="N", help="Signals of the last N days; can be repeated.")
    ] = None,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """What came of the signals told live: calls that hit and missed, net of costs, quiet calls, moves never called.

    The job `scorecard` settles each signal at its horizon, from the first bar that opens after it was known.
    """
    from jobs.cards import cards_of, plain

    spans = tuple(days or _SPANS)
    if bad := [span for span in spans if not 0 < span <= 36500]:
        raise ConfigError(f"--days {bad[0]}", "is no span of days", "a number from 1 to 36500")
    app = App(options.settings(context, config))
    cards = cards_of(app, spans)
    app.close()
    if as_json:
        for span, one in cards.items():
            typer.echo(msgspec.json.encode({"days": span, **plain(one)}).decode())
        return
    screen = options.console()
    screen.print(_table(cards))
    if not any(one.signals for one in cards.values()):
        screen.print(
            "No signal has been told live yet: `signals serve` publishes them, the job `scorecard` settles them."
        )


def _table(cards: dict[int, Any]) -> Table:
    table = Table(box=SIMPLE, padding=(0, 1), title="Signals told live, settled at their horizon", title_justify="left")
    table.add_column("", no_wrap=True)
    for span in cards:
        table.add_column(f"last {span} days" if span > 1 else "last day", justify="right", no_wrap=True)
    for name, cell in _LINES.items():
        table.add_row(name, *(cell(one) for one in cards.values()))
    return table


def _share(share: Any) -> str:
    if share.value is None:
        return "-"
    interval = "" if share.low is None else f" ({share.low:.0%} to {share.high:.0%})"
    return f"{share.value:.0%}{interval}"


def _bp(share: Any) -> str:
    if share.value is None:
        return "-"
    interval = "" if share.low is None else f" ({share.low:+.1f} to {share.high:+.1f})"
    return f"{share.value:+.1f} bp{interval}"


_LINES: dict[str, Callable[[Any], str]] = {
    "signals": lambda c: str(c.signals),
    "up or down": lambda c: str(c.calls),
    "  hit": lambda c: str(c.hits),
    "  missed": lambda c: str(c.misses),
    "  hit rate": lambda c: _share(c.hit_rate),
    "  mean, before costs": lambda c: _bp(c.mean_gross_bp),
    "  mean, net of costs": lambda c: _bp(c.mean_net_bp),
    "  sum, net of costs": lambda c: f"{c.total_net_bp:+.1f} bp",
    "flat": lambda c: str(c.quiet),
    "  stayed within the band": lambda c: _share(c.quiet_right),
    "abstained": lambda c: str(c.abstained),
    "retracted": lambda c: str(c.retracted),
    "not settled yet": lambda c: str(c.waiting),
    "no price": lambda c: str(c.no_price),
    "Brier score": lambda c: "-" if c.brier.value is None else f"{c.brier.value:.3f}",
    "large moves of an hour": lambda c: str(c.moves.large),
    "  called right": lambda c: str(c.moves.called_right),
    "  called wrong": lambda c: str(c.moves.called_wrong),
    "  not called": lambda c: str(c.moves.uncalled),
}
