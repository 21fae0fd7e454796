"""What who stands by does so that taking over takes no longer: it loads what jobs need, and follows what is told.

A day's stories take seconds to read from the store. So they are read once, and from then on what each step of the
leader added; when it is our turn, only the last seconds of it are left to read.
"""

import contextlib
import threading

from jobs.app import App
from jobs.catalogue import warm
from signals.errors import StoreError

_EVERY_S = 1.0
_END_S = 15.0
"""How long taking over waits for a first reading under way: the step would have to read the same."""


class Warming(threading.Thread):
    """A thread, from `start` to `end`.

    Parameters
    ----------
    app : its memories are kept up.
    """

    def __init__(self, app: App) -> None:
        super().__init__(name="warming", daemon=True)
        self._app = app
        self._ended = threading.Event()

    def run(self) -> None:
        """Until `end`. A store that does not answer is asked again; whoever looks at the service tells of it."""
        warm()
        while not self._ended.wait(_EVERY_S):
            with contextlib.suppress(StoreError), self._app.store.read() as conn:
                self._app.stories.follow(conn, self._app.clock())
                self._app.voices.follow(conn, self._app.clock())

    def end(self) -> None:
        """From now on the memories are the step's alone; one that is just being kept up would be read anew."""
        self._ended.set()
        self.join(_END_S)
        if self.is_alive():
            self._app.forget_told()
