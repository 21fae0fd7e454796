"""Scores that were made elsewhere, kept until the step that wants them; a step that lacks one scores by itself."""

import functools
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy

import signals.scoring
import signals.text
from signals.model import Headline, Score

_MOST = 50_000
"""More are forgotten, the oldest first: they are scored anew."""


class HandedScores:
    """Scores by what they are of: the headline's id and its very words, since who sends again may send others."""

    def __init__(self) -> None:
        self._scores: OrderedDict[bytes, Score] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, headline: Headline, score: Score) -> None:
        """Keep one."""
        with self._lock:
            self._scores[_words(headline)] = score
            if len(self._scores) > _MOST:
                self._scores.popitem(last=False)

    def take(self, headlines: Iterable[Headline]) -> list[Score]:
        """Those of these headlines that there are; they are not kept any longer."""
        with self._lock:
            if not self._scores:
                return []
            found = [self._scores.pop(_words(headline), None) for headline in headlines]
        return [score for score in found if score is not None]


def _words(headline: Headline) -> bytes:
    parts = (headline.headline_id, headline.title, headline.summary, headline.body)
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def maker(model_id: str) -> str:
    """What makes a score what it is: the model, the words, the code and the libraries. Only equals make equal bytes."""
    return f"{model_id}:{_code()}"


@functools.cache
def _code() -> str:
    folder = Path(signals.scoring.__file__).parent
    found = hashlib.sha256(f"{np.__version__} {scipy.__version__}".encode())
    for path in sorted(one for one in folder.iterdir() if one.suffix in (".py", ".tsv", ".json")):
        found.update(path.name.encode() + path.read_bytes())
    found.update(Path(signals.text.__file__).read_bytes())
    return found.hexdigest()[:16]
