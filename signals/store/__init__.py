"""The store: SQLAlchemy Core over SQLite (by default) or PostgreSQL, the same statements on both.

`Store.open(url)` gives transactions (`read()`, `write()`); the modules beside it, one a table family,
are functions over a connection, so that one transaction can span several of them.
"""

from signals.store.database import Store

__all__ = ["Store"]
