"""Yahoo behind a proxy of ours: yfinance's own code, its own TLS, and our answers."""

import contextlib
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.prices.conftest import Yahoo

_HOSTS = ("query1.finance.yahoo.com", "query2.finance.yahoo.com", "finance.yahoo.com", "fc.yahoo.com")


class Market:
    """What Yahoo answers, and how a service is brought to ask us instead.

    Parameters
    ----------
    answers : the service on loopback that knows the answers.
    env : what a service is started with.
    """

    def __init__(self, answers: Yahoo, env: dict[str, str]) -> None:
        self.answers = answers
        self.env = env

    def up_to(self, now: dt.datetime) -> None:
        """Have bars until a UTC time, and give them."""
        hour, minute = now.replace(minute=0, second=0), now.replace(second=0)
        self.answers.walk(3600, hour - dt.timedelta(days=3), hour)
        self.answers.hours = self.answers.rows
        self.answers.walk(60, hour - dt.timedelta(hours=6), minute)
        self.answers.status = 200

    def refuse(self) -> None:
        """Answer 429 to everything."""
        self.answers.status = 429


@contextlib.contextmanager
def market(folder: Path) -> Iterator[Market]:
    """A proxy that is Yahoo."""
    answers = Yahoo()
    (ours := folder / "yahoo").mkdir()
    context = _context(ours)

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            plain = (self.rfile, self.wfile)
            with (
                contextlib.suppress(OSError),  # who asked has gone
                context.wrap_socket(self.connection, server_side=True) as line,
                line.makefile("rb") as self.rfile,
                line.makefile("wb") as self.wfile,
            ):
                self.handle_one_request()
            self.close_connection = True
            self.rfile, self.wfile = plain

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body = answers.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body.encode())
            self.wfile.flush()
            self.close_connection = True

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield Market(
            answers,
            {
                "HTTPS_PROXY": address,
                "REQUESTS_CA_BUNDLE": str(ours / "ca.pem"),
                "CURL_CA_BUNDLE": str(ours / "ca.pem"),
            },
        )
    finally:
        server.shutdown()
        server.server_close()


def _context(folder: Path) -> ssl.SSLContext:
    """Certificates for Yahoo's hosts that only whoever trusts `ca.pem` takes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "drill")])
    now, month = dt.datetime.now(dt.UTC), dt.timedelta(days=30)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - month)
        .not_valid_after(now + month)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in _HOSTS]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(made.public_bytes(form))
    (folder / "key.pem").write_bytes(
        key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context
