"""Items and their withdrawal; which headline made a signal; a count of steps; imports of history."""

import sqlalchemy as sa
from alembic import op

from signals.store.schema import Utc
from signals.text import item_id, stable_id

revision = "0003"
down_revision = "0002"
_BATCH = 10_000


def upgrade() -> None:
    """Make them; old headlines get their item by their address, old signals their headline by their id."""
    for table, column in (
        ("headlines", sa.Column("item_id", sa.String(80), nullable=False, server_default="")),
        ("headlines", sa.Column("missing_at", Utc, nullable=True)),
        ("signals", sa.Column("headline_id", sa.String(80), nullable=False, server_default="")),
        ("signals", sa.Column("retracted_at", Utc, nullable=True)),
        ("channel", sa.Column("steps", sa.BigInteger(), nullable=False, server_default="0")),
    ):
        op.add_column(table, column)
    _name_items(op.get_bind())
    _name_headlines(op.get_bind())
    text = sa.String(80)
    for table, name, kind in (
        ("headlines", "item_id", text),
        ("signals", "headline_id", text),
        ("channel", "steps", sa.BigInteger()),
    ):
        with op.batch_alter_table(table) as batch:
            batch.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
    op.create_index(op.f("ix_headlines_item_id"), "headlines", ["item_id"], unique=False)
    op.create_index(op.f("ix_headlines_source_known_at"), "headlines", ["source", "known_at"], unique=False)
    op.create_index(op.f("ix_signals_story_id"), "signals", ["story_id"], unique=False)
    op.create_table(
        "withdrawals",
        sa.Column("headline_id", sa.String(80), nullable=False),
        sa.Column("known_at", Utc, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("taken_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("headline_id", name=op.f("pk_withdrawals")),
    )
    op.create_index(op.f("ix_withdrawals_taken_at"), "withdrawals", ["taken_at"], unique=False)
    op.create_table(
        "imports",
        sa.Column("import_id", sa.String(80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("updated_at", Utc, nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_table("imports")
    op.drop_table("withdrawals")
    op.drop_index(op.f("ix_signals_story_id"), "signals")
    op.drop_index(op.f("ix_headlines_source_known_at"), "headlines")
    op.drop_index(op.f("ix_headlines_item_id"), "headlines")
    op.drop_column("channel", "steps")
    op.drop_column("signals", "retracted_at")
    op.drop_column("signals", "headline_id")
    op.drop_column("headlines", "missing_at")
    op.drop_column("headlines", "item_id")


def _name_items(conn: sa.Connection) -> None:
    kept = conn.execute(sa.text("SELECT headline_id, source, url FROM headlines WHERE url IS NOT NULL"))
    set_item = sa.text("UPDATE headlines SET item_id = :item WHERE headline_id = :id")
    for rows in kept.partitions(_BATCH):
        conn.execute(set_item, [{"id": row.headline_id, "item": item_id(row.source, row.url)} for row in rows])


def _name_headlines(conn: sa.Connection) -> None:
    kept = conn.execute(sa.text("SELECT headline_id FROM headlines WHERE scored_at IS NOT NULL"))
    set_headline = sa.text("UPDATE signals SET headline_id = :id WHERE signal_id = :signal")
    for rows in kept.partitions(_BATCH):
        named = [{"id": row.headline_id, "signal": stable_id("signal", row.headline_id)} for row in rows]
        conn.execute(set_headline, named)
