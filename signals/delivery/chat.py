"""Mail and chat, by apprise: a hundred services, each behind an address of its own (extra `alerts`)."""

import importlib.util
import logging
from urllib.parse import urlsplit

from signals.errors import TransientError

_TYPES = {"critical": "failure", "warning": "warning"}


class ChatError(TransientError):
    """The service behind an address did not take it, or the address is none."""


def installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec("apprise") is not None


def scheme_of(url: str) -> str:
    """All of an address that may be shown: the rest holds tokens."""
    return urlsplit(url).scheme or "?"


def send(url: str, title: str, body: str, severity: str) -> None:
    """Send a text to one address. It blocks for as long as the service takes.

    Raises
    ------
    ChatError : it was not sent; apprise says no more than that.
    """
    import apprise  # takes a while to load, and is an extra

    # What it logs holds addresses, and so tokens.
    logging.getLogger("apprise").handlers = [logging.NullHandler()]
    logging.getLogger("apprise").propagate = False
    where = f"{scheme_of(url)}://…"
    sender = apprise.Apprise()
    if not sender.add(url):
        raise ChatError(where, "is no address that apprise knows", "correct SIGNALS_APPRISE_URLS")
    if not sender.notify(title=title, body=body, notify_type=_TYPES.get(severity, "info")):
        raise ChatError(where, "did not take it", "is its address right, and the service up?")
