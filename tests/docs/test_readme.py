"""The documents say what is so."""

import re

import pytest
from typer.main import get_command

from jobs.catalogue import NAMES
from jobs.cli import app
from tests.conftest import ROOT
from tests.docs.readme import README, filled, masked

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")


def test_the_outputs_in_the_readme_are_real():
    """Running README's commands in an empty home, with no network, prints what README shows (times aside)."""
    text = README.read_text(encoding="utf-8")
    assert masked(filled(text)) == masked(text), "write README anew: python -m tests.docs.readme"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_the_documents_name_exists(document):
    """Every file or folder of ours that a document names is there, and every make word it uses."""
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"`((?:signals|jobs|config|tests|seeds|\.ci)/[\w./-]*)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []
    makefile = (ROOT / "Makefile").read_text()
    assert [w for w in re.findall(r"`make (\w+)`", text) if f"\n{w}:" not in makefile] == []


def test_every_command_has_help_with_an_example():
    """`--help` of every command ends with an example of it."""
    commands = get_command(app).commands
    words = [*commands.items(), *(commands["jobs"].commands.items())]
    assert [name for name, command in words if not (command.epilog or "").startswith("Example: ")] == []


def test_every_job_is_scheduled_and_described():
    """Each job of the catalogue has its table in the settings and its words."""
    settings = (ROOT / "config" / "signals.toml").read_text()
    assert [name for name in NAMES if f"[jobs.{name}]" not in settings] == []
