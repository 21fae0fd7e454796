"""What a database says is wrong with it, in our words: one line, and the mend."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, TimeoutError

from signals.errors import StoreError

_ESCAPES = "in a password write %40 for @, %3A for :, %2F for /, %25 for %"
_MENDS = {
    # SQLite
    "is locked": "another process holds it: end that one, or wait",
    "is full": "free disk space under SIGNALS_HOME",
    "readonly": "may this user write to it and its folder?",
    "unable to open": "does its folder exist, and may this user write there?",
    "not a database": "move the file away: it is not one of ours",
    "malformed": "restore it from a backup, or move it away to begin anew",
    # PostgreSQL; the texts are those of its server and of libpq
    "pg_hba.conf": "does pg_hba.conf of the server let this user in from here?",
    "password": f"are user and password in SIGNALS_DATABASE_URL right? {_ESCAPES}",
    "authentication failed": "does pg_hba.conf of the server let this user in from here?",
    "connection slots": "raise max_connections of the server, or end sessions that are not needed",
    "too many": "raise max_connections of the server, or end sessions that are not needed",
    "permission denied": "give the user the right: it should own the database and its tables",
    'role "': "make the user: CREATE ROLE … LOGIN PASSWORD '…'",
    'database "': "make it: CREATE DATABASE … OWNER … TEMPLATE template0 ENCODING 'UTF8'",
    "no space": "free disk space on the database server",
    "could not extend": "free disk space on the database server",
    "read-only transaction": "this is a standby or was set to read only: name the server that may be written",
    "during recovery": "this is a standby: name the server that may be written",
    "lock timeout": "another session holds it: see pg_locks and pg_stat_activity on the server, or wait",
    "idle-in-transaction": "this process stood still in the middle of its work; it begins anew",
    "deadlock": "two sessions were in each other's way; it is tried again",
    "starting up": "the server will be there in a moment",
    "shutting down": "the server is being stopped or started anew",
    "administrator command": "the server was stopped, or somebody ended our session",
    "recovery mode": "the server is starting after a crash",
    "resolve": "is the host's name in SIGNALS_DATABASE_URL right?",
    "translate host": "is the host's name in SIGNALS_DATABASE_URL right?",
    "connection": "is the server up, and the URL right?",
}
"""By words of the error, the more telling ones first."""


@contextmanager
def own_errors(name: str) -> Iterator[None]:
    """Raise StoreError for what the driver raises. `name`: of the database, without secrets."""
    try:
        yield
    except DBAPIError as error:
        problem = str(error.orig).strip() or type(error.orig).__name__
        raise StoreError(name, problem.splitlines()[0], mend(problem)) from error
    except TimeoutError as error:  # of SQLAlchemy's pool
        raise StoreError(name, "all connections of this process are in use", "wait, or start it anew") from error


def mend(problem: str) -> str:
    """What a person can do about it; empty where nothing is known."""
    return next((mend for words, mend in _MENDS.items() if words in problem.lower()), "")
