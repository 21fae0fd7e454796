"""Settings: `config/signals.toml`, overridden by the environment, decoded into types.

A key nobody knows, a wrong type or a bad value is one `ConfigError` that names the file and the key.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfoNotFoundError

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from jobs.objectives import Alerts, Freshness, SourceOverride
from jobs.wire import TLS, WAYS, Ways, redis_url, signing_key, verify_key, ways
from signals.errors import ConfigError
from signals.market.events import Event
from signals.model import Policy
from signals.research.rules import Costs
from signals.sources import KINDS
from signals.sources.feed import Feed

_NEEDED = {"rss": "url", "articles": "path"}
ENV = "SIGNALS_"
NAMED = (
    "SIGNALS_HOME",
    "SIGNALS_REDIS_URL",
    *TLS,
    "SIGNALS_SIGNING_KEY",
    "SIGNALS_VERIFY_KEY",
    *WAYS,
    "SIGNALS_DATABASE_URL",
    "SIGNALS_BROKER_PORT",
    "SIGNALS_CONSOLE_PORT",
    "SIGNALS_OTLP_ENDPOINT",
)
"""Variables of their own; any other setting is SIGNALS__SECTION__KEY."""
KNOWN = (*NAMED, "SIGNALS_TOKEN")
"""All variables that something reads, by name."""

_UNKNOWN = re.compile("Object contains unknown field `(.+)`")

T = TypeVar("T")

_ROOT = Path(__file__).resolve().parent.parent

Seconds = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file; unknown keys are errors."""


class Job(Section, frozen=True, kw_only=True):
    """Schedule of one job."""

    every_s: Seconds
    timeout_s: Seconds
    grace_s: Seconds
    """How late a run may still start; later it is recorded as missed."""
    enabled: bool = True


class Retention(Job, frozen=True, kw_only=True):
    """Schedule and limits of the retention job."""

    keep_runs_days: Seconds = 30
    keep_logs_days: Seconds = 30


class Jobs(Section, frozen=True, kw_only=True):
    """All jobs of the service."""

    ingest: Job
    inbox: Job
    prices: Job
    publish: Job
    scorecard: Job
    train: Job
    retention: Retention
    heartbeat: Job
    watchdog: Job


class Service(Section, frozen=True, kw_only=True):
    """How the service is minded."""

    kill_after_s: Seconds = 30
    """So long beyond its timeout_s a hung run may go on before the service is killed and started anew."""
    lease_s: Annotated[int, Meta(ge=3, le=60)] = 4
    """After so long without a sign of life of who leads, another service of the same store takes over."""


class Seeds(Section, frozen=True, kw_only=True):
    """Where the shipped data lies."""

    headlines: Path
    prices: Path
    model: Path


class Prices(Section, frozen=True, kw_only=True):
    """The price source."""

    symbol: str = "USDJPY=X"
    enabled: bool = True
    reference_url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$")] = (
        "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml"
    )
    """Where the ECB's reference rates are asked for while Yahoo gives nothing; empty: nowhere."""
    quotes: bool = False
    """Whether the service keeps the last live quote of Yahoo's stream."""
    quotes_url: Annotated[str, Meta(pattern=r"^wss?://\S+$")] = "wss://streamer.finance.yahoo.com/?version=2"
    quotes_silence_s: Seconds = 60
    """After so long without a quote in an open market the line is made anew."""


class Workers(Section, frozen=True, kw_only=True):
    """Scoring by `signals work`: how workers share the inbox, and what the service makes of it."""

    enabled: bool = False
    """Whether the service leaves the scoring of the inbox to workers and takes what they hand on."""
    batch: Annotated[int, Meta(ge=1, le=1000)] = 200
    """Entries that a worker is given at once."""
    scored_max: Annotated[int, Meta(ge=1)] = 5000
    """With so many handed on and not stored yet, workers wait."""
    reclaim_after_s: Annotated[float, Meta(gt=0)] = 15.0
    """What a worker has not handed on after so long is taken over, and a worker that scores for so long is ended."""
    max_deliveries: Annotated[int, Meta(ge=1)] = 3
    """An entry whose worker died so often becomes a dead letter."""
    silence_s: Annotated[float, Meta(gt=0)] = 15.0
    """After so long without a word of any worker the service scores by itself."""
    inbox_max: Annotated[int, Meta(ge=1)] = 100_000
    """With more entries waiting than this, something is found to be wrong."""


