"""The index as it was told; which signals are live."""

import sqlalchemy as sa
from alembic import op

from signals.store.schema import Utc

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "indexes",
        sa.Column("at", Utc, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("half_life_s", sa.Double(), nullable=False),
        sa.Column("n_signals", sa.Integer(), nullable=False),
        sa.Column("n_sources", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_indexes")),
    )
    op.create_index(op.f("ix_signals_valid_until"), "signals", ["valid_until"], unique=False)


def downgrade() -> None:
    """Take them back."""
    op.drop_index(op.f("ix_signals_valid_until"), "signals")
    op.drop_table("indexes")
