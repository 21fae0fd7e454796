"""What a person can do about what is wrong, by the words that say so."""

_BY_WORD: dict[str, tuple[tuple[str, str], ...]] = {
    "source": (
        ("http_410", "its server has ended it: find its new address, or set enabled = false in its row of feeds.toml"),
        ("http_404", "it has moved or ended: correct the url in its row of feeds.toml"),
        ("http_401", "it wants a login: see its terms, or set enabled = false in its row of feeds.toml"),
        ("http_403", "it refuses us: set sources.contact in config/signals.toml, or ask it less often (every_s)"),
        ("http_5", "its server is at fault: wait"),
        ("rate_limited", "it is asked less often by itself; raise every_s in its row of feeds.toml if this stays"),
        ("configuration", "correct its row of feeds.toml"),
        ("private_address", "set allow_private = true in its row if its address is meant to be private"),
        ("not_a_feed", "look at its url in a browser: correct it in feeds.toml"),
        ("missing_folder", "make the folder, or correct path in its row of feeds.toml"),
        ("", "look at its url in a browser; `signals jobs run ingest` asks it again"),
    ),
    "prices": (
        ("rate_limited", "Yahoo wants fewer requests: it is left alone for a while by itself; prices are then stale"),
        ("other_scale", "Yahoo answers at another scale: see `signals jobs history --job prices`"),
        ("", "see `signals jobs history --job prices`; is the network there?"),
    ),
    "store": (
        ("locked", "another process holds it: end that one, or wait"),
        ("full", "free disk space under SIGNALS_HOME"),
        ("readonly", "may this user write to it and its folder?"),
        ("malformed", "restore it from a backup"),
        ("no answer", "another process holds it, or its server hangs"),
        ("", "see SIGNALS_DATABASE_URL, and whether its server is up"),
    ),
    "broker": (
        ("no server of this home", "start `signals serve`, or `signals broker`"),
        ("refuses the login", "check the user and password in SIGNALS_REDIS_URL"),
        ("memory", "raise its maxmemory"),
        ("write to its disk", "free disk space where Redis keeps its files"),
        ("", "start it, or check SIGNALS_REDIS_URL; signals wait in the outbox, none is lost"),
    ),
    "disk": (("", "free disk space under SIGNALS_HOME"),),
    "clock": (("", "let it be set by NTP (chrony, systemd-timesyncd)"),),
    "services": (("", "start it again; one that is gone for good is forgotten after a day"),),
    "model": (("", "`signals train --force` makes a new one; or delete model/ in the home to use the shipped one"),),
}
"""By what it is of: words, and the mend where the fault has them; the last, empty word is in every fault."""


def mend_of(fault: str, of: str) -> str:
    """The first mend whose word stands in the fault.

    >>> mend_of("database is locked", "store")
    'another process holds it: end that one, or wait'
    """
    return next(mend for word, mend in _BY_WORD[of] if word in fault.lower())
