"""Which try of its job a run was; the jobs that someone paused."""

import sqlalchemy as sa
from alembic import op

from signals.store.schema import Utc

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make them; every run kept so far was the only try."""
    op.add_column("job_runs", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("job_runs") as batch:
        batch.alter_column("attempt", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    op.create_table(
        "job_pauses",
        sa.Column("job", sa.String(80), nullable=False),
        sa.Column("paused_at", Utc, nullable=False),
        sa.Column("until", Utc, nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_pauses")),
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_table("job_pauses")
    op.drop_column("job_runs", "attempt")
