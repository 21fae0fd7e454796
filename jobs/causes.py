"""What went wrong and why, in one line: an error and the errors that it came from."""

from collections.abc import Iterator

_MOST = 4
_MAX = 300
"""Characters of one cause."""


def in_one_line(error: BaseException) -> str:
    """`BrokerError: … ; from ConnectionError: …`: what it says, then each cause that says something new."""
    told = f"{type(error).__name__}: {_one_line(str(error))}"
    for cause in _causes(error):
        text = _one_line(str(getattr(cause, "orig", None) or cause))[:_MAX]  # not the statement and its values
        if text.lower() not in told.lower():
            told += f"; from {type(cause).__name__}: {text}"
    return told


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    for _ in range(_MOST):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None or id(cause) in seen:
            return
        seen.add(id(cause))
        yield cause
        error = cause


def _one_line(text: str) -> str:
    return " ".join(text.split())
