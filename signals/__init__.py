"""USD/JPY signals: the names that bots and quants may rely on.

They load lazily (PEP 562): a bot that imports the client loads neither pandas nor scikit-learn.

>>> import signals
>>> signals.__version__
'0.1.0'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signals.delivery.aclient import AsyncClient, AsyncTask, connect_async
    from signals.delivery.client import Client, Task, connect
    from signals.delivery.items import Gap, Pending, Quiet, Received, Restored, Silence, Status
    from signals.delivery.wire import Event, Heartbeat, UnknownEvent, decode
    from signals.errors import BrokerError, MessageError, SignalsError
    from signals.message import Index, Retraction, Signal
    from signals.model import Headline, Score

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncTask",
    "BrokerError",
    "Client",
    "Event",
    "Gap",
    "Headline",
    "Heartbeat",
    "Index",
    "MessageError",
    "Pending",
    "Quiet",
    "Received",
    "Restored",
    "Retraction",
    "Score",
    "Signal",
    "SignalsError",
    "Silence",
    "Status",
    "Task",
    "UnknownEvent",
    "__version__",
    "connect",
    "connect_async",
    "decode",
]

_HOMES = {
    "signals.delivery.aclient": ("AsyncClient", "AsyncTask", "connect_async"),
    "signals.delivery.client": ("Client", "Task", "connect"),
    "signals.delivery.items": ("Gap", "Pending", "Quiet", "Received", "Restored", "Silence", "Status"),
    "signals.delivery.wire": ("Event", "Heartbeat", "UnknownEvent", "decode"),
    "signals.errors": ("BrokerError", "MessageError", "SignalsError"),
    "signals.message": ("Index", "Retraction", "Signal"),
    "signals.model": ("Headline", "Score"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name from its module when it is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    """The public names beside what is loaded already."""
    return sorted({*globals(), *__all__})
