"""The rule by which a message type may grow, on changes that somebody might make."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from signals.delivery import schema, wire
from signals.delivery.growth import breaks

Change = Callable[[dict[str, Any]], object]
OLD = schema.json_schema(wire.HEADLINE)


def data_of(whole: dict[str, Any]) -> dict[str, Any]:
    """The part of a headline message that is the signal."""
    return whole["$defs"]["Signal"]  # type: ignore[no-any-return]


def properties_of(whole: dict[str, Any]) -> dict[str, Any]:
    """The signal's fields."""
    return data_of(whole)["properties"]  # type: ignore[no-any-return]


def put_first(whole: dict[str, Any]) -> None:
    """A new field before all others."""
    data_of(whole)["properties"] = {"mood": {"type": "string"}, **properties_of(whole)}


GROWN: dict[str, Change] = {
    "nothing": lambda _: None,
    "a field at the end": lambda new: properties_of(new).update(mood={"type": "string", "default": ""}),
    "a field in the envelope": lambda new: new["properties"].update(traceparent={"type": "string"}),
    "other words": lambda new: properties_of(new)["p_up"].update(description="how likely", title="p"),
    "a new part": lambda new: new["$defs"].update(Mood={"properties": {}}),
}
BROKEN: dict[str, tuple[Change, str]] = {
    "a field removed": (lambda new: properties_of(new).pop("url"), "Signal.url: is gone"),
    "an envelope field removed": (lambda new: new["properties"].pop("epoch"), "v1.epoch: is gone"),
    "a part removed": (lambda new: new["$defs"].pop("Evidence"), "Evidence: is gone"),
    "another type": (lambda new: properties_of(new)["revision"].update(type="string"), "Signal.revision: was"),
    "null where none was": (
        lambda new: properties_of(new).update(title={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "Signal.title: was",
    ),
    "another answer": (lambda new: properties_of(new)["direction"]["enum"].append("unsure"), "Signal.direction: was"),
    "another range": (lambda new: properties_of(new)["usd_effect"].update(minimum=-2), "Signal.usd_effect: was"),
    "another default": (lambda new: properties_of(new)["headline_id"].update(default="?"), "Signal.headline_id: was"),
    "at times missing": (lambda new: data_of(new)["required"].remove("url"), "is at times missing"),
    "always there": (lambda new: data_of(new)["required"].append("headline_id"), "is always there"),
    "a new field first": (put_first, "stands before an old"),
    "a new field without a default": (
        lambda new: [properties_of(new).update(mood={"type": "string"}), data_of(new)["required"].append("mood")],
        "Signal.mood: is new and has no default",
    ),
}


@pytest.mark.parametrize("change", GROWN.values(), ids=GROWN)
def test_growth_is_allowed(change: Change) -> None:
    """What only adds, at the end and with a default, breaks no promise."""
    new = copy.deepcopy(OLD)
    change(new)
    assert list(breaks(OLD, new, "signals.headline.v1")) == []


@pytest.mark.parametrize(("change", "told"), BROKEN.values(), ids=BROKEN)
def test_whatever_breaks_a_reader_is_told(change: Change, told: str) -> None:
    """Each change that a reader's code could break on is named, with its field."""
    new = copy.deepcopy(OLD)
    change(new)
    found = list(breaks(OLD, new, "signals.headline.v1"))
    assert len(found) == 1
    assert told in found[0]
