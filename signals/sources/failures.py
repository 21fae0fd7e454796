"""What went wrong with a request, as a `SourceError` that gives no secret away."""

import datetime as dt
import errno
import ssl
from collections.abc import Mapping

import aiohttp
from yarl import URL

from signals.errors import SourceError
from signals.sources.guard import Hop
from signals.sources.manners import retry_after_s

SECRET_PARAMETERS = ("key", "token", "secret", "auth", "password", "passwd", "pwd", "signature", "sig")
"""Query parameters whose name ends in one of these hold a secret."""

MENDS = {
    401: "the feed wants a login: is the key in its url right?",
    403: "the publisher refuses us: open the url in a browser, or look for another feed",
    404: "look up the feed's present address",
    407: "the proxy wants a login: put it into the proxy's address",
    410: "the publisher has ended this feed: remove it",
}


def public_url(url: URL) -> str:
    """A URL without user name, password and secret parameters, fit for logs."""
    if not url.host:  # a redirect to file: or the like
        return f"{url.scheme}:..."
    bare = url.with_user(None).with_fragment(None)
    shown = [(key, "..." if key.lower().endswith(SECRET_PARAMETERS) else value) for key, value in bare.query.items()]
    return str(bare.with_query(shown)) if shown else str(bare)


def bad_status(
    where: str, status: int, headers: Mapping[str, str], *, now: dt.datetime, by: str = "the server"
) -> SourceError:
    """An answer that says no, and how long it wants to be left alone."""
    ordered_s = retry_after_s(headers, now)
    if status == 429:
        after = headers.get("Retry-After", "")
        wait = f", and to wait {after[:40]}" if after else ""
        return SourceError(
            where,
            "rate_limited",
            f"{by} asks to be asked less often{wait}",
            "raise the feed's every_s",
            retry_after_s=ordered_s,
        )
    return SourceError(
        where, f"http_{status}", f"{by} answered HTTP {status}", MENDS.get(status, ""), retry_after_s=ordered_s
    )


def private_address(where: str, addresses: str) -> SourceError:
    """The host is, or resolves to, an address that is not public."""
    mend = "if this host is yours and is the feed's own, set allow_private = true in its row"
    return SourceError(where, "private_address", f"{addresses} is a private address, not connected to", mend)


def request_failure(where: str, error: aiohttp.ClientError, hop: Hop, now: dt.datetime) -> SourceError:
    """The error of one request. Only parts of aiohttp's own text are used: some of it holds the whole URL."""
    if hop.refused:
        return private_address(where, ", ".join(dict.fromkeys(hop.refused)))
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return bad_status(where, error.status, error.headers or {}, now=now, by="the proxy")
    if isinstance(error, aiohttp.InvalidURL):
        return SourceError(where, "refused", "not an address that can be fetched", "correct the url")
    if isinstance(error, aiohttp.ClientResponseError):
        return SourceError(where, "unreachable", f"not an HTTP answer: {error.message}"[:200])
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return SourceError(where, "unreachable", f"no trusted TLS connection: {_tls_reason(error)}"[:200])
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return SourceError(where, "unreachable", "the host's name has no address", "check the name and the network")
    if isinstance(error, aiohttp.ClientConnectorError):
        refused = error.os_error.errno == errno.ECONNREFUSED
        return SourceError(where, "refused" if refused else "unreachable", f"no connection: {error.os_error}"[:200])
    return SourceError(where, "unreachable", f"the answer broke off: {type(error).__name__}")


def _tls_reason(error: aiohttp.ClientError) -> str:
    cause = error.__cause__
    return cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else type(cause or error).__name__
