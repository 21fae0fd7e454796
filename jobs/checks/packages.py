"""Python and the packages: whether what is installed is what the lock names, and what the extras would add."""

import re
import sys
import tomllib
from collections import defaultdict
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jobs.checks.line import Line, fail, ok, warn
from jobs.checks.seen import Seen

_NAME = "usdjpy-signals"
_ROOT = Path(__file__).resolve().parents[2]
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_REQUIRED = re.compile(r"^([A-Za-z0-9._-]+)")
_LEAST_PYTHON = (3, 11)
_MEND = "`pip install --require-hashes -r requirements.lock`"
EXTRAS = {
    "research": (("arch", "pyarrow", "skfolio", "matplotlib"), "studies, backtests with intervals, Parquet"),
    "alerts": (("apprise",), "alerts by mail and chat"),
    "traces": (("opentelemetry.sdk",), "traces from feed to channel"),
    "signing": (("cryptography",), "Ed25519 signatures"),
    "postgres": (("psycopg",), "PostgreSQL as the store"),
    "scale": (("distributed",), "bulk work on many cores"),
}
"""Modules of each extra, and what it gives."""


def python(_seen: Seen | None) -> list[Line]:
    """The interpreter."""
    text = f"Python {sys.version.split()[0]}"
    if sys.version_info < _LEAST_PYTHON:
        return [fail("python", f"{text}: this code wants 3.11 or later", "make the environment anew with a later one")]
    return [ok("python", text)]


def packages(_seen: Seen | None) -> list[Line]:
    """Each direct dependency: there, and of the locked version."""
    wanted = _direct()
    locked = _locked()
    found = {name: _installed(name) for name in wanted}
    missing = [name for name, version in found.items() if version is None]
    other = [
        f"{name} {version} (locked: {' or '.join(locked[name])})"
        for name, version in found.items()
        if version is not None and version not in locked.get(name, (version,))
    ]
    if missing:
        return [fail("packages", f"not installed: {', '.join(missing)}", _MEND)]
    if other:
        return [warn("packages", f"not as locked: {', '.join(other)}", _MEND)]
    against = "as locked" if locked else "no lock file here to compare with"
    return [ok("packages", f"{len(found)} direct dependencies, {against}")]


def extras(_seen: Seen | None) -> list[Line]:
    """Which extras are installed, and what the others would give."""
    there = {name: all(map(_is_there, modules)) for name, (modules, _) in EXTRAS.items()}
    have = ", ".join(name for name, installed in there.items() if installed) or "none"
    lacking = "; ".join(f"{name}: {EXTRAS[name][1]}" for name, installed in there.items() if not installed)
    text = f"installed: {have}" + (f". Not installed - {lacking}" if lacking else "")
    return [ok("extras", text)]


def _direct() -> list[str]:
    """Names of what the project itself asks for on this machine, without its extras."""
    try:
        rows = metadata.requires(_NAME) or []
    except metadata.PackageNotFoundError:  # run from the source, not installed
        project: dict[str, Any] = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        rows = project["project"]["dependencies"]
    plain = [row for row in rows if "extra ==" not in row and not ("win32" in row and sys.platform == "win32")]
    return sorted(_plain(_REQUIRED.findall(row)[0]) for row in plain)


def _locked() -> dict[str, list[str]]:
    """Versions by name, several where it depends on the machine; empty where there is no lock, as in a wheel."""
    path = _ROOT / "requirements.lock"
    if not path.is_file():
        return {}
    locked: defaultdict[str, list[str]] = defaultdict(list)
    for name, version in _LOCKED.findall(path.read_text(encoding="utf-8")):
        locked[_plain(name)].append(version)
    return dict(locked)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # what it lies in is missing
        return False
