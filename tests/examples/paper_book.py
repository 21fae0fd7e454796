"""What the paper-trading bot decides, and its book; `paper_bot.py` runs it.

It enters on a signal that is live and strong enough, on a fresh price in an open market, where the hour's move
that the signal promises (strength times volatility) is wider than the spread. It leaves at the signal's horizon,
on the opposite signal, when the signal is retracted or replaced, and when it can no longer see: on a `Gap` or a
`Silence`. It buys at the ask and sells at the bid: profit and loss, in pips (0.01 JPY), are net of the spread.
"""

import json

import signals

PIP = 0.01  # JPY
SIDE = {"up": 1, "flat": 0, "down": -1}
QUOTE_MAX_AGE_S = 60


class Bot:
    """Decides; reads no network and no clock. What it did stands in `lines`."""

    def __init__(self, rules, book=None):
        self.rules, self.mid, self.lines = rules, None, []
        self.book = book or {"last_id": None, "position": None, "pips": 0.0, "trades": 0}

    def quote(self, now):
        """Bid and ask; null where there is none: no trade on a guess."""
        if self.rules.quotes is None:
            half = self.rules.spread_pips * PIP / 2
            return None if self.mid is None else (self.mid - half, self.mid + half)
        try:
            found, written = json.loads(self.rules.quotes.read_bytes()), self.rules.quotes.stat().st_mtime
            return None if now.timestamp() - written > QUOTE_MAX_AGE_S else (found["bid"], found["ask"])
        except (OSError, ValueError, KeyError):
            return None  # not there, or just being written

    def take(self, item, now):
        """Take in one item of the client; null when only time has passed."""
        position = self.book["position"]
        if position and now.timestamp() >= position["until"]:
            self.leave(position.get("why", "its horizon is over"), now)
        match item:
            case signals.Received(signal=signal) if signal is not None:
                self.consider(signal, now)
            case signals.Received(event=signals.Event(data=signals.Retraction(signal_id=retracted))):
                if position and position["signal_id"] == retracted:
                    self.leave("its signal was retracted", now)
            case signals.Gap() | signals.Silence():
                self.leave(f"stand aside on a {type(item).__name__}", now)
        if isinstance(item, signals.Received):
            self.book["last_id"] = item.stream_id

    def consider(self, signal, now):
        """Enter, hold, turn or keep out."""
        if not signal.stale:
            self.mid = signal.ref_price
        side, position = SIDE[signal.direction], self.book["position"]
        if position and signal.supersedes == position["signal_id"] and side != position["side"]:
            self.leave("its signal was replaced", now)
        reason = self.refusal(signal, now)
        if reason:
            self.lines.append(f"skip {signal.direction} {signal.strength:.2f}, {reason}: {signal.title}")
            return
        if self.book["position"] and self.book["position"]["side"] != side:
            self.leave("turned by the opposite signal", now)
        view = {"until": signal.known_at.timestamp() + signal.horizon_s, "signal_id": signal.signal_id}
        if self.book["position"]:
            self.book["position"] |= view  # the same direction again: held as far as the newer one looks
            return
        price = self.quote(now)[side > 0]
        self.book["position"] = {"side": side, "entry": price, **view}
        self.lines.append(f"enter {signal.direction} at {price:.3f}: {signal.title}")

    def refusal(self, signal, now):
        """Why not to trade on a signal; null where nothing speaks against it."""
        bid, ask = self.quote(now) or (None, None)
        move = (signal.volatility_60m_bp or 0) / 10_000 * signal.strength * (ask or 0)
        tests = {
            "expired": signal.valid_until <= now,
            "abstained": signal.abstained,
            "flat": not SIDE[signal.direction],
            "weak": signal.strength < self.rules.min_strength,
            "stale price": signal.stale,
            "market closed": not signal.market_open,
            "no quote": ask is None,
            "volatility unknown": signal.volatility_60m_bp is None,
            "the spread eats the move": ask is not None and move <= ask - bid,
        }
        return next((reason for reason, holds in tests.items() if holds), None)

    def leave(self, why, now):
        """Close the position, if there is one; without a quote, as soon as there is one."""
        position, quote = self.book["position"], self.quote(now)
        if position and quote is None:
            position |= {"until": 0, "why": why}
        elif position:
            pips = (quote[position["side"] < 0] - position["entry"]) * position["side"] / PIP
            self.book |= {"position": None, "pips": self.book["pips"] + pips, "trades": self.book["trades"] + 1}
            self.lines.append(f"leave {pips:+.1f} pips, {why}; {self.book['pips']:+.1f} in {self.book['trades']}")
