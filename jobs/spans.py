"""How long something lasts, in words of one unit."""


def span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h`, `2 d`: whole units, rounded down.

    >>> span(754.0)
    '12 min'
    """
    for size, unit in ((2 * 86_400, "d"), (2 * 3600, "h"), (120, "min")):
        if seconds >= size:
            return f"{int(seconds // _SIZES[unit])} {unit}"
    return f"{max(0, int(seconds))} s"


_SIZES = {"d": 86_400, "h": 3600, "min": 60}
