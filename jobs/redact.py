"""What must not be told: passwords in addresses, tokens in headers, and the secrets that this process was given."""

from urllib.parse import urlsplit, urlunsplit


def without_password(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query=""))
