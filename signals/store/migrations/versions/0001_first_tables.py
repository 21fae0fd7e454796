"""The first tables: headlines, stories, scores, bars, signals, outbox, feed states, job runs."""

import sqlalchemy as sa
from alembic import op

from signals.store.schema import Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "bars",
        sa.Column("pair", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("open_at", Utc, nullable=False),
        sa.Column("close_at", Utc, nullable=False),
        sa.Column("known_at", Utc, nullable=False),
        sa.Column("length_s", sa.Integer(), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("pair", "source", "open_at", "close_at", "known_at", name=op.f("pk_bars")),
    )
    op.create_index(op.f("ix_bars_close_at"), "bars", ["close_at"], unique=False)
    op.create_index(op.f("ix_bars_source_length_s_close_at"), "bars", ["source", "length_s", "close_at"], unique=False)
    op.create_table(
        "channel",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("epoch", sa.String(length=80), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channel")),
    )
    op.create_table(
        "feed_states",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("last_attempt_at", Utc, nullable=True),
        sa.Column("last_success_at", Utc, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_feed_states")),
    )
    op.create_table(
        "headlines",
        sa.Column("headline_id", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("lang", sa.String(length=8), nullable=False),
        sa.Column("source_published_at", Utc, nullable=True),
        sa.Column("known_at", Utc, nullable=False),
        sa.Column("backfilled", sa.Boolean(), nullable=False),
        sa.Column("scored_at", Utc, nullable=True),
        sa.Column("story_id", sa.String(length=80), nullable=True),
        sa.Column("skip_reason", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("headline_id", name=op.f("pk_headlines")),
    )
    op.create_index(op.f("ix_headlines_known_at"), "headlines", ["known_at"], unique=False)
    op.create_index(op.f("ix_headlines_scored_at"), "headlines", ["scored_at"], unique=False)
    op.create_index(op.f("ix_headlines_story_id"), "headlines", ["story_id"], unique=False)
    op.create_table(
        "job_runs",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("scheduled_at", Utc, nullable=True),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_job_runs")),
    )
    op.create_index(op.f("ix_job_runs_job_started_at"), "job_runs", ["job", "started_at"], unique=False)
    op.create_index(op.f("ix_job_runs_started_at"), "job_runs", ["started_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("epoch", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", Utc, nullable=False),
        sa.Column("published_at", Utc, nullable=True),
        sa.PrimaryKeyConstraint("epoch", "seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    op.create_index(op.f("ix_outbox_published_at"), "outbox", ["published_at"], unique=False)
    op.create_table(
        "scores",
        sa.Column("headline_id", sa.String(length=80), nullable=False),
        sa.Column("model_id", sa.String(length=80), nullable=False),
        sa.Column("relevance", sa.Double(), nullable=False),
        sa.Column("relevant", sa.Boolean(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("p_up", sa.Double(), nullable=False),
        sa.Column("p_flat", sa.Double(), nullable=False),
        sa.Column("p_down", sa.Double(), nullable=False),
        sa.Column("usd_effect", sa.Double(), nullable=False),
        sa.Column("jpy_effect", sa.Double(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("lang", sa.String(length=8), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("intercept", sa.Double(), nullable=False),
        sa.Column("abstained", sa.Boolean(), nullable=False),
        sa.Column("abstain_reason", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("headline_id", "model_id", name=op.f("pk_scores")),
    )
    op.create_table(
        "signals",
        sa.Column("signal_id", sa.String(length=80), nullable=False),
        sa.Column("story_id", sa.String(length=80), nullable=False),
        sa.Column("known_at", Utc, nullable=False),
        sa.Column("scored_at", Utc, nullable=False),
        sa.Column("valid_until", Utc, nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("strength", sa.Double(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_signals")),
    )
    op.create_index(op.f("ix_signals_known_at"), "signals", ["known_at"], unique=False)
    op.create_table(
        "stories",
        sa.Column("story_id", sa.String(length=80), nullable=False),
        sa.Column("first_known_at", Utc, nullable=False),
        sa.Column("headline_ids", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("story_id", name=op.f("pk_stories")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("stories")
    op.drop_index(op.f("ix_signals_known_at"), table_name="signals")
    op.drop_table("signals")
    op.drop_table("scores")
    op.drop_index(op.f("ix_outbox_published_at"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_job_runs_started_at"), table_name="job_runs")
    op.drop_index(op.f("ix_job_runs_job_started_at"), table_name="job_runs")
    op.drop_table("job_runs")
    op.drop_index(op.f("ix_headlines_story_id"), table_name="headlines")
    op.drop_index(op.f("ix_headlines_scored_at"), table_name="headlines")
    op.drop_index(op.f("ix_headlines_known_at"), table_name="headlines")
    op.drop_table("headlines")
    op.drop_table("feed_states")
    op.drop_table("channel")
    op.drop_index(op.f("ix_bars_source_length_s_close_at"), table_name="bars")
    op.drop_index(op.f("ix_bars_close_at"), table_name="bars")
    op.drop_table("bars")
