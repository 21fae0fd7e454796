"""What systemd hears, and that nobody is told anything elsewhere."""

import os
import socket

import pytest

from jobs import systemd


@pytest.mark.parametrize("abstract", [False, True])
def test_a_message_arrives_whole(tmp_path, monkeypatch, abstract):
    """At a file, or at Linux' abstract name, which is written with @."""
    name = f"\0signals-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(name)
        line.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        systemd.tell("READY=1")
        assert line.recv(100) == b"READY=1"


def test_nobody_is_told_where_systemd_did_not_start_us(monkeypatch):
    """No line is even opened."""
    opened = []
    monkeypatch.setattr("jobs.systemd.socket.socket", lambda *kind: opened.append(kind))
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.tell("READY=1")
    assert opened == []


def test_a_systemd_that_has_gone_costs_nothing(tmp_path, monkeypatch):
    """Its file is there and nobody listens: told once, no error, and no file of ours in its place."""
    name = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(name))
    for address in (name, tmp_path / "never"):
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        systemd.tell("READY=1")
    assert [path.name for path in tmp_path.iterdir()] == ["notify"]
