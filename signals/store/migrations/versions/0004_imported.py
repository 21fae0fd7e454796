"""Which headlines are imported history; an index in the order in which headlines are taken."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make them; no headline kept so far was imported."""
    op.add_column("headlines", sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("headlines") as batch:
        batch.alter_column("imported", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    op.drop_index(op.f("ix_headlines_scored_at"), "headlines")
    op.create_index(
        "ix_headlines_turn", "headlines", ["scored_at", "imported", "backfilled", "known_at", "headline_id"]
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_index("ix_headlines_turn", "headlines")
    op.create_index(op.f("ix_headlines_scored_at"), "headlines", ["scored_at"])
    op.drop_column("headlines", "imported")
