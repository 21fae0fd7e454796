"""The table of events, the list it is made of, and the code that logs them say the same."""

import ast
import re

from jobs.logs import EVENTS
from tests.conftest import ROOT
from tests.docs.events import FILE, page

_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_NAME = re.compile(r"[a-z]+\.[a-z_]+")


def trees():
    """Every file of ours that could log, but the list itself."""
    for folder in ("jobs", "signals"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path != ROOT / "jobs" / "logs.py":
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def _events_of(name):
    """The events that a call's first argument can name: a text is one, a text with holes all that begin as it does."""
    if isinstance(name, ast.JoinedStr):
        begins = name.values[0]
        assert isinstance(begins, ast.Constant), ast.unparse(name)
        return {event for event in EVENTS if event.startswith(begins.value)}
    return {name.value} & set(EVENTS) if isinstance(name, ast.Constant) else set()


def test_what_is_logged_is_in_the_table():
    """Each logging call names an event of the table: no prose, no name that nobody can look up."""
    unknown = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _LEVELS
        and ast.unparse(node.func.value).split("(")[0].split(".")[-1] in ("log", "logger", "bind", "get_logger")
        and ast.unparse(node.args[0]) != "event"
        and not _events_of(node.args[0])
    ]
    assert unknown == []


def _composes(argument):
    return (
        isinstance(argument, ast.JoinedStr)
        and isinstance(argument.values[0], ast.Constant)
        and bool(re.fullmatch(r"[a-z]+\.", argument.values[0].value))
    )


def test_what_is_in_the_table_is_logged():
    """Each event stands somewhere in the code, and has a name of two words and a text."""
    nodes = [node for _, tree in trees() for node in ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    composed = [node.args[0] for node in nodes if isinstance(node, ast.Call) and node.args]
    logged = texts.union(*(_events_of(one) for one in composed if _composes(one)))
    assert [name for name in EVENTS if name not in logged] == []
    assert [name for name, when in EVENTS.items() if not (_NAME.fullmatch(name) and when)] == []


def test_the_page_is_made_of_the_list():
    """`jobs/EVENTS.md` is what `make docs` writes."""
    assert FILE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.events"
