"""Within a clause: whose it is, what of theirs, and what is done to it; signs multiply as grammar has it."""

from typing import NamedTuple

from signals.scoring.lexicon import Concept

SUBJECTS = {"price": "p", "bank": "k", "state": "s", "bond": "y", "other": "x"}
_LETTERS = {**SUBJECTS, "policy": "T", "talk": "A", "thing": "D", "quality": "Q", "event": "E", "move": "V",
            "cause": "C", "change": "H", "flip": "F", "hope": "h", "fear": "f", "flat": "o", "hold": "l",
            "less": "Q", "auction": "B", "stance": "N"}  # fmt: skip
_LONGEST_PATTERN = 5
_BY_PRICE = frozenset({"USBOND", "JPBOND"})
"""Bonds whose price is meant: their yields go the other way."""
_GROWTH = frozenset({"JOBS", "GROWTH", "CONSUMER", "HOUSING", "SURVEY"})
_AGAINST_FORECAST = frozenset({"STRONG", "WEAK"})
_MOVES = frozenset({"UP", "DOWN"})
_SOLD = frozenset({"CLING", "SELLRALLY", "PARE", "PAREUP"})
_LEVELS = frozenset({"CUT", "RAISE"})
_LEFT = frozenset({"quality", "policy", "talk"})
_POLICY = frozenset({"policy", "talk"})


class Reading(NamedTuple):
    """What one clause comes to: +1 for a higher USD/JPY, -1 for a lower one."""

    clause: str
    how: str
    """Of whom (`SUBJECTS`, n the next one, d nobody named, i before it if named in another clause; e an event,
    f a fear), and whether by verb (v), object (o) or noun (n)."""
    value: int
    pattern: str
    first: int
    last: int


class Noun:
    """Whose (side), what of theirs (thing, event) and how it is (quality); 0 where nothing is said."""

    __slots__ = (
        "event", "fear", "growth", "home", "hope", "how", "kind", "patient", "policy", "quality", "side", "stance",
        "thing",
    )  # fmt: skip

    def __init__(self, side: int, how: str) -> None:
        self.side, self.home, self.how = side, side, how
        self.thing = self.event = self.quality = 0
        self.kind = ""
        self.policy = self.fear = self.hope = self.growth = self.patient = self.stance = False

    def full(self) -> bool:
        """Does it say what, not only whose?"""
        return bool(self.thing or self.event or self.quality or self.fear or self.hope)

    def subject(self, concept: Concept) -> None:
        """Take whose it is: a price goes before a bank or country, a named one before another's."""
        if (self.kind == "p" or (self.kind and self.full())) and concept.role != "price":
            return
        if concept.role == "other" and self.kind:
            return
        self.side, self.kind = concept.sign, SUBJECTS[concept.role]
        self.home = -self.side if concept.name in _BY_PRICE else self.side
        self.how = self.kind

    def take(self, role: str, sign: int, name: str) -> None:
        """Take what it is or how it is."""
        if role in _POLICY:
            if not self.policy:
                if self.thing and role == "policy":  # `soft CPI clears Fed to cut`: soft was the figure
                    self.quality = 0
                self.thing, self.policy = sign, True
            elif role == "policy" and self.patient:  # `patient on cuts`
                self.thing = -sign
            self.patient = self.patient or name == "PATIENT"
        elif name == "YIELD" and self.side != self.home:  # `JGB rout drives yields up`
            self.side = self.home
        elif role == "thing":
            self.thing = self.thing or sign
            self.growth = name in _GROWTH
        elif role == "stance":
            self.thing, self.stance = sign, True
        elif role == "event":
            self.event = sign if name == "SELLYEN" else self.event or sign  # `steps in to sell yen`
        elif role == "auction":
            self.side = -self.home
        elif role == "quality":
            self.quality = min(self.quality, sign) if self.quality else sign
        elif role == "hope":
            self.hope = True
        elif role == "fear":
            self.fear = True

    def sign(self, *, acted: bool) -> int:
        """Its effect when it grows; 0 if it names nothing that has one."""
        if self.event:
            return self.event
        if self.thing:
            told = acted or self.stance or self.policy or self.quality or self.fear or self.hope
            feared = -1 if self.fear and self.growth and not self.quality else 1  # `jobs fears`
            return self.side * self.thing * (self.quality or 1) * feared if told else 0
        if self.quality:
            return self.side * self.quality
        return self.side if acted and self.kind in ("p", "y") else 0


