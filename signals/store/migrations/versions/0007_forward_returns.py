"""What the price did after each signal."""

import sqlalchemy as sa
from alembic import op

from signals.store.schema import Utc

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "forward_returns",
        sa.Column("signal_id", sa.String(80), nullable=False),
        sa.Column("horizon_s", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("entry_at", Utc, nullable=True),
        sa.Column("entry_price", sa.Double(), nullable=True),
        sa.Column("exit_at", Utc, nullable=True),
        sa.Column("exit_price", sa.Double(), nullable=True),
        sa.Column("return_bp", sa.Double(), nullable=True),
        sa.Column("cost_bp", sa.Double(), nullable=True),
        sa.Column("source", sa.String(80), nullable=True),
        sa.Column("settled_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_forward_returns")),
    )
    op.create_index(op.f("ix_forward_returns_settled_at"), "forward_returns", ["settled_at"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_forward_returns_settled_at"), "forward_returns")
    op.drop_table("forward_returns")
