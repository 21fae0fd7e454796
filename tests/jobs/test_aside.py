"""Work done aside: who waits for it and who begins it are others, at any moment."""

import threading

import pytest

from jobs.aside import Aside
from signals.errors import StoreError


def test_who_asks_while_it_is_begun_waits_for_what_was_begun_before(monkeypatch):
    """Two looks at once: one asks in the moment in which the other begins anew."""
    aside = Aside("looking", lambda: 1)
    told = []

    class Thread(threading.Thread):
        def start(self):
            told.append(aside.fault(0))  # whoever asks here finds a thread that is not started
            super().start()

    monkeypatch.setattr("jobs.aside.threading.Thread", Thread)
    for _ in range(2):
        aside.begin()
        assert aside.fault(10) is None
    assert told == [None, None]
    assert aside.given == 1


def test_a_fault_of_ours_is_told_and_a_defect_is_raised():
    """A SignalsError becomes a line without the address; anything else is for the log."""
    raised = [StoreError("sqlite:///secret", "is locked", "wait"), ZeroDivisionError("x")]

    def work():
        raise raised.pop(0)

    aside = Aside("reading", work)
    aside.begin()
    assert aside.fault(10) == "reading: is locked"
    aside.begin()
    with pytest.raises(ZeroDivisionError):
        aside.fault(10)
