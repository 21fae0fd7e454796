"""Signatures over messages: that they come from the publisher, and are as it made them.

A signed message is the message with one more member at its very end, so whoever does not check it reads
it as before:

    {"specversion":"1.0",…,"data":{…}}                                  the bytes that are signed
    {"specversion":"1.0",…,"data":{…},"sig":"hmac-sha256:BASE64"}       what is sent

To check: cut off the last member, close the object again, compare. Both kinds are deterministic, so a
message sent again has the same bytes. A signature tells nothing of order or age: `epoch` and `seq`, which
are signed, do.

    hmac:SECRET     HMAC-SHA256 (RFC 2104); publisher and bots share the secret, so a bot could forge
    ed25519:FILE    Ed25519 (RFC 8032); the publisher has the private key (PEM), bots the public one
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from signals.errors import ConfigError, MessageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KINDS = ("hmac", "ed25519")
"""What keys begin with, before a colon."""
HMAC = "hmac-sha256"
ED25519 = "ed25519"
SECRET_MIN_BYTES = 32
"""A shorter secret is more easily guessed than the signature (RFC 2104 advises the hash's own length)."""

_MEMBER = b',"sig":"'
_END = b'"}'
_SIGNATURE_BYTES = {HMAC: 32, ED25519: 64}
_MAKE = "make one: openssl genpkey -algorithm ed25519 -out signing.pem"
_FORMS = "write hmac:SECRET or ed25519:FILE"

Signer = Callable[[bytes], bytes]
"""Gives the message with its signature."""
Verifier = Callable[[bytes], bytes]
"""Gives the message as it was signed, or raises `MessageError`."""


def signer(key: str, where: str = "signing key") -> Signer:
    """What signs messages with a key: `hmac:SECRET`, or `ed25519:FILE` with the private key in PEM.

    Parameters
    ----------
    where : what errors call the key; they never hold it.

    Raises
    ------
    ConfigError : the key is none, or its file cannot be read.
    """
    name, sign = _signing(key, where)

    def signed(event: bytes) -> bytes:
        if not event.endswith(b"}") or len(event) < 3:
            raise MessageError("message", "is no JSON object, so it cannot be signed")
        return event[:-1] + _tail(name, sign(event))

    return signed


def verifier(key: str, where: str = "verifying key") -> Verifier:
    """What checks messages with a key: `hmac:SECRET`, or `ed25519:FILE` with the public key in PEM.

    It gives the bytes that were signed, and raises `MessageError` for whatever this key did not sign:
    another's signature, another kind of signature, or none.

    Raises
    ------
    ConfigError : the key is none, or its file cannot be read.
    """
    name, holds = _checking(key, where)
    begin = _MEMBER + f"{name}:".encode()
    length = len(_tail(name, bytes(_SIGNATURE_BYTES[name])))

    def checked(message: bytes) -> bytes:
        tail = message[-length:]
        if not (tail.startswith(begin) and tail.endswith(_END)):
            raise MessageError("message", f"carries no {name} signature", "is its publisher set to sign?")
        event = message[:-length] + b"}"
        if not holds(event, tail):
            raise MessageError("message", "was not signed with this key, or was changed since")
        return event

    return checked


def _tail(name: str, signature: bytes) -> bytes:
    return _MEMBER + f"{name}:".encode() + base64.b64encode(signature) + _END


def _signing(key: str, where: str) -> tuple[str, Callable[[bytes], bytes]]:
    kind, value = _parts(key, where)
    if kind == "hmac":
        return HMAC, _mac(value, where)
    return ED25519, _private(value, where).sign


def _checking(key: str, where: str) -> tuple[str, Callable[[bytes, bytes], bool]]:
    kind, value = _parts(key, where)
    if kind == "hmac":
        mac = _mac(value, where)
        return HMAC, lambda event, tail: hmac.compare_digest(_tail(HMAC, mac(event)), tail)
    public = _public(value, where)
    from cryptography.exceptions import InvalidSignature

    def holds(event: bytes, tail: bytes) -> bool:
        begin = len(_MEMBER) + len(ED25519) + 1
        try:
            signature = base64.b64decode(tail[begin : -len(_END)], validate=True)
            public.verify(signature, event)
        except (ValueError, InvalidSignature):
            return False
        return _tail(ED25519, signature) == tail  # base64 has several spellings of its last character: one is ours

    return ED25519, holds


def _parts(key: str, where: str) -> tuple[str, str]:
    kind, colon, value = key.partition(":")
    if kind not in KINDS or not colon or not value:
        raise ConfigError(where, "is of no kind that is known", _FORMS)
    return kind, value


def _mac(secret: str, where: str) -> Callable[[bytes], bytes]:
    raw = secret.encode()
    if len(raw) < SECRET_MIN_BYTES:
        raise ConfigError(where, f"has fewer than {SECRET_MIN_BYTES} bytes", "make one: openssl rand -base64 33")
    return lambda event: hmac.digest(raw, event, hashlib.sha256)


def _private(file: str, where: str) -> "Ed25519PrivateKey":
    data = _read(file, where)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as exc:  # no PEM, another kind of key, or one with a password
        raise ConfigError(f"{where} {file}", "is no private key in PEM without a password", _MAKE) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{where} {file}", "is no Ed25519 key", _MAKE)
    return key


def _public(file: str, where: str) -> "Ed25519PublicKey":
    data = _read(file, where)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    mend = "ask the publisher for it: openssl pkey -in signing.pem -pubout"
    try:
        key = load_pem_public_key(data)
    except ValueError as exc:
        raise ConfigError(f"{where} {file}", "is no public key in PEM", mend) from exc
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{where} {file}", "is no Ed25519 key", mend)
    return key


def _read(file: str, where: str) -> bytes:
    try:
        import cryptography  # noqa: F401 - an extra: HMAC needs nothing
    except ImportError as exc:
        mend = "pip install 'usdjpy-signals[signing]', or use hmac:SECRET"
        raise ConfigError(where, "of kind ed25519 needs the package cryptography", mend) from exc
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as exc:
        raise ConfigError(f"{where} {file}", f"cannot be read: {exc.strerror}", "name a file in PEM format") from exc
