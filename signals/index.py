"""The index: where the live signals lean, taken together.

The mean of what each live signal leans to, `p_up - p_down`, weighted by relevance, by novelty, and by age with a
half-life::

    value(t) = sum(w_i * lean_i) / sum(w_i),   w_i = relevance_i * novelty_i * 2 ** (-(t - known_at_i) / half_life)

over the signals that stand for their story at t: not expired, not retracted, not superseded, not abstained. All weights
decay alike, so the value moves only when a signal comes or goes; `Running` makes use of that.
"""

import datetime as dt
import math
from collections.abc import Iterable
from typing import NamedTuple

from signals.message import Index, Retraction, Signal

_DIGITS = 6
_REBASE = 512
"""Half-lives after which the running sums are scaled anew: floats end near 2 ** 1024."""


class Voice(NamedTuple):
    """What a signal says to the index."""

    story_id: str
    signal_id: str
    source: str
    known_at: dt.datetime
    valid_until: dt.datetime
    weight: float
    """Relevance times novelty."""
    lean: float
    """p_up - p_down, [-1, 1]."""


def voice_of(signal: Signal) -> Voice:
    """What this signal says."""
    return Voice(
        signal.story_id,
        signal.signal_id,
        signal.source,
        signal.known_at,
        signal.valid_until,
        0.0 if signal.abstained else signal.relevance * signal.novelty,
        signal.p_up - signal.p_down,
    )


def decayed_mean(voices: Iterable[Voice], at: dt.datetime, half_life_s: float) -> float:
    """The value at a UTC time, in closed form; 0 where nothing has weight. The order of the voices does not matter."""
    heard = list(voices)
    newest = max((voice.known_at for voice in heard), default=at)  # the frame does not matter, but floats end
    weights = [v.weight * 2 ** ((v.known_at - newest).total_seconds() / half_life_s) for v in heard]
    total = math.fsum(weights)
    return math.fsum(w * v.lean for w, v in zip(weights, heard, strict=True)) / total if total else 0.0


class Voices:
    """The signals that stand, one a story, and the index that was last told of them.

    Parameters
    ----------
    half_life_s : seconds in which a signal loses half its weight.
    standing : signals that stand already.
    told : the index last told; null before the first.
    """

    def __init__(self, half_life_s: float, standing: Iterable[Voice] = (), told: Index | None = None) -> None:
        self._half_life_s = half_life_s
        self._of_story = {voice.story_id: voice for voice in standing}
        self._told = told

    def hear(self, told: Signal | Retraction) -> None:
        """A signal stands for its story in place of the one before; a retraction leaves none."""
        if isinstance(told, Retraction):
            self._of_story.pop(told.story_id, None)
        else:
            self._of_story[told.story_id] = voice_of(told)

    def follow(self, stories: Iterable[str], standing: Iterable[Voice], told: Index | None) -> None:
        """Of these stories these signals stand by now, and none for the others; this index was last told."""
        for story_id in stories:
            self._of_story.pop(story_id, None)
        self._of_story |= {voice.story_id: voice for voice in standing}
        self._told = told

    def change(self, at: dt.datetime) -> Index | None:
        """The index at a UTC time, if it is another than the one last told; expired signals are dropped."""
        self._of_story = {story: voice for story, voice in self._of_story.items() if voice.valid_until > at}
        heard = [voice for voice in self._of_story.values() if voice.weight > 0]
        index = Index(
            value=round(decayed_mean(heard, at, self._half_life_s), _DIGITS) + 0.0,
            half_life_s=self._half_life_s,
            n_signals=len(heard),
            n_sources=len({voice.source for voice in heard}),
        )
        if index == self._told or (self._told is None and not heard):
            return None
        self._told = index
        return index

    @property
    def next_expiry_at(self) -> dt.datetime | None:
        """When the next signal expires, UTC; null where none is live."""
        return min((voice.valid_until for voice in self._of_story.values()), default=None)

    @property
    def last_expiry_at(self) -> dt.datetime | None:
        """When the last signal expires, UTC; null where none is live."""
        return max((voice.valid_until for voice in self._of_story.values()), default=None)


class Running:
    """The same value, kept up one signal at a time: for histories that are too long to sum anew.

    Equal to `decayed_mean` but for the rounding of floats.
    """

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._frame: dt.datetime | None = None
        self._weights = self._leans = 0.0
        self._speaking = 0

    def add(self, voice: Voice) -> None:
        """A signal begins to speak."""
        self._speaking += 1
        self._change(voice, 1.0)

    def remove(self, voice: Voice) -> None:
        """It ends: it has expired, or was superseded or retracted."""
        self._speaking -= 1
        self._change(voice, -1.0)
        if not self._speaking:  # what rounding left behind is no lean
            self._frame, self._weights, self._leans = None, 0.0, 0.0

    @property
    def value(self) -> float:
        """The value now: it does not move between two changes."""
        return self._leans / self._weights if self._weights > 0 else 0.0

    def _change(self, voice: Voice, sign: float) -> None:
        if self._frame is None:
            self._frame = voice.known_at
        ahead = (voice.known_at - self._frame).total_seconds() / self._half_life_s
        if ahead > _REBASE:
            self._weights *= 2**-ahead
            self._leans *= 2**-ahead
            self._frame, ahead = voice.known_at, 0.0
        weight = sign * voice.weight * 2**ahead
        self._weights += weight
        self._leans += weight * voice.lean
