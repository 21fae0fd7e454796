"""Tables. Every time is UTC; prices are JPY per USD; JSON columns hold lists and objects as in `model`."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC datetime; SQLite, which knows no zones, keeps the bare UTC time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse naive times: they would be read back as another instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time cannot be stored: {value!r}")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Words(sa.types.TypeDecorator[str]):
    """A text of any length. PostgreSQL has no character NUL: there U+FFFD stands for it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What the database can keep of it."""
        if value is None or dialect.name == "sqlite":
            return value
        return value.replace("\0", "\ufffd")


def _id(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(80), nullable=False, primary_key=primary_key)


def _at(name: str, *, nullable: bool = False) -> sa.Column[dt.datetime]:
    return sa.Column(name, Utc, nullable=nullable)


headlines = sa.Table(
    "headlines",
    metadata,
    _id("headline_id", primary_key=True),
    _id("source"),
    sa.Column("item_id", sa.String(80), nullable=False),
    sa.Column("url", Words),
    sa.Column("title", Words, nullable=False),
    sa.Column("summary", Words, nullable=False),
    sa.Column("body", Words, nullable=False),
    sa.Column("lang", sa.String(8), nullable=False),
    _at("source_published_at", nullable=True),
    _at("known_at"),
    sa.Column("backfilled", sa.Boolean, nullable=False),
    # What the pipeline made of it; null while it waits.
    _at("scored_at", nullable=True),
    sa.Column("story_id", sa.String(80)),
    sa.Column("skip_reason", sa.String(40)),
    # It is history that someone brought: it waits behind the news, and what is made of it stays in the store.
    sa.Column("imported", sa.Boolean, nullable=False),
    # Its source's list lacked it, for the first time; null while it is there, or was never looked for.
    _at("missing_at", nullable=True),
    sa.Index(None, "known_at"),
    sa.Index(None, "scored_at"),
    sa.Index(None, "story_id"),
    sa.Index(None, "item_id"),
    sa.Index(None, "source", "known_at"),
)

sa.Index(
    "ix_headlines_waiting",  # in the order in which they are taken
    headlines.c.imported, headlines.c.backfilled, headlines.c.known_at, headlines.c.headline_id,
    sqlite_where=headlines.c.scored_at.is_(None), postgresql_where=headlines.c.scored_at.is_(None),
)  # fmt: skip

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    _id("headline_id", primary_key=True),
    _at("known_at"),
    sa.Column("reason", sa.String(40), nullable=False),
    # The step that took it; null while it waits.
    _at("taken_at", nullable=True),
    sa.Index(None, "taken_at"),
)

imports = sa.Table(
    "imports",
    metadata,
    _id("import_id", primary_key=True),
    sa.Column("name", Words, nullable=False),
    # Rows, or windows of time, that are done.
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    _at("started_at"),
    _at("updated_at"),
    _at("ended_at", nullable=True),
)

stories = sa.Table(
    "stories",
    metadata,
    _id("story_id", primary_key=True),
    _at("first_known_at"),
    sa.Column("headline_ids", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)

scores = sa.Table(
    "scores",
    metadata,
    _id("headline_id", primary_key=True),
    _id("model_id", primary_key=True),
    sa.Column("relevance", sa.Double, nullable=False),
    sa.Column("relevant", sa.Boolean, nullable=False),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("p_up", sa.Double, nullable=False),
    sa.Column("p_flat", sa.Double, nullable=False),
    sa.Column("p_down", sa.Double, nullable=False),
    sa.Column("usd_effect", sa.Double, nullable=False),
    sa.Column("jpy_effect", sa.Double, nullable=False),
    sa.Column("topics", sa.JSON, nullable=False),
    sa.Column("lang", sa.String(8), nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("intercept", sa.Double, nullable=False),
    sa.Column("abstained", sa.Boolean, nullable=False),
    sa.Column("abstain_reason", sa.String(40)),
)

bars = sa.Table(
    "bars",
    metadata,
    _id("pair", primary_key=True),
    _id("source", primary_key=True),
    sa.Column("open_at", Utc, primary_key=True),
    sa.Column("close_at", Utc, primary_key=True),
    # A bar read again with other prices is a new version; who asks as of t sees what was known by t.
    sa.Column("known_at", Utc, primary_key=True),
    sa.Column("length_s", sa.Integer, nullable=False),
    sa.Column("open", sa.Double, nullable=False),
    sa.Column("high", sa.Double, nullable=False),
    sa.Column("low", sa.Double, nullable=False),
    sa.Column("close", sa.Double, nullable=False),
    sa.Index(None, "close_at"),
    sa.Index(None, "source", "length_s", "close_at"),
)

signals = sa.Table(
    "signals",
    metadata,
    _id("signal_id", primary_key=True),
    _id("headline_id"),
    _id("story_id"),
    _at("known_at"),
    _at("scored_at"),
    _at("valid_until"),
    _at("retracted_at", nullable=True),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("strength", sa.Double, nullable=False),
    sa.Column("title", Words, nullable=False),
    _id("source"),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index(None, "known_at"),
    sa.Index(None, "story_id"),
    sa.Index(None, "valid_until"),
)

forward_returns = sa.Table(
    "forward_returns",
    metadata,
    _id("signal_id", primary_key=True),
    sa.Column("horizon_s", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    _at("entry_at", nullable=True),
    sa.Column("entry_price", sa.Double),
    _at("exit_at", nullable=True),
    sa.Column("exit_price", sa.Double),
    sa.Column("return_bp", sa.Double),
    sa.Column("cost_bp", sa.Double),
    sa.Column("source", sa.String(80)),
    _at("settled_at"),
    sa.Index(None, "settled_at"),
)

indexes = sa.Table(
    "indexes",
    metadata,
    # The step that told it.
    sa.Column("at", Utc, primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("half_life_s", sa.Double, nullable=False),
    sa.Column("n_signals", sa.Integer, nullable=False),
    sa.Column("n_sources", sa.Integer, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _id("epoch", primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("message_id", sa.String(80), nullable=False, unique=True),
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("event", sa.LargeBinary, nullable=False),
    _at("valid_until"),
    _at("published_at", nullable=True),
    sa.Index(None, "published_at"),
)

channel = sa.Table(
    "channel",
    metadata,
    _id("name", primary_key=True),
    _id("epoch"),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    # Steps of the pipeline so far: who remembers what it knew after step N need not read it again.
    sa.Column("steps", sa.BigInteger, nullable=False),
)

feed_states = sa.Table(
    "feed_states",
    metadata,
    _id("source", primary_key=True),
    sa.Column("etag", Words),
    sa.Column("last_modified", Words),
    _at("last_attempt_at", nullable=True),
    _at("last_success_at", nullable=True),
    sa.Column("last_error", Words),
    sa.Column("failures", sa.Integer, nullable=False),
    _at("next_attempt_at", nullable=True),
    # How its last answers ended, newest last: "." well, "x" badly.
    sa.Column("recent", sa.String(20), nullable=False, server_default=""),
)

source_days = sa.Table(
    "source_days",
    metadata,
    _id("source", primary_key=True),
    # UTC.
    sa.Column("day", sa.Date, primary_key=True),
    *(
        sa.Column(name, sa.Integer, nullable=False)
        for name in ("asked", "unchanged", "failed", "seen", "new", "withdrawn")
    ),
    # How often each reason was given.
    sa.Column("failures", sa.JSON, nullable=False),
    sa.Index(None, "day"),
)

job_runs = sa.Table(
    "job_runs",
    metadata,
    _id("run_id", primary_key=True),
    _id("job"),
    sa.Column("trigger", sa.String(20), nullable=False),
    _at("scheduled_at", nullable=True),
    _at("started_at"),
    _at("ended_at", nullable=True),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("error", Words),
    sa.Column("notes", sa.JSON, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Index(None, "job", "started_at"),
    sa.Index(None, "started_at"),
)

job_pauses = sa.Table(
    "job_pauses",
    metadata,
    _id("job", primary_key=True),
    _at("paused_at"),
    # When it goes on by itself.
    _at("until", nullable=True),
    sa.Column("why", Words, nullable=False),
)

alerts = sa.Table(
    "alerts",
    metadata,
    _id("alert_id", primary_key=True),
    _id("key"),
    sa.Column("severity", sa.String(10), nullable=False),
    _at("first_seen_at"),
    # Null while it has not held long enough to be told.
    _at("opened_at", nullable=True),
    _at("last_seen_at"),
    _at("clear_since", nullable=True),
    _at("repeated_at", nullable=True),
    _at("closed_at", nullable=True),
    sa.Column("text", Words, nullable=False),
    sa.Column("mend", Words, nullable=False),
    sa.Index(None, "closed_at"),
)

sa.Index(
    "ux_alerts_standing",  # of each key one alert stands at a time, however many judge
    alerts.c.key, unique=True, sqlite_where=alerts.c.closed_at.is_(None), postgresql_where=alerts.c.closed_at.is_(None),
)  # fmt: skip

notices = sa.Table(
    "notices",
    metadata,
    _id("notice_id", primary_key=True),
    # By which way it is sent: redis, webhook, apprise.
    sa.Column("way", sa.String(20), primary_key=True),
    _at("made_at"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    # Not to be tried before; whoever sends it moves this ahead, so that nobody else does.
    _at("next_try_at"),
    sa.Column("tries", sa.Integer, nullable=False),
    _at("sent_at", nullable=True),
    sa.Column("error", Words),
    sa.Index(None, "sent_at", "next_try_at"),
)

watches = sa.Table(
    "watches",
    metadata,
    _id("name", primary_key=True),
    # When it last judged.
    _at("at"),
)

leases = sa.Table(
    "leases",
    metadata,
    # What is led: one row for all services of a store.
    _id("name", primary_key=True),
    # The instance that leads; null where nobody does.
    sa.Column("holder", sa.String(80)),
    # Grows with each change of hands: what a leader of a smaller one still writes is refused.
    sa.Column("token", sa.BigInteger, nullable=False),
    # Grows each second while its holder lives. Nobody compares clocks.
    sa.Column("beats", sa.BigInteger, nullable=False),
)

members = sa.Table(
    "members",
    metadata,
    # The services of this store, whether they lead or stand by.
    _id("instance", primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("home", sa.Text, nullable=False),
    # The address of its HTTP port.
    sa.Column("console", sa.Text),
    sa.Column("leads", sa.Boolean, nullable=False),
    # Whether it reaches Redis.
    sa.Column("broker_ok", sa.Boolean, nullable=False),
    sa.Column("beats", sa.BigInteger, nullable=False),
    # How often it stored news and rang for the leader to publish it.
    sa.Column("rings", sa.BigInteger, nullable=False),
    # By its own clock: for people, and nothing is decided by it.
    _at("seen_at"),
)
