"""Follow the signals with the shipped client: resumes, fills gaps, drops what has expired, comes back by itself.

    python with_client.py                               # redis://127.0.0.1:6379, what comes from now on
    python with_client.py redis://127.0.0.1:6379 all    # the whole log; or an id: what came after it

One line a signal on standard output.
"""

import sys

import signals


def main(url=None, start="new"):
    """Print signals until Ctrl-C."""
    with signals.connect(url) as client:
        for item in client.signals(start):
            match item:
                case signals.Received(signal=signal) if signal is not None:
                    print(item.stream_id, signal.direction, signal.strength, signal.ref_price, signal.title, flush=True)
                case signals.Received(event=signals.Event(data=signals.Retraction(signal_id=signal_id, reason=reason))):
                    print(f"# {signal_id} no longer holds: {reason}", file=sys.stderr)
                case signals.Gap() | signals.Silence():
                    print("# stand aside:", item, file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
