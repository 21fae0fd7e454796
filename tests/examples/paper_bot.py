"""A bot that trades on paper: one position at a time, its book in a file, no order ever sent.

    python paper_bot.py --url redis://127.0.0.1:6379 --book book.json --quotes quotes.json

`quotes.json` is what a script of yours keeps writing from your broker: {"bid": 152.30, "ask": 152.31}; a minute
old, it counts as none. Without `--quotes` the bot trades at the newest price that a signal brought, made
`--spread-pips` wide: good for a look, not for a judgement. What it decides is in `paper_book.py`.

The client survives restarts of Redis; the bot, started again, goes on behind the last message it saw.
"""

import argparse
import datetime as dt
import json
import queue
import threading
from pathlib import Path

from paper_book import Bot

import signals


def pump(reading, items):
    """Hand the items on, and what ended the reading."""
    try:
        for item in reading:
            items.put(item)
    except signals.SignalsError as fault:
        items.put(fault)


def main():
    """Read in a thread, so that positions end on time though nothing comes."""
    parser = argparse.ArgumentParser(description="Trade USD/JPY on paper.")
    parser.add_argument("--url")
    parser.add_argument("--book", type=Path, default=Path("book.json"))
    parser.add_argument("--quotes", type=Path)
    parser.add_argument("--spread-pips", type=float, default=0.8)
    parser.add_argument("--min-strength", type=float, default=0.3)
    rules = parser.parse_args()
    bot, items = Bot(rules, json.loads(rules.book.read_bytes()) if rules.book.exists() else None), queue.SimpleQueue()
    with signals.connect(rules.url) as client:
        reading = client.signals(bot.book["last_id"] or "new")
        print("reads on after", bot.book["last_id"] or "what is there", flush=True)
        threading.Thread(target=pump, args=(reading, items), daemon=True).start()
        while True:
            try:
                item = items.get(timeout=1)
            except queue.Empty:
                item = None
            if isinstance(item, signals.SignalsError):
                raise SystemExit(str(item))
            bot.take(item, dt.datetime.now(dt.UTC))
            draft = rules.book.with_suffix(".draft")
            draft.write_text(json.dumps(bot.book))
            draft.replace(rules.book)  # one step: a killed bot leaves the old book or the new
            while bot.lines:
                print(bot.lines.pop(0), flush=True)


if __name__ == "__main__":
    main()
