"""A small disk of one's own, that can be filled and freed: a tmpfs in a mount namespace that nobody else sees."""

import os
import subprocess
from pathlib import Path

MAKE = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'
_FILLER = "filler"


def on_a_disk_of(size: str, folder: Path) -> tuple[str, ...]:
    """What to put before a command so that it finds an empty disk of that size (as `24m`) at this folder."""
    unshare = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-Urm")
    return (*unshare, "sh", "-c", MAKE, "sh", size, str(folder))


def can_have_one(folder: Path) -> bool:
    """Whether this machine lets us make one."""
    try:
        return subprocess.run([*on_a_disk_of("1m", folder), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def seen_from_outside(pid: int, folder: Path) -> Path:
    """A folder as that process sees it, for us who do not share its disks."""
    return Path(f"/proc/{pid}/root{folder}")


def fill(folder: Path) -> None:
    """Leave not a byte free on the disk of this folder."""
    with (folder / _FILLER).open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            while True:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break


def free(folder: Path) -> None:
    """Take the filler away again."""
    (folder / _FILLER).unlink()
