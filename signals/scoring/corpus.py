"""Labelled headlines: `seeds/headlines/*.tsv` to train on, and any file of rows to measure on."""

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from signals.errors import ConfigError
from signals.model import DIRECTIONS, Direction, pair_direction

COLUMNS = ("text", "relevant", "usd_effect", "jpy_effect", "label", "topic", "style", "lang", "group")
_DATE = re.compile(r"Corpus of (\d{4}-\d\d-\d\d)")


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `label` is the direction of USD/JPY; a `group` is never split between training and testing."""

    text: str
    label: Direction
    relevant: bool = True
    usd_effect: float = 0.0
    jpy_effect: float = 0.0
    topic: str = ""
    style: str = ""
    lang: str = "en"
    group: str = ""


def read_corpus(folder: Path) -> list[Labelled]:
    """All rows of the folder's `*.tsv`, in order of file and line.

    Raises
    ------
    ConfigError : names the file, the line and what is wrong there.
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise ConfigError(str(folder), "holds no *.tsv of labelled headlines", "see its README for the columns")
    rows = [row for file in files for row in read_rows(file, COLUMNS)]
    if wrong := next((row for row in rows if row.label != pair_direction(row.usd_effect, row.jpy_effect)), None):
        raise ConfigError(str(folder), f"label {wrong.label!r} contradicts its effects: {wrong.text!r}", "mend the row")
    return rows


def read_rows(file: Path, required: Sequence[str] = ("text", "label")) -> list[Labelled]:
    """Rows of one tab-separated file with a header; columns unknown here are left out."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"cannot be read: {error}") from error
    header = lines[0].split("\t") if lines else []
    missing = [name for name in required if name not in header]
    if missing:
        raise ConfigError(f"{file}: line 1", f"no column {missing[0]!r}", f"needed: {', '.join(required)}")
    reader = csv.DictReader(io.StringIO("\n".join(lines)), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [_row(cells, f"{file}: line {number}") for number, cells in enumerate(reader, 2) if any(cells.values())]


def fingerprint(folder: Path) -> str:
    """12 hexadecimal digits of the corpus: its files' names and bytes."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.tsv")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def dated(folder: Path) -> str:
    """The day in the README's line `Corpus of YYYY-MM-DD`; empty where it has none."""
    readme = folder / "README.md"
    found = _DATE.search(readme.read_text(encoding="utf-8")) if readme.exists() else None
    return found[1] if found else ""


def _row(cells: dict[str, str], where: str) -> Labelled:
    known = {name: cells[name] for name in COLUMNS if cells.get(name) is not None}
    if known.get("label") not in DIRECTIONS:
        raise ConfigError(where, f"label is {known.get('label')!r}", "up, flat or down")
    try:
        relevant = {"1": True, "0": False, "true": True, "false": False}[known.pop("relevant", "1").lower()]
        effects = {name: float(known.pop(name, "0")) for name in ("usd_effect", "jpy_effect")}
    except (KeyError, ValueError) as error:
        raise ConfigError(where, f"not a number or not 0 or 1: {error}", "see the README for the columns") from error
    return Labelled(**known, relevant=relevant, **effects)  # type: ignore[arg-type]
