"""A client with a key takes what the publisher signed, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from signals.delivery.aclient import AsyncTask
from signals.delivery.client import Task
from signals.delivery.items import Restored, Silence
from signals.delivery.publisher import Publisher
from signals.delivery.signing import signer
from signals.errors import ConfigError

from .blocking import BlockingTask
from .conftest import NOW, Clock, Connect, beat, make_row, received, seqs, there
from .test_signing import RFC_8032_PRIVATE, RFC_8032_PUBLIC

SECRET = "hmac:" + "0123456789abcdef" * 2
FORGED = "hmac:" + "f" * 32


def send(server: Any, key: str | None, *numbers: int) -> None:
    """Send the signals of these numbers, signed with a key or not at all."""
    publisher = Publisher(server, sign=signer(key) if key else None)
    publisher.publish_many([make_row(number) for number in numbers], now=NOW, restart=True)


def test_only_what_the_key_signed_is_a_signal(server: Any, url: str, clock: Clock, joined: Connect) -> None:
    """No signature, and another's, are never yielded: skipped, counted, and told as what is missing."""
    for key, number in ((SECRET, 1), (None, 2), (FORGED, 3), (SECRET, 4)):
        send(server, key, number)
    with joined(url, clock=clock, verify=SECRET) as client:
        assert seqs(there(client)) == [1, (2, 3), 4]
        assert client.invalid == 2
        send(server, FORGED, 5)
        latest = client.latest()
        assert latest is not None
        assert latest.event.seq == 4
        assert client.index() is None


def test_workers_get_what_the_key_signed(server: Any, url: str, clock: Clock, joined: Connect) -> None:
    """In a group too: the others are done with, counted, and come to nobody."""
    for key, number in ((SECRET, 1), (FORGED, 2), (None, 3), (SECRET, 4)):
        send(server, key, number)
    with joined(url, clock=clock, verify=SECRET) as client:
        tasks = list(client.work("group", "me", start="all", timeout_s=0))
        assert all(isinstance(task, Task | AsyncTask | BlockingTask) for task in tasks)
        assert [task.received.event.seq for task in tasks] == [1, 4]
        assert client.invalid == 2
        assert len(client.pending("group")) == 2


def test_a_forged_heartbeat_is_none(server: Any, url: str, clock: Clock, joined: Connect) -> None:
    """Whoever can publish but does not know the key cannot make a dead publisher look alive."""
    with joined(url, clock=clock, verify=SECRET) as client:
        items = client.signals()
        beat(Publisher(server, sign=signer(FORGED)))
        clock.forward(16)
        told = next(items)
        assert isinstance(told, Silence)
        assert told.kind == "publisher"
        beat(Publisher(server, sign=signer(SECRET)))
        assert isinstance(next(items), Restored)
        items.close()


def test_a_public_key_checks(server: Any, url: str, clock: Clock, joined: Connect, tmp_path: Path) -> None:
    """A bot that has only the public key takes what the private one signed."""
    (tmp_path / "signing.pem").write_text(RFC_8032_PRIVATE)
    (tmp_path / "signing.pub").write_text(RFC_8032_PUBLIC)
    send(server, f"ed25519:{tmp_path}/signing.pem", 1)
    send(server, SECRET, 2)
    with joined(url, clock=clock, verify=f"ed25519:{tmp_path}/signing.pub") as client:
        assert seqs(received(there(client))) == [1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"verify": "s3cret-without-a-kind"}, r"^verify: is of no kind that is known - write hmac:SECRET or ed25519"),
        ({"verify": ""}, r"^verify: is of no kind"),
        ({"verify": "hmac:s3cret"}, r"^verify: has fewer than 32 bytes - make one"),
        ({"verify": "ed25519:/no/such.pub"}, r"^verify /no/such.pub: cannot be read"),
        ({"key": "hmac:s3cret"}, r"^key: is the file with our certificate's key - .* as verify="),
    ],
)
def test_a_key_that_is_none_is_told_at_once(url: str, joined: Connect, options: dict[str, Any], words: str) -> None:
    """One line before anything is asked of the server, and nothing of the key in it."""
    with pytest.raises(ConfigError, match=words) as caught:
        joined(url, **options)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
