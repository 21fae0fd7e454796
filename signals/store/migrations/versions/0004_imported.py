"""Which headlines are imported history; an index of those that wait, in the order in which they are taken."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make them; no headline kept so far was imported."""
    op.add_column("headlines", sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("headlines") as batch:
        batch.alter_column("imported", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    waiting = sa.text("scored_at IS NULL")
    op.create_index(
        "ix_headlines_waiting",
        "headlines",
        ["imported", "backfilled", "known_at", "headline_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_index("ix_headlines_waiting", "headlines")
    op.drop_column("headlines", "imported")
