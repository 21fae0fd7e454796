"""The model file: arrays and texts saved by skops, which runs no code on loading."""

import hashlib
import importlib
import io
import re
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
import numpy as np

from signals.errors import ModelError
from signals.scoring.batch import Ints
from signals.scoring.features import VERSION
from signals.scoring.matrix import Floats

FORMAT = 2
_ADDRESS = re.compile(r'(?<="__id__": )\d+|(?<="file": ")\d+(?=\.npy")')
_MEND = "rebuild it with `signals train --force`"
_ARRAYS = (
    "direction", "direction_intercept", "relevance", "legs", "legs_intercept", "topic", "topic_intercept",
)  # fmt: skip
_SCALARS = ("relevance_intercept", "relevance_temperature", "temperature")


class Parameters(NamedTuple):
    """What training found, over n features. Columns of `direction` (n, 3) are up, flat, down; of `legs` (n, 2)
    the dollar's and the yen's effect; of `topic` (m, k) the `topics`, over those in `topic_columns` (m,).
    """

    tokens: tuple[str, ...]
    """The parts that names of features are made of, numbered from 1."""
    codes: Ints
    """(n,) of the features, rising."""
    topics: tuple[str, ...]
    direction: Floats
    direction_intercept: Floats
    relevance: Floats
    legs: Floats
    legs_intercept: Floats
    topic_columns: Ints
    topic: Floats
    topic_intercept: Floats
    relevance_intercept: float
    relevance_temperature: float
    temperature: float


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a model: what made it and how well it does."""

    corpus_hash: str
    corpus_date: str
    """Day the corpus was last changed, as its README says; a rebuild tells the same day."""
    rows: int
    features: int
    measures: dict[str, float]
    """Out of fold on the corpus (grouped, 5 folds), and on the gate set."""


def _skops() -> ModuleType:
    """skops.io, imported without its walk through all of scikit-learn, which takes a second.

    The walk lists the estimators that a file may hold untrusted; ours hold arrays and texts only.
    """
    if "skops.io" not in sys.modules:
        import sklearn.utils

        walk, sklearn.utils.all_estimators = sklearn.utils.all_estimators, lambda *_, **__: []
        try:
            return importlib.import_module("skops.io")
        finally:
            sklearn.utils.all_estimators = walk
    return sys.modules["skops.io"]


def save(path: Path, parameters: Parameters, card: Card) -> str:
    """Write a model file, all or nothing; the same parameters give the same bytes. Returns its `model_id`."""
    state = {
        "format": FORMAT,
        "features": VERSION,
        "tokens": np.frombuffer("\n".join(parameters.tokens).encode(), dtype=np.uint8),
        "codes": parameters.codes,
        "topic_columns": parameters.topic_columns,
        "topics": "\n".join(parameters.topics),
        "arrays": {name: np.ascontiguousarray(getattr(parameters, name), dtype=np.float32) for name in _ARRAYS},
        "scalars": {name: float(getattr(parameters, name)) for name in _SCALARS},
        "card": msgspec.json.encode(card).decode(),
    }
    blob = _reproducible(_skops().dumps(state))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(blob)
    beside.replace(path)
    return _identity(blob)


def load(path: Path) -> tuple[Parameters, Card, str]:
    """Read a model file: parameters, card, `model_id`.

    Raises
    ------
    ModelError : missing, broken, holding anything but data, or made for other features.
    """
    return loads(read(path), str(path))


def read(path: Path) -> bytes:
    """The bytes of a model file. Raises ModelError."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(str(path), "no model there", _MEND) from error
    except OSError as error:
        raise ModelError(str(path), f"is no model of ours ({type(error).__name__}: {error})", _MEND) from error


def loads(blob: bytes, where: str) -> tuple[Parameters, Card, str]:
    """The same of a file's bytes; `where` names it in errors. Raises ModelError."""
    try:
        state = _skops().loads(blob, trusted=[])
        made_for = (state["format"], state["features"])
        if made_for != (FORMAT, VERSION):
            problem = f"was made for format {made_for[0]}, features {made_for[1]}; this code has {FORMAT}, {VERSION}"
            raise ModelError(where, problem, _MEND)
        arrays = state["arrays"]
        values: dict[str, Any] = {name: np.ascontiguousarray(arrays[name], dtype=np.float64) for name in _ARRAYS}
        values |= {name: float(state["scalars"][name]) for name in _SCALARS}
        parameters = Parameters(
            tokens=tuple(bytes(state["tokens"]).decode().split("\n")),
            codes=np.asarray(state["codes"], dtype=np.int64),
            topic_columns=np.asarray(state["topic_columns"], dtype=np.int64),
            topics=tuple(state["topics"].split("\n")),
            **values,
        )
        return parameters, msgspec.json.decode(state["card"], type=Card), _identity(blob)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise ModelError(where, f"is no model of ours ({type(error).__name__}: {error})", _MEND) from error


def _reproducible(blob: bytes) -> bytes:
    """The same archive without what differs between runs: skops names parts by their address in memory."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[str, str] = {}

    def renumber(match: re.Match[str]) -> str:
        return numbers.setdefault(match.group(), str(len(numbers) + 1))

    schema = _ADDRESS.sub(renumber, parts.pop("schema.json").decode())
    renamed = {f"{numbers[name.removesuffix('.npy')]}.npy": part for name, part in parts.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in [*sorted(renamed.items()), ("schema.json", schema.encode())]:
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _identity(blob: bytes) -> str:
    """Derived from what is in the archive, not from how this machine compresses it."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        digest = hashlib.sha256()
        for name in sorted(archive.namelist()):
            digest.update(name.encode() + archive.read(name))
    return digest.hexdigest()[:12]
