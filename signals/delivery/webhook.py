"""The webhook: a message by POST to somebody's server, signed so that it can tell ours from a stranger's.

The receiver computes `hmac-sha256=` and the hexadecimal HMAC-SHA256, by the shared secret, of the header
`X-Signals-Timestamp`, a dot, and the body; compares it with `X-Signals-Signature` in constant time; and refuses what
is older than it likes. `X-Signals-Id` tells a repeat: it is the same however often a message is tried.
"""

import datetime as dt
import hashlib
import hmac
from urllib.parse import urlsplit

import aiohttp
import stamina

from signals.errors import TransientError

TIMESTAMP, SIGNATURE, ID = "X-Signals-Timestamp", "X-Signals-Signature", "X-Signals-Id"
_ANSWER_S = 5
_TRIES = 3


class WebhookError(TransientError):
    """The receiver could not be reached, or did not take it."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What stands in the header `X-Signals-Signature`."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"hmac-sha256={digest.hexdigest()}"


async def post(url: str, secret: str, message_id: str, body: bytes, *, now: dt.datetime) -> None:
    """Send one message; three tries within some seconds.

    Parameters
    ----------
    now : UTC; stands in the message's timestamp, Unix seconds.

    Raises
    ------
    WebhookError : it was not taken; the message says why, without more of the address than its host.
    """
    stamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP: stamp,
        SIGNATURE: signature(secret, stamp, body),
        ID: message_id,
    }
    host = urlsplit(url).hostname or "webhook"
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True, headers=headers) as session:
        async for attempt in stamina.retry_context(on=WebhookError, attempts=_TRIES, wait_initial=0.2, wait_max=2):
            with attempt:
                await _try(session, url, host, body)


async def _try(session: aiohttp.ClientSession, url: str, host: str, body: bytes) -> None:
    try:
        async with session.post(url, data=body, allow_redirects=False) as answer:
            if answer.status >= 300:
                raise WebhookError(host, f"answered {answer.status}", "see SIGNALS_WEBHOOK_URL and its log")
    except TimeoutError as exc:
        raise WebhookError(host, f"gave no answer in {_ANSWER_S} s", "is it up?") from exc
    except aiohttp.InvalidURL as exc:
        raise WebhookError(host, "its address cannot be used", "correct SIGNALS_WEBHOOK_URL") from exc
    except aiohttp.ClientError as exc:
        raise WebhookError(host, f"cannot be reached ({type(exc).__name__})", "is it up?") from exc
