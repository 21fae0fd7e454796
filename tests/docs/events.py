"""The table of events in `jobs/EVENTS.md`, made of `logs.EVENTS`: `python -m tests.docs.events` writes it anew."""

from jobs.logs import EVENTS
from tests.docs.readme import ROOT

FILE = ROOT / "jobs" / "EVENTS.md"
_HEAD = """# Events

What a line of the log can tell, by its key `event`. Made from `EVENTS` in `jobs/logs.py` (`make docs`).
A line of a run has `run_id` and `job`; `signals jobs show RUN_ID` gives all of them.

| event | when |
|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(f"| `{name}` | {when} |\n" for name, when in sorted(EVENTS.items()))


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
