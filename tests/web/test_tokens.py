"""The token of a home: told once to its owner, kept by the service as a hash."""

import hashlib

import pytest

from jobs.tokens import Lock, token
from signals.errors import ConfigError


def test_a_first_start_tells_the_token_once_and_keeps_its_hash(tmp_path):
    """Both files can be read by the owner alone; the hash is all the service needs."""
    lock = Lock(tmp_path, {})
    made = (tmp_path / "token").read_text()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert (tmp_path / "token.sha256").read_text() == hashlib.sha256(made.encode()).hexdigest()
    assert lock.fits(made)
    assert token(tmp_path, {}) == made


def test_a_token_that_was_moved_away_still_opens(tmp_path):
    """Then nothing at rest holds it; who looks for it here is told where it may be."""
    Lock(tmp_path, {})
    made = (tmp_path / "token").read_text()
    (tmp_path / "token").unlink()
    assert Lock(tmp_path, {}).fits(made)
    assert not (tmp_path / "token").exists()
    with pytest.raises(ConfigError, match="moved away"):
        token(tmp_path, {})


def test_a_token_written_by_hand_counts_from_the_next_start(tmp_path):
    """The file `token` goes before the hash, which follows it."""
    Lock(tmp_path, {})
    (tmp_path / "token").write_text("one that a person chose\n")
    lock = Lock(tmp_path, {})
    assert lock.fits("one that a person chose")
    (tmp_path / "token").unlink()
    assert Lock(tmp_path, {}).fits("one that a person chose")


@pytest.mark.parametrize("environ", [{}, {"SIGNALS_TOKEN": "short"}, {"SIGNALS_TOKEN": ""}])
def test_a_token_that_can_be_guessed_is_refused(tmp_path, environ):
    """Sixteen characters at least; an empty one is no token."""
    (tmp_path / "token").write_text("short")
    with pytest.raises(ConfigError, match="shorter than 16"):
        Lock(tmp_path, environ)


def test_a_hash_that_is_none_is_named(tmp_path):
    """Rather than nobody being let in any more."""
    (tmp_path / "token.sha256").write_text("abc")
    with pytest.raises(ConfigError, match=r"token\.sha256: is no SHA-256"):
        Lock(tmp_path, {})


def test_what_is_not_ascii_is_no_token_and_no_error(tmp_path):
    """Headers may hold any bytes."""
    assert not Lock(tmp_path, {}).fits("é\udcff")
