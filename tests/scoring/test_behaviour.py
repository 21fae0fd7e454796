"""What must hold of the shipped model, whatever it was trained on."""

from tests.scoring.behaviour import cases, known_misses, misses


def test_the_table_is_large_and_its_rows_are_distinct():
    """At least 300 rows, each with its own id, of all three kinds and in both languages."""
    table = cases()
    assert len(table) >= 300
    assert len({case.id for case in table}) == len(table)
    assert {case.kind for case in table} == {"MFT", "INV", "DIR"}
    assert sum(not case.text.isascii() for case in table) >= 30


def test_every_row_holds_but_the_known_misses(model):
    """No row that held before fails now; the known misses are listed one by one."""
    failing = {case.id: case for case in misses(model, cases())}
    assert [case for name, case in failing.items() if name not in known_misses()] == []


def test_no_known_miss_is_stale(model):
    """A miss that has been mended is struck from the list."""
    failing = {case.id for case in misses(model, cases())}
    assert known_misses() - failing == set()
