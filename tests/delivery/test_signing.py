"""Signatures: what the publisher signed passes, and not one byte else."""

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from signals.delivery import wire
from signals.delivery.client import Client
from signals.delivery.publisher import Publisher
from signals.delivery.signing import signer, verifier
from signals.errors import ConfigError, MessageError

from .conftest import KEYS, NOW, beat, make_retraction_row, make_row, make_rows, received, seqs

SECRET = "hmac:" + "0123456789abcdef" * 2
EVENT = make_row(1).event
RFC_8032_PRIVATE = """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
"""The secret key of the first test in section 7.1 of RFC 8032, public knowledge since 2017: for tests alone."""
RFC_8032_PUBLIC = """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
"""


@pytest.fixture
def pem(tmp_path: Path) -> tuple[str, str]:
    """The keys of the RFC, as the publisher and a bot have them."""
    private, public = tmp_path / "signing.pem", tmp_path / "signing.pub"
    private.write_text(RFC_8032_PRIVATE)
    public.write_text(RFC_8032_PUBLIC)
    return f"ed25519:{private}", f"ed25519:{public}"


def test_a_signed_message_is_a_message() -> None:
    """The signature is one more member at the end: who does not check it reads what was sent without it."""
    signed = signer(SECRET)(EVENT)
    assert signed.startswith(EVENT[:-1] + b',"sig":"hmac-sha256:')
    assert {key: value for key, value in json.loads(signed).items() if key != "sig"} == json.loads(EVENT)
    assert wire.decode(signed) == wire.decode(EVENT)
    assert verifier(SECRET)(signed) == EVENT


def test_the_signature_is_the_one_of_the_standard() -> None:
    """Any language can check it: the HMAC-SHA256, in base64, of the message without its last member."""
    signature = json.loads(signer(SECRET)(b'{"a":1}'))["sig"]
    expected = hmac.new(SECRET.removeprefix("hmac:").encode(), b'{"a":1}', hashlib.sha256).digest()
    assert signature == f"hmac-sha256:{base64.b64encode(expected).decode()}"


def test_the_same_message_is_signed_the_same() -> None:
    """A message sent again after a restart has the same bytes."""
    assert signer(SECRET)(EVENT) == signer(SECRET)(EVENT)


@given(place=st.integers(0, len(EVENT) + 60), value=st.integers(0, 255))
def test_no_byte_can_be_changed(place: int, value: int) -> None:
    """Whatever byte is changed, wherever, the message is refused."""
    signed = bytearray(signer(SECRET)(EVENT))
    place = min(place, len(signed) - 1)
    if signed[place] == value:
        return
    signed[place] = value
    with pytest.raises(MessageError):
        verifier(SECRET)(bytes(signed))


@given(st.binary(max_size=200))
def test_nothing_else_passes(junk: bytes) -> None:
    """Whatever bytes come, they are refused by a `MessageError` and nothing else."""
    for message in (junk, EVENT + junk, junk + EVENT, EVENT[:-1] + b',"sig":"hmac-sha256:' + junk + b'"}'):
        with pytest.raises(MessageError):
            verifier(SECRET)(message)


def test_what_is_not_signed_by_this_key_is_refused() -> None:
    """No signature, another key's, one cut off, doubled, or with something behind it: each refused."""
    signed = signer(SECRET)(EVENT)
    others = (
        EVENT,
        signer("hmac:" + "f" * 32)(EVENT),
        signed[:-1],
        signed + b" ",
        signed[:-1] + b',"seq":9}',
        signer(SECRET)(make_row(2).event)[:-80] + signed[-80:],
        b"",
        b"{}",
    )
    for message in others:
        with pytest.raises(MessageError):
            verifier(SECRET)(message)
    assert verifier(SECRET)(signer(SECRET)(signed)) == signed
    for nothing in (b"", b"{}", b"[1]", b"text"):
        with pytest.raises(MessageError, match="cannot be signed"):
            signer(SECRET)(nothing)


@pytest.mark.parametrize("make", [signer, verifier])
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "of no kind that is known - write hmac:SECRET or ed25519:FILE"),
        ("s3cret-without-a-kind-in-front-of-it", "of no kind"),
        ("rsa:s3cret", "of no kind"),
        ("hmac:", "of no kind"),
        ("hmac:s3cret", "has fewer than 32 bytes - make one: openssl rand"),
    ],
)
def test_a_key_that_is_none_is_told(make: Callable[..., Any], key: str, words: str) -> None:
    """One line that says what a key looks like, and nothing of the one given."""
    with pytest.raises(ConfigError, match=words) as caught:
        make(key, "SIGNALS_SIGNING_KEY")
    assert str(caught.value).startswith("SIGNALS_SIGNING_KEY: ")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("make", [signer, verifier])
