"""A service whose retention job hangs: `python -m tests.jobs.hung HOW [ARGUMENT…]` is `signals [ARGUMENT…]` with it.

HOW is `spin` (holds the interpreter's lock for ever, so that no other thread runs), `crash` (the process kills
itself), `once` (waits for ever the first time in this home, and later does well), `scheduler` (the scheduler stands
still from then on) or `none`.
"""

import os
import re
import signal
import sys
import threading

import jobs.catalogue
import jobs.cli
from jobs.app import App
from jobs.runner import Report, Run

HOW = sys.argv[1] if len(sys.argv) > 1 else ""


def retention(app: App, _run: Run) -> Report:
    """Hang."""
    first = app.settings.home / "hung-once"
    if HOW == "spin":
        re.match(r"(a+)+$", "a" * 64 + "b")
    elif HOW == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif HOW == "scheduler":
        thread = next(one for one in threading.enumerate() if one.name == "APScheduler")
        thread._target.__self__.pause()
    elif HOW == "once" and not first.exists():
        first.touch()
        threading.Event().wait()
    return Report({"done": 1})


if __name__ == "__main__":
    jobs.catalogue._BODIES["retention"] = "tests.jobs.hung:retention"
    sys.modules["tests.jobs.hung"] = sys.modules["__main__"]
    jobs.cli.main(sys.argv[2:])
