"""TLS in front of a server that has none, with certificates made for the test."""

import contextlib
import select
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Certificates(NamedTuple):
    """A CA, and what it signed: a server's certificate for 127.0.0.1 and a client's."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def make_certificates(folder: Path) -> Certificates:
    """Keys and certificates that nobody else has."""
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-subj", "/CN=tests", "-days", "2")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    made = []
    for name in ("server", "client"):
        cert, key, request = (folder / f"{name}.{ending}" for ending in ("pem", "key", "csr"))
        _openssl("req", *new_key, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
                 "-extfile", folder / "names", "-out", cert)  # fmt: skip
        made += [cert, key]
    return Certificates(ca, *made)


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
