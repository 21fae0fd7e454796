"""JSON as it is found, not as it should be."""

import json
import re
from typing import Any

import msgspec

_ESCAPE = re.compile(r"\\(?:[\"\\/bfnrt]|u[0-9a-fA-F]{4}|(?P<bare>.)|$)", re.DOTALL)


def tolerant_json(text: str) -> Any:
    r"""JSON, also where a text holds control characters or backslashes that escape nothing (`\'`).

    Raises ValueError where it is no JSON even so.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return json.loads(_ESCAPE.sub(_mended, text), strict=False)


def _mended(escape: re.Match[str]) -> str:
    bare = escape["bare"]
    return escape[0] if bare is None and len(escape[0]) > 1 else "'" if bare == "'" else f"\\\\{bare or ''}"
