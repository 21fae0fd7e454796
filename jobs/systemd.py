"""What systemd is told of the service, where it asks: it is ready, it lives, it ends (sd_notify(3))."""

import os
import socket
from collections.abc import Mapping


def tell(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send a state such as `READY=1` to who started us, where that is a systemd that listens; it may have gone."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # a name that is in no folder
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        try:
            line.sendto(state.encode(), address)
        except OSError:  # nobody listens any more; that costs the service nothing
            return
