"""`signals train`: fit the model from the labelled headlines."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", epilog="Example: signals train --force --out seeds/model/model.skops")(train)


def train(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Put the new model in place even if it is no better.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it here instead of the home.")
    ] = None,
    config: options.Config = None,
) -> None:
    """Fit a model from seeds/headlines/ and put it in place if it does better on the gate set.

    The same headlines give the same file, bit for bit.
    """
    from jobs.training import train as fit

    screen = options.console()
    with screen.status("fitting: about a minute"):
        done = fit(options.settings(context, config), out=out, force=force)
    screen.print(f"model {done.model_id} from {done.card.rows} headlines, {done.card.features} features")
    for name, value in done.card.measures.items():
        screen.print(f"  {name:<20} {value:.4f}  (out of fold)")
    before = "none" if done.before is None else f"{done.before:.4f}"
    screen.print(f"gate set, four-class macro-F1: {done.figure:.4f}, in place: {before}")
    screen.print(f"{'in place now' if done.replaced else 'not better: left the one in place'}: {done.path}")
