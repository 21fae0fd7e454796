"""README's outputs and command table, made by running the commands: `python -m tests.docs.readme` writes them anew.

The outputs are those of a first run in an empty home, with no network.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from typer.main import get_command

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
OUTPUT = re.compile(r"<!-- output: signals (?P<command>.*?) -->\n```\n.*?```\n<!-- /output -->", re.DOTALL)
COMMANDS = re.compile(r"<!-- commands -->.*?<!-- /commands -->", re.DOTALL)
CLOSED = "http://127.0.0.1:9"
WIDTH = "118"


def filled(text: str) -> str:
    """README with every generated part made anew."""
    with tempfile.TemporaryDirectory() as home:
        text = OUTPUT.sub(lambda match: _output(match["command"], home), text)
    return COMMANDS.sub(lambda _: f"<!-- commands -->\n{command_table()}\n<!-- /commands -->", text)


def masked(text: str) -> str:
    """What must be the same from one run to the next: no times, durations, ids or machine's words."""
    text = re.sub(r"\b[0-9a-f]{12}\b", "RUN", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"\b\d+\.\d+ ?s\b", "SECONDS", text)
    text = re.sub(r"\((?:curl|the host|the conn|the proxy|Failed|Could)(?:[^()\n]|\([^()\n]*\))*\)", "(WHY)", text)
    return re.sub(r"[ \t]+", " ", text)


def command_table() -> str:
    """One row a command, its help's first sentence and its example."""
    from jobs.cli import app

    rows = ["| command | does | example |", "|---|---|---|"]
    for name, command in get_command(app).commands.items():
        does = (command.help or "").split("\n\n")[0].replace("\n", " ").strip()
        example = (command.epilog or "").removeprefix("Example: ")
        rows.append(f"| `signals {name}` | {does} | `{example}` |")
    return "\n".join(rows)


def _output(command: str, home: str) -> str:
    env = os.environ | {
        "SIGNALS_HOME": home, "SIGNALS_BROKER_PORT": "0", "COLUMNS": WIDTH,
        "HTTP_PROXY": CLOSED, "HTTPS_PROXY": CLOSED, "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "jobs", *shlex.split(command)],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())
    return f"<!-- output: signals {command} -->\n```\n{shown}\n```\n<!-- /output -->"


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
