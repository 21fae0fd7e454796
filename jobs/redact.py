"""What must not be told: passwords in addresses, tokens in headers, and the secrets that this home and process have.

Whatever goes into the log or the history of runs passes here. Patterns find what looks like a secret; the values of
the home's own are struck out wherever they stand.
"""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

STRUCK = "***"
_NAMES = r"(?:api[_-]?key|access[_-]?token|token|secret|password|passwd|pwd|sig(?:nature)?|auth|key)"
_PATTERNS = (
    re.compile(r"(://)[^\s/?#\"'<>]*(?=@)"),  # user and password of an address
    re.compile(rf"([?&;][\w-]*{_NAMES}=)[^&\s\"'#]+", re.IGNORECASE),
    re.compile(
        r"((?:authorization|x-[\w-]*(?:key|token)|(?:set-)?cookie)[\"']?\s*[:=]\s*)[\"']?(?:\w+\s+)?[^\s\"',]+",
        re.IGNORECASE,
    ),
    re.compile(r"\b(bearer\s+)[\w.~+/=-]{12,}", re.IGNORECASE),
    re.compile(r"\b(hmac:)\S+"),
)
"""What comes first in each is kept."""
_OWN = re.compile(r"SIGNALS_\w*(?:TOKEN|KEY|SECRET|PASSWORD|URL)")
_FILES = ("token*", "redis-password*", "*.secret")
_LEAST = 8
"""A shorter value is struck out of nothing: it could be part of any word."""
_AGAIN_S = 10.0


def _secret_in(value: str) -> list[str]:
    """Of an address its password; of anything else the whole, and what stands behind `hmac:`."""
    if "://" in value:
        try:
            return [secret] if (secret := urlsplit(value).password) else []
        except ValueError:  # an unquoted character in it
            return []
    return [value, value.removeprefix("hmac:")]


class Secrets:
    """The values that must not be told.

    Parameters
    ----------
    home : its files of secrets are read, again every few seconds, since they are made at a first start.
    environ : what this process was given.
    """

    def __init__(self, home: Path | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._home = home
        self._given = {one for name, value in environ.items() if _OWN.fullmatch(name) for one in _secret_in(value)}
        self._values: tuple[str, ...] = ()
        self._read_at = float("-inf")

    def clean(self, text: str) -> str:
        """The text without them."""
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{STRUCK}", text)
        for value in self._all():
            text = text.replace(value, STRUCK)
        return text

    def clean_all(self, value: Any) -> Any:
        """The same for every text within lists, tuples and dicts, and for what is shown of any other object."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {key: self.clean_all(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean_all(one) for one in value]
        return value if value is None or isinstance(value, bool | int | float) else self.clean(str(value))

    def _all(self) -> tuple[str, ...]:
        if time.monotonic() - self._read_at > _AGAIN_S:
            self._read_at = time.monotonic()
            kept = {value for value in self._given | self._filed() if len(value) >= _LEAST}
            self._values = tuple(sorted(kept, key=len, reverse=True))
        return self._values

    def _filed(self) -> set[str]:
        found: set[str] = set()
        for pattern in _FILES if self._home else ():
            for path in self._home.glob(pattern) if self._home else ():
                try:
                    found.add(path.read_text(encoding="utf-8", errors="replace").strip())
                except OSError:  # not ours to read, so not ours to tell
                    continue
        return found


_known = Secrets()


def know(secrets: Secrets) -> None:
    """From now on this process tells none of these."""
    global _known
    _known = secrets


def clean(text: str) -> str:
    """The text without secrets that this process knows, or that look like one."""
    return _known.clean(text)


def clean_all(value: Any) -> Any:
    """The same for whatever a log line holds."""
    return _known.clean_all(value)


def without_password(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query=""))
