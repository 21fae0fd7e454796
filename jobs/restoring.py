"""A backup put back: nothing of it is in the home until all of it was checked."""

import hashlib
import os
import shutil
import sqlite3
import tarfile
from pathlib import Path
from typing import IO

import msgspec

from jobs.kept import CHUNK, FORMAT, MANIFEST, STORE, Entry, Manifest, checked, opened, store_file
from jobs.settings import Settings
from signals.errors import ConfigError
from signals.store.database import HEAD

_ASIDE = ".restoring"


def restore(settings: Settings, source: Path) -> Manifest:
    """Put a backup into the home, which must be empty; nothing is there until all of it was checked.

    Raises
    ------
    ConfigError : the home is not empty, the file is no whole backup, or a newer version made it.
    OSError : the file cannot be read, or the home not written.
    """
    home = settings.home
    store_file(settings, "restored", "pg_restore --clean --if-exists --no-owner signals.dump --dbname=")
    if home.exists() and any(home.iterdir()):
        raise ConfigError(str(home), "is not empty", "set SIGNALS_HOME to a new folder, or move this one away")
    home.mkdir(parents=True, exist_ok=True)
    aside = home / _ASIDE
    aside.mkdir(mode=0o700)
    try:
        made = _unpack(source, aside)
        _check_store(aside / STORE, source)
        for name in sorted(made.files, key=lambda name: name == STORE):  # the store last: with it, the home is whole
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (aside / name).replace(home / name)
    finally:
        shutil.rmtree(aside)
    return made


def _unpack(source: Path, to: Path) -> Manifest:
    """Unpack what the list names, and nothing else, checking each sum. Raises ConfigError."""
    try:
        with tarfile.open(source, mode="r:gz") as archive:
            head = archive.next()
            if head is None or head.name != MANIFEST or head.size > CHUNK:
                raise _broken(source, "is no backup of ours")
            made = _manifest(source, _content(archive, head).read())
            missing = set(made.files)
            while entry := archive.next():
                if entry.name not in missing or not entry.isreg():
                    raise _broken(source, f"holds {entry.name[:80]!r}, which its list does not name")
                _keep(source, entry.name, made.files[entry.name], _content(archive, entry), to)
                missing.discard(entry.name)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _broken(source, f"cannot be unpacked: {error}") from error
    if missing:
        raise _broken(source, f"lacks {min(missing)}")
    return made


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(entry)
    if content is None:
        raise tarfile.ReadError(f"{entry.name} is no file")
    return content


def _manifest(source: Path, told: bytes) -> Manifest:
    try:
        made = msgspec.json.decode(told, type=Manifest)
    except msgspec.MsgspecError as error:
        raise _broken(source, f"its list cannot be read: {error}") from error
    if made.format != FORMAT or made.revision > HEAD:
        raise ConfigError(str(source), f"was made by a newer version ({made.version})", "restore it with that one")
    for name in made.files:
        if not name or name.startswith(("/", ".")) or ".." in Path(name).parts:
            raise _broken(source, f"its list names {name[:80]!r}, which is no place in a home")
    if STORE not in made.files:
        raise _broken(source, "holds no store")
    return made


def _keep(source: Path, name: str, wanted: Entry, content: IO[bytes], to: Path) -> None:
    path, sum_, size = to / name, hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(CHUNK):
            sum_.update(chunk)
            size += len(chunk)
            if size > wanted.bytes:
                break
            file.write(chunk)
        os.fsync(file.fileno())
    if (size, sum_.hexdigest()) != (wanted.bytes, wanted.sha256):
        raise _broken(source, f"{name} is not what was backed up")


def _check_store(path: Path, source: Path) -> None:
    try:
        with opened(path.absolute().as_uri()) as store:
            checked(store)
    except sqlite3.Error as error:
        raise _broken(source, f"its store {error}") from error


def _broken(source: Path, problem: str) -> ConfigError:
    return ConfigError(str(source), problem, "take another backup")
