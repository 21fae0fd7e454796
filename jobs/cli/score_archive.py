"""`signals score DATASET --to DIR`: what it does and shows."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer
from rich.markup import escape

from jobs.cli import archive, options
from jobs.settings import Settings
from signals.research.score_dataset import Scored, score_dataset
from signals.research.scoring_part import Reading
from signals.research.spread import Place, has_dask
from signals.sources.history import REASONS

_MIB = 1 << 20


class Asked(NamedTuple):
    """What was asked for on the command line."""

    dataset: Path
    to: Path
    place: Place
    reading: Reading
    rows_per_part: int | None
    evidence: bool
    renew: bool


def score_archive(settings: Settings, asked: Asked, *, as_json: bool) -> None:
    """Score a dataset with the model in place, and say what came of it. Exit code 1 where some of it was not scored."""
    from jobs.training import found_in_place

    if asked.place.processes > 1 and not asked.place.cluster and not has_dask():
        said = "a process that dies ends the run, and no limit of memory is enforced: pip install -e .[scale]"
        print(f"signals: distributed is not installed: {said}", file=sys.stderr)
    model, _ = found_in_place(settings)
    try:
        with archive.progress("score") as tell:
            done = score_dataset(
                asked.dataset, asked.to, model, processes=asked.place.processes, cluster=asked.place.cluster,
                memory_per_process=asked.place.memory_bytes, rows_per_part=asked.rows_per_part,
                evidence=asked.evidence, reading=asked.reading, renew=asked.renew, tell=tell,
            )  # fmt: skip
    except KeyboardInterrupt:
        print("signals: stopped: the same command goes on from here", file=sys.stderr)
        raise typer.Exit(1) from None
    if as_json:
        print(msgspec.json.encode(done._asdict() | {"folder": str(done.folder), "partial": done.partial}).decode())
    else:
        for line in lines(done):
            options.console().print(escape(line), soft_wrap=True)
    if done.partial:
        raise typer.Exit(1)


def lines(done: Scored) -> Iterator[str]:
    """What came of it, for people."""
    if done.before:
        yield f"{done.before:,} of {done.parts:,} parts were there"
    counts = f"{done.scores:,} of {done.rows:,} rows in {done.parts:,} parts"
    yield f"scored {counts} by model {done.model_id}: {done.folder}"
    yield f"  a process took {done.peak_bytes / _MIB:,.0f} MiB at most"
    for reason, one in sorted(done.refused.items(), key=lambda pair: -pair[1].rows):
        where = ", ".join(one.first) + (", ..." if one.rows > len(one.first) else "")
        mend = f" - {REASONS[reason]}" if REASONS.get(reason) else ""
        yield f"  ! {one.rows:,} rows not scored: {reason} ({where}){mend}"
    for fault in done.faults:
        yield f"  ! {fault}"
    if done.partial:
        yield "  partial: the others are there; the same command tries what is named here again"
