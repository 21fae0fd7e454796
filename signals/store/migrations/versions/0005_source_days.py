"""What each source did on each day."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
_COUNTS = ("asked", "unchanged", "failed", "seen", "new", "withdrawn")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "source_days",
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", name=op.f("pk_source_days")),
    )
    op.create_index(op.f("ix_source_days_day"), "source_days", ["day"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("source_days")
