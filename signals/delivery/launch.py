"""Become the server: run as a script in a fresh process, it replaces itself by the program given.

    python launch.py PARENT_PID PROGRAM [ARGUMENT…]

Before that it asks Linux to end this process when the thread that started it ends (PR_SET_PDEATHSIG
outlives exec). Done here rather than in `preexec_fn`, which is unsafe beside threads. Elsewhere
(macOS) there is no such request: a server whose starter was killed runs on, and `ensure()` finds it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""<linux/prctl.h>."""


def main(parent: int, command: list[str]) -> None:
    """Tie this process to its parent, then become the command."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:
            sys.exit(1)  # the parent ended before the request was in place: no signal would ever come
    os.execv(command[0], command)  # noqa: S606 - the very purpose


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
