"""`signals backup` and `signals restore`: what cannot be made again, in one file, and back."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli import options


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("backup", epilog="Example: signals backup --to signals-2026-11-30.tar.gz")(backup)
    app.command("restore", epilog="Example: SIGNALS_HOME=/srv/new signals restore kept.tar.gz")(restore)


def backup(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The archive, a .tar.gz; replaced at once.")],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Also the token and the passwords of this home.")
    ] = False,
    config: options.Config = None,
) -> None:
    """Keep the store, the model trained here, the ledger of trials and the settings in one file.

    The service may go on meanwhile. A PostgreSQL database is backed up by pg_dump.
    """
    from jobs.backup import back_up
    from jobs.clock import utc_now

    settings = options.settings(context, config)
    made = back_up(settings, to, utc_now(), with_secrets=with_secrets)
    size = sum(one.bytes for one in made.files.values())
    secrets = "with secrets: keep it safe" if made.with_secrets else "no secrets"
    print(f"{to}: {len(made.files)} files, {size:,} bytes before packing, {to.stat().st_size:,} after; {secrets}")


def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `signals backup` wrote.")],
    config: options.Config = None,
) -> None:
    """Put a backup into an empty home (SIGNALS_HOME), once every sum in it was checked.

    Redis is sent anew what it lacks. One that knows later messages than the backup stops the publisher, which says
    what to do.
    """
    from jobs.app import App
    from jobs.kept import SETTINGS
    from jobs.restoring import restore as put_back

    settings = options.settings(context, config)
    made = put_back(settings, source)
    with contextlib.closing(App(settings)) as app:
        assert app.store  # brings its tables up to date
    print(f"{settings.home}: {len(made.files)} files as of {made.made_at:%Y-%m-%d %H:%M:%S} UTC")
    print(f"settings as they were lie in {settings.home / SETTINGS}; those in use are {settings.path}")
