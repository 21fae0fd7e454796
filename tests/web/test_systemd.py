"""What systemd hears: ready once, a sign of life while the schedule lives, and the end."""

import os
import socket
import threading

import pytest

from jobs.systemd import Systemd


@pytest.fixture
def heard(tmp_path):
    """A socket as systemd's, and what arrives there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(10)
        yield line


def environ(line, **more):
    return {"NOTIFY_SOCKET": line.getsockname()} | more


def test_it_hears_of_start_life_and_end(heard):
    """In this order; the sign of life comes three times within what it waits for."""
    made = Systemd(environ(heard, WATCHDOG_USEC="60000", WATCHDOG_PID=str(os.getpid())))
    assert made.every_s == pytest.approx(0.02)
    made.ready(lambda: True)
    assert [heard.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    made.end()
    told = b""
    while told != b"STOPPING=1":
        told = heard.recv(100)
        assert told in (b"WATCHDOG=1", b"STOPPING=1")


def test_a_dead_schedule_feeds_no_watchdog(heard):
    """Then systemd starts the service anew."""
    asked = threading.Semaphore(0)

    def alive():
        asked.release()
        return False

    made = Systemd(environ(heard, WATCHDOG_USEC="3000"))
    made.ready(alive)
    for _ in range(5):
        assert asked.acquire(timeout=10)
    made.end()
    assert [heard.recv(100), heard.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_a_name_without_a_file_is_understood():
    """Linux' abstract sockets are written with @."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0signals-test-{os.getpid()}")
        line.settimeout(10)
        Systemd({"NOTIFY_SOCKET": f"@signals-test-{os.getpid()}"}).tell("READY=1")
        assert line.recv(100) == b"READY=1"


@pytest.mark.parametrize("given", [{}, {"WATCHDOG_USEC": "1000"}, {"WATCHDOG_USEC": "x", "WATCHDOG_PID": "1"}])
def test_nobody_is_told_where_systemd_did_not_start_us(given):
    """Nor is a thread begun."""
    made = Systemd(given)
    made.ready(lambda: True)
    made.end()
    assert made._thread is None


def test_another_process_watchdog_is_not_ours():
    """WATCHDOG_PID names whom it waits for."""
    assert Systemd({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}).every_s == 0
