"""Every error this product raises on purpose: one root, transient or permanent, fields instead of sentences.

A transient error may pass by itself: the runner retries it. A permanent one names the file, key,
row or address that is wrong, and the mend; retrying would only repeat it.
"""

from typing import ClassVar


class SignalsError(Exception):
    """Root of all errors raised on purpose.

    Parameters
    ----------
    where : what is at fault: a file and key, a feed's id, a URL without its secrets.
    problem : what is wrong with it, in a few words.
    mend : what a person can do about it; empty where only waiting helps.
    """

    transient: ClassVar[bool] = False

    def __init__(self, where: str, problem: str, mend: str = "") -> None:
        super().__init__(where, problem, mend)
        self.where = where
        self.problem = problem
        self.mend = mend

    def __str__(self) -> str:
        line = f"{self.where}: {self.problem}"
        return f"{line} - {self.mend}" if self.mend else line


class TransientError(SignalsError):
    """Worth another try later."""

    transient: ClassVar[bool] = True


class PermanentError(SignalsError):
    """The same again until a person mends it."""


class ConfigError(PermanentError):
    """A setting, feed row or command-line value that cannot be used."""


class SourceError(TransientError):
    """A source of headlines gave no usable answer this time; `reason` is its short name for counting.

    Reasons: timeout, unreachable, refused, http_<status>, too_large, too_many_redirects,
    private_address, not_a_feed, empty_answer, rate_limited, other_shape, missing_folder.
    """

    def __init__(
        self, where: str, reason: str, problem: str, mend: str = "", *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(where, problem, mend)
        self.args = (where, reason, problem, mend)
        self.reason = reason
        self.retry_after_s = retry_after_s
        """Seconds that the server orders to wait; null where it doesn't."""


class PriceError(SourceError):
    """A source of prices gave no usable answer this time; same reasons as `SourceError`, and other_scale."""


class BrokerError(TransientError):
    """Redis cannot be reached, refuses us, or cannot be started."""


class StoreError(TransientError):
    """The database cannot be reached, is locked or full."""


class ModelError(PermanentError):
    """A model file that is missing, broken, or made for other features or versions."""


class MessageError(PermanentError):
    """Bytes that are no message of ours."""


class DataError(PermanentError):
    """History that research cannot use: bars of mixed series, a frame without a column, rows it must refuse."""


class WorkerError(TransientError):
    """A process or a cluster that was to do a part of the work died, or cannot be reached."""


class DeadlineError(TransientError):
    """A job ran longer than its `timeout_s`."""
