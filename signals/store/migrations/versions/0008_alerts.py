"""Alerts, what is to be sent of them, when it was last judged, and how the last answers of a source ended."""

import sqlalchemy as sa
from alembic import op

from signals.store.schema import Utc

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String(80), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("first_seen_at", Utc, nullable=False),
        sa.Column("opened_at", Utc, nullable=True),
        sa.Column("last_seen_at", Utc, nullable=False),
        sa.Column("clear_since", Utc, nullable=True),
        sa.Column("repeated_at", Utc, nullable=True),
        sa.Column("closed_at", Utc, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mend", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_closed_at"), "alerts", ["closed_at"], unique=False)
    standing = sa.text("closed_at IS NULL")
    op.create_index(
        "ux_alerts_standing", "alerts", ["key"], unique=True, sqlite_where=standing, postgresql_where=standing
    )
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.String(80), nullable=False),
        sa.Column("way", sa.String(20), nullable=False),
        sa.Column("made_at", Utc, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("next_try_at", Utc, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", Utc, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("notice_id", "way", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_sent_at_next_try_at"), "notices", ["sent_at", "next_try_at"], unique=False)
    op.create_table(
        "watches",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watches")),
    )
    op.add_column("feed_states", sa.Column("recent", sa.String(20), nullable=False, server_default=""))


def downgrade() -> None:
    """Take them back."""
    op.drop_column("feed_states", "recent")
    op.drop_table("watches")
    op.drop_index(op.f("ix_notices_sent_at_next_try_at"), "notices")
    op.drop_table("notices")
    op.drop_index("ux_alerts_standing", "alerts")
    op.drop_index(op.f("ix_alerts_closed_at"), "alerts")
    op.drop_table("alerts")
