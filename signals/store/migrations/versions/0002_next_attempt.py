"""When a feed may be asked again, as its server wishes."""

import sqlalchemy as sa
from alembic import op

from signals.store.schema import Utc

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add it, unknown for all."""
    op.add_column("feed_states", sa.Column("next_attempt_at", Utc, nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("feed_states", "next_attempt_at")