class Sources(Section, frozen=True, kw_only=True):
    """How sources are asked."""

    contact: str = ""
    """A mail address or web page of whoever runs this, told to every server in the User-Agent; empty: none."""


class Console(Section, frozen=True, kw_only=True):
    """The service's HTTP port; its number is SIGNALS_CONSOLE_PORT."""

    host: Annotated[str, Meta(pattern=r"^[0-9A-Za-z.:-]+$")] = "127.0.0.1"
    """Address that is listened on. Anything but loopback wants the token for reads too."""
    names: tuple[str, ...] = ()
    """Host names by which browsers reach it, besides localhost and addresses."""


class _File(Section, frozen=True, kw_only=True):
    """The settings file as it is written."""

    feeds: Path
    events: Path | None = None
    costs: Path | None = None
    seeds: Seeds
    jobs: Jobs
    service: Service = Service()
    policy: Policy = Policy()
    prices: Prices = Prices()
    sources: Sources = Sources()
    workers: Workers = Workers()
    console: Console = Console()
    freshness: Freshness = Freshness()
    alerts: Alerts = Alerts()


class _EventsFile(Section, frozen=True, kw_only=True):
    event: tuple[Event, ...] = ()


class _FeedsFile(Section, frozen=True, kw_only=True):
    feed: list[Feed] = []


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a command needs to know. Paths are absolute."""

    path: Path
    home: Path
    feeds: tuple[Feed, ...]
    events: tuple[Event, ...] = ()
    costs: Costs | None = None
    """What trading costs in a backtest; null where no file of costs is named."""
    seeds: Seeds
    jobs: Jobs
    service: Service = Service()
    policy: Policy
    prices: Prices
    sources: Sources = Sources()
    workers: Workers = Workers()
    console: Console = Console()
    freshness: Freshness = Freshness()
    """What counts as fresh: the file's table, and what the rows of the feeds have of their own."""
    alerts: Alerts = Alerts()
    ways: Ways = Ways()
    """Where alerts are sent besides Redis."""
    database_url: str
    redis_url: str | None
    signing_key: str | None = None
    """`hmac:SECRET` or `ed25519:FILE`; null: messages are not signed."""
    verify_key: str | None = None
    """The same with the public key; null: who follows the signals does not check them."""
    broker_port: int
    console_port: int


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file (default: `config/signals.toml` here, else beside this code) and the environment.

    Raises
    ------
    ConfigError : names the file and key, or the variable, and the mend.
    """
    found = _locate(path)
    tree = _tree(found)
    overridden = {_override(tree, name, raw): name for name, raw in environ.items() if name.startswith(f"{ENV}_")}
    file = _decode(tree, _File, found, overridden)
    base = found.parent
    feeds = _feeds(_absolute(base, file.feeds))
    home = Path(environ.get("SIGNALS_HOME") or base.parent / "var").expanduser().absolute()
    return Settings(
        path=found,
        home=home,
        feeds=feeds,
        events=_events(_absolute(base, file.events)) if file.events else (),
        costs=_costs(_absolute(base, file.costs)) if file.costs else None,
        seeds=Seeds(**{name: _absolute(base, getattr(file.seeds, name)) for name in Seeds.__struct_fields__}),
        jobs=file.jobs,
        service=file.service,
        policy=file.policy,
        prices=file.prices,
        sources=file.sources,
        workers=file.workers,
        console=file.console,
        freshness=_freshness(file.freshness, feeds, found),
        alerts=file.alerts,
        ways=ways(environ),
        database_url=environ.get("SIGNALS_DATABASE_URL") or _sqlite(home / "signals.db"),
        redis_url=redis_url(environ),
        signing_key=signing_key(environ),
        verify_key=verify_key(environ),
        broker_port=_port("SIGNALS_BROKER_PORT", environ, 6379),
        console_port=_port("SIGNALS_CONSOLE_PORT", environ, 8080),
    )


def _locate(path: Path | None) -> Path:
    here = Path("config/signals.toml")
    found = path or (here if here.exists() else _ROOT / here)
    if not found.is_file():
        raise ConfigError(str(found), "no such settings file", "name one with --config FILE")
    return found.absolute()


def _tree(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from error


def _override(tree: dict[str, Any], name: str, raw: str) -> str:
    *sections, key = name.removeprefix(f"{ENV}_").lower().split("__")
    table = tree
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(name, f"{section!r} is no table of settings", "see config/signals.toml for the names")
    try:
        table[key] = tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        table[key] = raw  # a bare word is a text
    return ".".join((*sections, key))


def _decode(tree: Any, wanted: type[T], path: Path, overridden: Mapping[str, str] | None = None) -> T:
    try:
        return msgspec.convert(tree, wanted, dec_hook=_path)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        key = where.rstrip("`").lstrip(".")
        unknown = _UNKNOWN.fullmatch(problem)
        named = ".".join(part for part in (key, unknown and unknown[1]) if part)
        place = (overridden or {}).get(named) or f"{path}: {key or 'top level'}"
        raise ConfigError(place, _plain(problem), f"the shipped config/{path.name} shows what it may be") from error


def _path(wanted: type, value: object) -> Path:
    if wanted is not Path or not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    return Path(value)


def _plain(problem: str) -> str:
    """Msgspec's words, with the file's own: a field is a key."""
    return problem.replace("Object contains unknown field", "unknown key").replace(
        "Object missing required field", "missing key"
    )


def _feeds(path: Path) -> tuple[Feed, ...]:
    feeds = _decode(_tree(path), _FeedsFile, path).feed
    seen: set[str] = set()
    for number, feed in enumerate(feeds, 1):
        row = f"{path}: feed {number} ({feed.id})"
        if feed.id in seen:
            raise ConfigError(row, "this id stands twice", "ids name sources in logs and signals: make it unique")
        seen.add(feed.id)
        needed = _NEEDED.get(feed.kind)
        if feed.kind not in KINDS:
            raise ConfigError(row, f"unknown kind {feed.kind!r}", f"one of {', '.join(KINDS)}")
        if needed and not getattr(feed, needed):
            raise ConfigError(row, f"kind {feed.kind} needs a {needed}", f'write {needed} = "…" into its row')
    return tuple(
        msgspec.structs.replace(feed, path=_absolute(path.parent, feed.path)) if feed.path else feed for feed in feeds
    )


def _freshness(file: Freshness, feeds: tuple[Feed, ...], path: Path) -> Freshness:
    """The objectives, with those that rows of feeds have of their own. Raises ConfigError for names nobody has."""
    known = {"sources": {feed.id for feed in feeds}, "jobs": set(Jobs.__struct_fields__), "prices": {"yahoo", "ecb"}}
    for table, names in known.items():
        for name in getattr(file, table).keys() - names:
            where = f"{path}: freshness.{table}.{name}"
            raise ConfigError(where, "there is none of that name", f"one of {', '.join(sorted(names))}")
    rows = {feed.id: _own_objectives(feed, path.with_name("feeds.toml")) for feed in feeds if feed.freshness}
    return msgspec.structs.replace(file, sources=rows | file.sources)


def _own_objectives(feed: Feed, path: Path) -> SourceOverride:
    named = {key: f"{path}: feed {feed.id}: freshness.{key}" for key in feed.freshness}
    return _decode(feed.freshness, SourceOverride, path, named)


def _events(path: Path) -> tuple[Event, ...]:
    try:
        return _decode(_tree(path), _EventsFile, path).event
    except ZoneInfoNotFoundError as error:
        raise ConfigError(str(path), f"zone: {error.args[0]}", "an IANA name such as Asia/Tokyo") from error


def _costs(path: Path) -> Costs:
    return _decode(_tree(path), Costs, path)


def _absolute(base: Path, path: Path) -> Path:
    return Path(os.path.normpath(base / path.expanduser()))


def _sqlite(path: Path) -> str:
    """SQLAlchemy's URL of a file, whatever characters its path has."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def _port(name: str, environ: Mapping[str, str], default: int) -> int:
    raw = environ.get(name) or str(default)
    if not raw.isdecimal() or int(raw) > 65535:
        raise ConfigError(name, f"{raw!r} is no port", "a number from 0 (take a free one) to 65535")
    return int(raw)
