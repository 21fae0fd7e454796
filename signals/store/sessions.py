"""Names for a service's sessions in PostgreSQL: whoever takes over must know which to end."""

import sqlalchemy as sa

_CONNECT_S = 5
_IDLE_S = 60
"""A session that stands still in a transaction for so long is ended by the server: its process is stopped or gone."""
_UNHEARD_MS = 5000
"""A line whose bytes nobody acknowledges for so long is dead."""


def session_of(instance: str) -> str:
    """What the sessions of a service are called; the server cuts names of more than 63 bytes."""
    return f"signals {instance}"[:63]


def named(url: str, session: str) -> str:
    """The same address (SQLAlchemy's form) for sessions of this name, which do not outlive their service for long."""
    made = sa.make_url(url)
    if made.get_backend_name() != "postgresql":
        return url
    wanted = {
        "connect_timeout": str(_CONNECT_S),
        "tcp_user_timeout": str(_UNHEARD_MS),
        "options": f"-c idle_in_transaction_session_timeout={_IDLE_S}s",
    }
    missing = {name: value for name, value in wanted.items() if name not in made.query}
    return made.update_query_dict(missing | {"application_name": session}).render_as_string(hide_password=False)
