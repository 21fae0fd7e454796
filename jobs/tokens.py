"""The token of a home: who knows it may push, run, pause and log in.

The service keeps its SHA-256 alone (`token.sha256`) and compares against that. The token itself is told once: a first
start writes it to `token`, readable by the owner alone, for the owner's own commands and to be noted. The service
does not need that file: once it is moved into a password store, nothing at rest holds the token, nor does a backup.
A token of 256 random bits wants no slow hash: nobody finds it by trying.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from signals.errors import ConfigError

FILE, HASHED = "token", "token.sha256"
LEAST = 16
"""Characters of a token that a person chose: fewer can be found by trying."""


def token(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The token for the owner's own commands: `SIGNALS_TOKEN`, else the file `token`, made at the first start.

    Raises
    ------
    ConfigError : it was moved out of the home, or is too short.
    """
    given = environ.get("SIGNALS_TOKEN")
    path = home / FILE
    if given is None and not path.exists():
        if (home / HASHED).exists():
            raise ConfigError(
                str(path), "was moved away", f"set SIGNALS_TOKEN, or delete {HASHED} beside it for a new token"
            )
        _make(path)
    found = given if given is not None else path.read_text(encoding="ascii").strip()
    if len(found) < LEAST:
        where = str(path) if given is None else "SIGNALS_TOKEN"
        raise ConfigError(where, f"is shorter than {LEAST} characters", "take 32 random characters")
    return found


class Lock:
    """Holds the hash of a home's token and says whether a text is the token.

    Raises
    ------
    ConfigError : the token is too short, or its hash is no hash.
    """

    def __init__(self, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        kept = home / HASHED
        if environ.get("SIGNALS_TOKEN") is None and not (home / FILE).exists() and kept.exists():
            self._digest = _read(kept)
            return
        self._digest = _hash(token(home, environ))
        if environ.get("SIGNALS_TOKEN") is None:
            _write(kept, self._digest.hex())

    def fits(self, given: str) -> bool:
        """Whether this is the token; takes the same time however much of it is right."""
        return hmac.compare_digest(_hash(given), self._digest)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _make(path: Path) -> None:
    _write(path, secrets.token_urlsafe(32))


def _write(path: Path, text: str) -> None:
    """Put in place at once, readable by the owner alone from its first byte."""
    draft = path.with_suffix(path.suffix + ".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _read(path: Path) -> bytes:
    try:
        digest = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise ConfigError(str(path), "is no SHA-256 in hex", "delete it: the next start makes a new token")
    return digest
