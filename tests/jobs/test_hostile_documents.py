"""Documents nobody should have put there cost only themselves."""

import os
import shutil

from tests.conftest import ROOT


def test_odd_documents_cost_one_note_each_and_the_rest_is_published(shell, tmp_path):
    """A title of kilobytes, a pipe and a dangling link beside sound articles: all the sound ones are handled."""
    folder = tmp_path / "articles"
    shutil.copytree(ROOT / "seeds" / "articles", folder)
    (folder / "endless.txt").write_text("BOJ hikes rates… " * 1900, encoding="utf-8")
    os.mkfifo(folder / "pipe.txt")
    (folder / "nowhere.txt").symlink_to(tmp_path / "gone")
    done = shell(f'[[feed]]\nid = "a"\nkind = "articles"\npath = "{folder}"\n').run("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "17 seen, 17 new" in done.stdout
    assert "nowhere.txt" in done.stdout
    assert "pipe.txt" in done.stdout
    assert "17 scored" in done.stdout