def test_without_the_extra_ed25519_names_it(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is not installed, the error says what to install; HMAC needs nothing."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConfigError, match=r"needs the package cryptography - pip install 'usdjpy-signals\[signing\]'"):
        make("ed25519:signing.pem")
    assert make(SECRET)


def test_ed25519_is_the_one_of_the_standard(pem: tuple[str, str]) -> None:
    """Of the RFC's key and no bytes at all comes the RFC's signature; of a message, one that its public key passes."""
    from signals.delivery.signing import _signing

    _, sign = _signing(pem[0], "key")
    assert sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    signed = signer(pem[0])(EVENT)
    assert signed == signer(pem[0])(EVENT)
    assert wire.decode(signed) == wire.decode(EVENT)
    check = verifier(pem[1])
    assert check(signed) == EVENT
    for place in range(0, len(signed), 7):
        changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
        with pytest.raises(MessageError):
            check(changed)
    last = signed[-5:-4]
    respelled = signed[:-5] + bytes([last[0] + 1]) + signed[-4:]  # the same signature in another spelling of base64
    for message in (EVENT, signer(SECRET)(EVENT), respelled, signed[:-91] + b"!" * 88 + b'"}'):
        with pytest.raises(MessageError):
            check(message)


def test_a_file_that_is_no_ed25519_key_is_named(pem: tuple[str, str], tmp_path: Path) -> None:
    """Not there, not PEM, the other half, another kind of key: each names the file and the mend."""
    (tmp_path / "junk.pem").write_text("junk")
    other = X25519PrivateKey.generate()
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "x.pem").write_bytes(other.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "x.pub").write_bytes(other.public_key().public_bytes(serialization.Encoding.PEM, spki))
    for make, own, name in ((signer, pem[1], "x.pem"), (verifier, pem[0], "x.pub")):
        cases = ((f"ed25519:{tmp_path}/none.pem", "cannot be read"), (f"ed25519:{tmp_path}/junk.pem", "in PEM"),
                 (own, "in PEM"), (f"ed25519:{tmp_path}/{name}", "is no Ed25519 key"))  # fmt: skip
        for key, words in cases:
            with pytest.raises(ConfigError, match=words) as caught:
                make(key)
            assert key.removeprefix("ed25519:") in str(caught.value)


def test_a_signing_publisher_signs_all_that_it_sends(server: Any, client: Client) -> None:
    """Log, latest key, channel and heartbeats carry signatures; a client that does not check reads on."""
    publisher, check = Publisher(server, sign=signer(SECRET)), verifier(SECRET)
    items = client.signals("all", count=2)
    heard = server.pubsub()
    heard.subscribe(KEYS.channel)
    assert heard.get_message(timeout=5)
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    logged = [fields[b"event"] for _, fields in server.xrange(KEYS.log)]
    assert [check(event) for event in logged] == [make_row(1).event, make_row(2).event]
    assert check(server.get(KEYS.latest)) == make_row(2).event
    assert [heard.get_message(timeout=5)["data"] for _ in logged] == logged
    beat(publisher)
    assert b"heartbeat" in check(heard.get_message(timeout=5)["data"])
    assert seqs(received(list(items))) == [1, 2]
    assert client.invalid == 0
    publisher.publish(make_retraction_row(3, number=2), now=NOW)
    assert server.exists(KEYS.latest) == 0


def test_a_signed_message_is_sent_once(server: Any) -> None:
    """By a new process, with another key or none: a message that Redis has is a repeat and stays as it was."""
    Publisher(server, sign=signer(SECRET)).publish_many(make_rows(1, 3), now=NOW, restart=True)
    before = server.xrange(KEYS.log)
    for sign in (signer(SECRET), signer("hmac:" + "f" * 32), None):
        assert Publisher(server, sign=sign).publish_many(make_rows(1, 3), now=NOW) == 0
    assert server.xrange(KEYS.log) == before
    assert [verifier(SECRET)(fields[b"event"]) for _, fields in before] == [row.event for row in make_rows(1, 3)]
