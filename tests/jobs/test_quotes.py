"""The thread of live quotes: in the service, and by itself."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from websockets.sync.server import ServerConnection, serve

from jobs.app import App
from jobs.logs import log_file
from jobs.quotes import Quotes
from jobs.settings import load
from tests.conftest import ROOT
from tests.jobs.test_serve import serving, until
from tests.prices.test_quotes import AT, NOON, frame


@pytest.fixture
def stream() -> Iterator[str]:
    """The address of a stream that tells one quote to each who subscribes, and then waits for them to leave."""

    def tell(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(frame(157.25))
        for _ in connection:
            pass

    with serve(tell, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def quotes(tmp_path: Path) -> Iterator[Callable[[str], Quotes]]:
    """Starts the thread on a stream's address; ended in the end."""
    with contextlib.ExitStack() as stack:

        def started(url: str) -> Quotes:
            settings = load(ROOT / "config" / "signals.toml", {"SIGNALS_HOME": str(tmp_path)})
            prices = msgspec.structs.replace(settings.prices, quotes_url=url)
            thread = Quotes(App(msgspec.structs.replace(settings, prices=prices), lambda: NOON))
            stack.callback(thread.end)
            thread.start()
            return thread

        yield started


def test_the_state_can_be_asked_and_the_thread_ends(quotes: Callable[[str], Quotes], stream: str) -> None:
    """The last quote and how the line is; after the end the thread is gone, and ending again does nothing."""
    thread = quotes(stream)
    state = until(lambda: thread.state().last and thread.state())
    assert (state.last.price, state.last.at, state.age_s) == (157.25, AT, 0)
    assert (state.connected, state.reconnects, state.problem) == (True, 0, "")
    thread.end()
    assert not thread.is_alive() and not thread.state().connected
    thread.end()


def test_a_stream_that_is_not_there_is_told_and_does_not_hold_up_the_end(quotes: Callable[[str], Quotes]) -> None:
    """Ending does not wait for the pause before the next try."""
    thread = quotes("ws://127.0.0.1:9/")
    assert until(lambda: thread.state().problem)
    thread.end()
    assert not thread.is_alive()


def test_the_service_with_quotes_starts_tells_and_ends(shell, stream: str) -> None:
    """Asked for by the settings; told in the log; SIGTERM ends it like everything else, with the line still up."""
    made = shell()
    made.env |= {"SIGNALS__PRICES__QUOTES": "true", "SIGNALS__PRICES__QUOTES_URL": stream}
    with serving(made) as process:
        log = log_file(made.home)
        until(lambda: "quotes.connected" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert "Traceback" not in log.read_text()
