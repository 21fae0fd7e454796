"""TLS in front of a server that has none, with certificates made for the test."""

import contextlib
import datetime as dt
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509.oid import NameOID

from signals.delivery.address import Tls


class Certificates(NamedTuple):
    """A CA, and what it signed: a server's certificate for 127.0.0.1 and a client's."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    @property
    def of_client(self) -> Tls:
        """What a client shows, and whom it trusts."""
        return Tls(self.ca, self.client, self.client_key)


def make_certificates(folder: Path) -> Certificates:
    """Keys and certificates that nobody else has."""
    authority = ec.generate_private_key(ec.SECP256R1())
    ca = _write(folder / "ca.pem", _certificate("tests", authority, "tests", authority))
    made = []
    for name in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        made += [_write(folder / f"{name}.pem", _certificate(name, key, "tests", authority)),
                 _write(folder / f"{name}.key", key)]  # fmt: skip
    return Certificates(ca, *made)


def _certificate(name: str, key: EllipticCurvePrivateKey, issuer: str, by: EllipticCurvePrivateKey) -> x509.Certificate:
    """Of 127.0.0.1, for two days around now; an authority's where it signs itself."""
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return (
        x509.CertificateBuilder(_named(issuer), _named(name), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _write(path: Path, what: x509.Certificate | EllipticCurvePrivateKey) -> Path:
    pem = serialization.Encoding.PEM
    if isinstance(what, x509.Certificate):
        path.write_bytes(what.public_bytes(pem))
    else:
        plain = serialization.NoEncryption()
        path.write_bytes(what.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return path


@contextlib.contextmanager
def tls_before(port: int, certificates: Certificates) -> Iterator[int]:
    """A TLS port that hands on to a plain one, for whoever shows a certificate of the CA."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:  # closed at the end of the test
                return
            threading.Thread(target=_serve, args=(peer, context, port), daemon=True).start()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def _serve(peer: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        contextlib.suppress(OSError),
        context.wrap_socket(peer, server_side=True, do_handshake_on_connect=False) as front,
    ):
        try:
            front.do_handshake()
        except ssl.SSLError:
            socket.socket.shutdown(front, socket.SHUT_WR)  # so that the alert is not lost with the connection
            while socket.socket.recv(front, 65536):
                pass
            return
        with socket.create_connection(("127.0.0.1", port)) as behind:
            _hand_on(front, behind)


def _hand_on(front: ssl.SSLSocket, behind: socket.socket) -> None:
    while True:
        ready = [front] if front.pending() else select.select([front, behind], [], [])[0]
        for source, target in ((front, behind), (behind, front)):
            if source in ready:
                data = source.recv(65536)
                if not data:
                    return
                target.sendall(data)
