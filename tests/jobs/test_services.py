"""The services of a store, as people are told of them."""

import datetime as dt

import pytest

from jobs.freshness import judge
from jobs.objectives import Freshness
from jobs.services import sentence, services
from signals.store.leases import Lease, Member
from tests.jobs.test_freshness import NOW, look

AGO = dt.timedelta(seconds=200)


def member(instance: str, **changes: object) -> Member:
    values = {"host": "h", "home": "/h", "console": None, "leads": False, "broker_ok": True, "beats": 1, "rings": 0}
    return Member(**({"instance": instance, "seen_at": NOW} | values | changes))


@pytest.mark.parametrize(
    ("holder", "members", "told"),
    [
        ("a", [member("a")], "1 service: a leads"),
        ("b", [member("a"), member("b")], "2 services: b leads, a stands by"),
        ("b", [member("a", broker_ok=False), member("b")], "2 services: b leads, a stands by (Redis away)"),
        ("a", [member("a"), member("b", seen_at=NOW - AGO)], "2 services: a leads, b silent for 3 min"),
        ("a", [member("a", seen_at=NOW - AGO)], "1 service: a silent for 3 min, nobody leads"),
        (None, [member("a")], "1 service: a stands by, nobody leads"),
        (None, [], "no service"),
    ],
)
def test_services_are_told_in_one_line(holder, members, told):
    """Who leads, who stands by, who is silent; and that nobody leads, where it is so."""
    assert sentence(services(Lease(holder, 1, 1), members, NOW), NOW) == told


def test_it_is_told_when_nobody_stands_by_any_more():
    """One that was there and is silent is missed; one that never was is not."""
    pair = [member("a"), member("b", seen_at=NOW - AGO)]
    for members, expected in ((pair, ["services"]), (pair[:1], []), ([*pair, member("c")], [])):
        seen = look(services=services(Lease("a", 1, 1), members, NOW), leads=True)
        assert [one.key for one in judge(seen, Freshness())] == expected
