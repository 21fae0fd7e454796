"""A folder of scores: whose they are, what is there, and that only one writes into it.

`_scored.json` says of which files, by which model and how: whoever goes on with a folder must mean the same. Once all
parts are there it says `finished`.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from signals.errors import ConfigError, DataError
from signals.research.dataset import Part, Source, parts
from signals.research.export_schema import VERSION

MANIFEST = "_scored.json"


class Manifest(msgspec.Struct, frozen=True):
    """What a folder holds the scores of."""

    model_id: str
    evidence: bool
    reading: dict[str, str]
    """How files are read that are no export."""
    rows_per_part: int
    files: tuple[Source, ...]
    finished: bool = False
    schema: int = VERSION
    """Of the columns: `config/export/schema-v1.json`, its `scores`."""


def load(folder: Path) -> Manifest | None:
    """What stands in a folder; null where nothing was scored into it. Raises DataError."""
    path = folder / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DataError(str(path), f"is no such file of ours: {error}", "another folder for --to") from error


def save(folder: Path, manifest: Manifest) -> None:
    """Write it in place of the one before, whole or not at all."""
    fresh = folder / f"{MANIFEST}.new"
    with fresh.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / MANIFEST)


def check(folder: Path, before: Manifest | None, now: Manifest) -> None:
    """Whether a folder is of the same model and settings. Raises DataError, which names what differs."""
    if before is None:
        if any(folder.rglob("*.parquet")):
            raise DataError(str(folder), "holds Parquet files and no scores of ours", "an empty folder for --to")
        return
    for name, what in _TOLD.items():
        was, asked = getattr(before, name), getattr(now, name)
        if was != asked:
            raise DataError(
                str(folder), f"was scored {what} {_word(was)}, not {_word(asked)}", "another folder for --to"
            )


def changed(before: Manifest | None, now: Manifest) -> list[Source]:
    """Files that were scored and are gone or are others now."""
    there = {one.path: one for one in now.files}
    return [one for one in (before.files if before else ()) if there.get(one.path) != one]


def refuse(folder: Path, gone: Source, there: bool) -> DataError:
    """The error of a file that changed."""
    problem = f"{'is another file' if there else 'is not there any more'} since it was scored into {folder}"
    return DataError(gone.path, problem, "another folder for --to; or --renew scores anew what changed")


def drop(folder: Path, sources: list[Source], rows_per_part: int) -> None:
    """Take away what was made of these files."""
    for part in parts(sources, rows_per_part):
        (folder / part.name).unlink(missing_ok=True)


def sweep_out(folder: Path) -> None:
    """Take away what those who were killed left half written."""
    for path in folder.rglob("_*.partial"):
        path.unlink(missing_ok=True)


def there(folder: Path, part: Part) -> bool:
    """Whether there is a file of this part."""
    return (folder / part.name).exists()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else on this machine writes there. Raises ConfigError."""
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigError(str(folder), "another run writes there", "wait until it has ended") from error
    finally:
        os.close(held)


_TOLD = {
    "schema": "in schema", "model_id": "by model", "evidence": "with evidence", "reading": "reading",
    "rows_per_part": "in parts of",
}  # fmt: skip


def _word(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in sorted(value.items()))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
