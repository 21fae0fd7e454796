"""All checks, in the order in which they are told."""

from typing import NamedTuple


class Check(NamedTuple):
    """One check: a function that takes what is `Seen` and gives lines."""

    name: str
    looks_at: str
    within_s: float
    """Its deadline: what has not answered by then is told as such."""
    where: str
    """Module and function, loaded when it runs."""
    wants_settings: bool = True
    """Whether it needs settings that could be read."""


TABLE = (
    Check("python", "the interpreter", 5, "packages:python", wants_settings=False),
    Check("packages", "direct dependencies against the lock", 10, "packages:packages", wants_settings=False),
    Check("extras", "optional parts", 10, "packages:extras", wants_settings=False),
    Check("settings", "files of settings, variables", 5, "files:settings"),
    Check("home", "the home and its disk", 5, "home:home"),
    Check("secrets", "who may read the secrets", 5, "home:secrets"),
    Check("service", "the process, its heartbeat, its own word", 10, "service:service"),
    Check("services", "who leads, and who would take over", 10, "services:services"),
    Check("state", "all of it in one sentence", 10, "state:state"),
    Check("port", "the ports on this machine", 10, "ports:ports"),
    Check("database", "whether it opens and is up to date", 10, "database:database"),
    Check("database:lock", "whether somebody keeps others from writing", 10, "database:lock"),
    Check("database:integrity", "whether the file is whole", 20, "database:integrity"),
    Check("redis", "whether it answers, takes and keeps what it is given", 10, "broker:broker"),
    Check("channel", "whether Redis has all that the store has", 10, "broker:channel"),
    Check("jobs", "the last run of each", 10, "job_runs:job_runs"),
    Check("alerts", "those that are open", 10, "alerts:alerts"),
    Check("feeds", "what each last gave, and answers now", 30, "feeds:feeds"),
    Check("prices", "age and holes of the bars", 10, "prices:prices"),
    Check("model", "the file in place", 20, "model:model"),
    Check("clock", "ours against others", 30, "clock:clock"),
    Check("clock:zones", "data of the time zones", 5, "clock:zones", wants_settings=False),
)