class Clause:
    """What has been read of a clause so far."""

    __slots__ = (
        "caused", "changed", "denied", "done", "first", "flip", "kind", "last", "letters", "moved", "object", "sent",
        "subject", "to", "transitive", "verb", "verb_last",
    )  # fmt: skip

    def __init__(self, kind: str, side: int, how: str, first: int, done: list[Reading], verb_last: bool) -> None:
        self.kind, self.first, self.last, self.done = kind, first, first, done
        self.verb_last = verb_last
        self.start(side, how)

    def start(self, side: int, how: str) -> None:
        """Forget all but whom it is about."""
        self.subject = Noun(side, how)
        self.object: Noun | None = None
        self.verb, self.flip, self.transitive, self.to, self.moved = 0, 1, False, 0, False
        self.changed = self.sent = self.caused = self.denied = False
        self.letters: list[str] = []

    def take(self, concept: Concept, part: str) -> None:
        """Add one concept to the reading. `part` is the kind of the words it stands in."""
        name, role, sign = concept
        letter = _LETTERS.get(role)
        if letter is None:
            if name == "VOL" and self.letters[-1:] == ["p"]:  # `USD/JPY vols`, `yen puts`: not the price
                self.start(self.subject.home, "")
            return
        self.letters.append("J" if name in _AGAINST_FORECAST else letter)
        if role in SUBJECTS:
            self._whose(concept, part)
        elif part == "o" and role in _LEFT:  # `off the lows`, `from its high`
            (self.object or self.subject).take(role, -sign, name)
        elif role == "flip" or (name == "LOWEST" and self.moved and self.verb > 0):  # `rises at the slowest pace`
            self.flip = -self.flip
        elif role == "less":
            if self.verb or self.subject.quality:
                self.flip = -self.flip
            else:
                self.subject.take("quality", sign, name)
        elif role == "move":
            self._move(sign, name)
        elif role in ("cause", "change"):
            self._act(name, role, sign, part)
        elif self.verb and not self.transitive and role != "event":
            if not (self.subject.thing or self.subject.quality) and role in ("policy", "talk", "thing"):
                # `hopes fade for a cut`
                self.subject.take(role, sign, name)
        elif part == "t" and role == "quality" and self.verb:  # `pushes dollar to a low`
            self.to = sign
        else:
            (self.object or self.subject).take(role, sign, name)

    def _whose(self, concept: Concept, part: str) -> None:
        if self.object is not None:
            if concept.role == "price" and self.caused and not self.denied:
                self.flip = 1  # `hike doubts lift dollar`: what was denied is only who does it
            self.object.subject(concept)
            return
        if (
            self.changed
            and not self.verb_last
            and (concept.role in ("price", "bond") or (concept.role == "bank" and self.verb < 0))
            and self.subject.kind not in ("p", "y")
        ):
            self.transitive, self.changed = True, False  # `selling caps dollar`
            self.object = Noun(concept.sign, "")
            self.object.subject(concept)
            return
        if self._done_to(concept, part):
            self.transitive = True
            self.object = Noun(concept.sign, "")
            self.object.subject(concept)
            return
        if self.verb and self.subject.kind == "p":
            if concept.role == "price" and part != "t":
                self.close()
                self.start(concept.sign, "p")
                self.subject.subject(concept)
            return
        self.subject.subject(concept)

    def _done_to(self, concept: Concept, part: str) -> bool:
        """`dovish BOJ sinks yen`: a move with an object that can move is done to it."""
        if self.verb_last or not self.moved or self.object is not None or self.letters[-2:-1] != ["V"] or part in "to":
            return False
        if not (self.subject.full() or self.subject.kind):  # `falling yields`
            return False
        return concept.role in ("price", "bond") and self.subject.kind not in ("p", "y")

    def _move(self, sign: int, name: str) -> None:
        if self.object is not None:
            if self.sent or self.verb > 0 or self.verb_last or (self.caused and sign < 0):  # `sends yields up`
                self.to = self.to or sign
            else:  # `stems yen slide`, `dents dollar rally`
                self.object.take("quality", sign, name)
        elif not self.verb:
            self.verb, self.moved = sign, True
        elif not self.moved and self.verb < 0 and self.letters[-2:-1] == ["H"] and name in _MOVES:  # `stop falling`
            self.verb, self.moved = -sign, True
        elif self.moved and name in _SOLD:  # `bounce sold`
            self.verb = sign

    def _act(self, name: str, role: str, sign: int, part: str) -> None:
        if self.verb:
            if name in _LEVELS and self.object is not None and self.object.kind:  # `drags yen lower`
                self.to = self.to or sign
                return
            stalls = role == "change" and not self.transitive and self.moved  # `dollar rally stalls`
            if stalls or (self.object is not None and not self.object.full()):
                self.verb *= sign
            return
        self.verb = sign
        self.sent = name == "SEND"
        self.caused = role == "cause"
        self.changed = role == "change" and part in "mnsw"
        worked = role == "cause" or not (self.subject.full() or self.subject.kind in ("p", "y"))
        if worked:
            self.denied = self.letters[-2:-1] == ["F"]
            self.transitive = True
            self.object = Noun(self.subject.side, self.subject.how)
            self.object.home = self.subject.home
        elif role == "change" and self.subject.kind in ("p", "y") and not self.subject.full():
            self.transitive = True  # `dollar halts slide`: what follows is its own

    def close(self) -> None:
        """Add what the clause comes to, if anything."""
        found = self._object() or self._subject()
        if found is not None:
            how, value = found
            pattern = "".join(self.letters[:_LONGEST_PATTERN])
            self.done.append(Reading(self.kind, how, value * self.flip, pattern, self.first, self.last))

    def named(self) -> bool:
        """Is it about a price, a yield or a figure, which moves itself?"""
        return self.subject.kind in ("p", "y") or bool(self.subject.thing)

    def _object(self) -> tuple[str, int] | None:
        noun = self.object
        if noun is None:
            return None
        if self.to and noun.side:
            return noun.how + "o", noun.side * (noun.thing or 1) * self.to
        if self.sent and not noun.full() and not noun.kind:  # `dollar sent`: where to is not told
            self.verb = 0
            return None
        value = noun.sign(acted=True)
        if value:
            return ("e" if noun.event else noun.how) + "o", value * self.verb
        return None

    def _subject(self) -> tuple[str, int] | None:
        noun = self.subject
        acted = bool(self.verb)
        if self.moved and self.named():  # `weak dollar rises`
            noun.quality = 0
        value = noun.sign(acted=acted)
        if noun.fear and not value and not noun.thing:
            return "f" + ("v" if acted else "n"), -(self.verb or 1)
        if not value:
            return None
        return ("e" if noun.event else noun.how) + ("v" if acted else "n"), value * (self.verb or 1)
