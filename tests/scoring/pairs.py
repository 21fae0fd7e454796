"""`python -m tests.scoring.pairs [FILE]`: how well stories are told apart, by kind of pair (default: the gate)."""

import sys
from collections import defaultdict
from pathlib import Path

from signals.scoring import likeness
from signals.scoring.pairing import read_pairs
from tests.conftest import ROOT


def main(path: Path) -> None:
    """Print precision and recall, and for each kind how many pairs are judged as labelled."""
    language = likeness.load()
    right: defaultdict[str, list[bool]] = defaultdict(list)
    called = {True: 0, False: 0}
    pairs = read_pairs(path)
    for pair in pairs:
        same = language.likeness(language.read(pair.first), [language.read(pair.second)])[0] >= language.same_from
        right[f"{pair.kind:<12} {'one event' if pair.same else 'two events'}"].append(same == pair.same)
        called[pair.same] += same
    print(
        f"precision {called[True] / sum(called.values()):.3f}  recall {called[True] / sum(p.same for p in pairs):.3f}"
    )
    for kind, judged in right.items():
        print(f"{kind}  {sum(judged)} of {len(judged)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "seeds" / "stories" / "gate.tsv")
