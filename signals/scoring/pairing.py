"""Fit what tells one event from another to the labelled pairs of `seeds/stories/`: `python -m signals.scoring.pairing`.

Titles of different pairs tell different events: they are the many easy negatives, and the nearest of them the hard
ones that nobody wrote. Pairs of `gate.tsv` never take part: they measure.
"""

import csv
import functools
import heapq
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from signals.scoring.forest import Tree
from signals.scoring.likeness import FEATURES, REACH, TABLE, UNKNOWN, Read, Table, features
from signals.scoring.telling import telling, word_set

SEEDS = Path("seeds")
PRECISION = 0.97
"""Of the pairs called one event, out of fold, at the threshold that is chosen."""
_KNOWN_FROM = 6
"""Titles a word must stand in for its weight to be kept: rarer ones tell most."""
_FOLDS = 6
_STRANGER = 0.1
"""Weight of a pair that nobody labelled: there are many of them, and a few do tell one event."""
_LESS_ALIKE = word_set(
    "meant_left_least meant_left_most words_left_least words_left_most classes_left_least classes_left_most "
    "replaced replaced_weight figures_at_odds times_at_odds ordinals_at_odds places_at_odds names_at_odds "
    "capitals_least senses_at_odds senses_differ denied priced marks not_yet_differ not_yet_least stages_differ "
    "concepts_least"
)
_EITHER = word_set(
    "inserted figures_one_sided times_one_sided capitals_most not_yet not_yet_most stages same_first "
    "same_column japanese corrects length shortest"
)
"""What all else says: more of it is more alike. So two titles that share nothing can't be one event by accident."""
_TREES: dict[str, Any] = {
    "max_iter": 160, "max_leaf_nodes": 8, "learning_rate": 0.08, "min_samples_leaf": 15, "l2_regularization": 1.0,
    "max_features": 0.4, "early_stopping": False, "random_state": 0,
    "monotonic_cst": [0 if name in _EITHER else -1 if name in _LESS_ALIKE else 1 for name in FEATURES],
}  # fmt: skip


class Pair(NamedTuple):
    """Two titles, and whether they tell one event."""

    same: bool
    kind: str
    first: str
    second: str


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a file: columns same, kind, first, second."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Pair(row["same"] == "1", row["kind"], row["first"], row["second"]) for row in rows]


def weigh(titles: Iterable[str]) -> dict[str, float]:
    """How much each word tells: the inverse of how many titles it stands in, in logarithms, 1 for one alone."""
    counts: Counter[str] = Counter()
    for title in titles:
        told = telling(title)
        counts.update(told.meant)
        counts.update({f"~{word}" for word in (*told.words, *told.classes)})
    most = np.log(1 + max(counts.values()) * 4)
    return {
        word: round(float(UNKNOWN - np.log(1 + count) / most), 3)
        for word, count in sorted(counts.items())
        if count >= _KNOWN_FROM
    }


def strangers(pairs: Sequence[Pair], read: Callable[[str], Read]) -> list[Pair]:
    """Titles of different pairs: of each the nearest few, as a stream would put them side by side."""
    titles = [(number, title) for number, pair in enumerate(pairs) for title in (pair.first, pair.second)]
    reads = [read(title) for _, title in titles]
    found: defaultdict[str, list[int]] = defaultdict(list)
    made = []
    for place, (number, title) in enumerate(titles):
        shared: Counter[int] = Counter()
        for key, weight in reads[place].keys.items():
            for other in found[key]:
                shared[other] += weight  # type: ignore[assignment]
            found[key].append(place)
        near = [(share / reads[place].total, other) for other, share in shared.items() if titles[other][0] != number]
        far = [(share, other) for share, other in near if share >= REACH and not _doubtful(share, reads, place, other)]
        made += [Pair(False, "stranger", title, titles[other][1]) for _, other in heapq.nlargest(_NEAR, far)]
    return made


_NEAR = 12
_DOUBTFUL = (0.5, 0.25)
"""Two of our own pairs that share more, or more beside a figure, may well tell one event: nobody compared them."""


def _doubtful(share: float, reads: Sequence[Read], one: int, other: int) -> bool:
    figures = reads[one].told.figures & reads[other].told.figures
    return share >= _DOUBTFUL[bool(figures)]


def fit(pairs: Sequence[Pair], titles: Iterable[str]) -> Table:
    """Weights, trees and threshold from labelled pairs and a corpus of titles."""
    weights = weigh(titles)
    read = functools.cache(lambda title: Read(telling(title), weights))
    rows = [*pairs, *strangers(pairs, read)]
    seen = np.array([features(read(pair.first), read(pair.second)) for pair in rows])
    same = np.array([pair.same for pair in rows])
    weight = np.where(np.arange(len(rows)) < len(pairs), 1.0, _STRANGER)
    odds = _out_of_fold(seen, same, weight)
    model = HistGradientBoostingClassifier(**_TREES).fit(seen, same, sample_weight=weight)
    return Table(
        features=FEATURES,
        weights=weights,
        start=round(float(model._baseline_prediction.item()), 6),
        trees=tuple(_tree(stage[0].nodes) for stage in model._predictors),
        same_from=round(threshold(odds[: len(pairs)], same[: len(pairs)], PRECISION), 4),
    )


def _out_of_fold(seen: Any, same: Any, weight: Any) -> Any:
    """Log-odds of each row by a model that did not see it."""
    odds = np.zeros(len(same))
    fold = np.random.default_rng(0).permutation(np.arange(len(same)) % _FOLDS)
    for number in range(_FOLDS):
        rest = fold != number
        model = HistGradientBoostingClassifier(**_TREES).fit(seen[rest], same[rest], sample_weight=weight[rest])
        odds[fold == number] = model.decision_function(seen[fold == number])
    return odds


def threshold(odds: Any, same: Any, precision: float) -> float:
    """The lowest log-odds from which on this share is right."""
    order = np.argsort(-odds, kind="stable")
    right = np.cumsum(same[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(right >= precision)
    return float(odds[order][good[-1]]) if len(good) else float("inf")


def _tree(nodes: Any) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=tuple(np.where(leaf, -1, nodes["feature_idx"]).tolist()),
        threshold=tuple(np.where(leaf, 0.0, nodes["num_threshold"]).round(6).tolist()),
        left=tuple(nodes["left"].tolist()),
        right=tuple(nodes["right"].tolist()),
        value=tuple(np.where(leaf, nodes["value"], 0.0).round(6).tolist()),
    )


def corpus_titles(folder: Path) -> list[str]:
    """The texts of the labelled headlines."""
    found = []
    for path in sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found += [row["text"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return found


def main() -> None:
    """Fit to the seeds and write the table."""
    paths = sorted(path for path in (SEEDS / "stories").glob("*.tsv") if path.stem != "gate")
    pairs = [pair for path in paths for pair in read_pairs(path)]
    table = fit(pairs, corpus_titles(SEEDS / "headlines"))
    TABLE.write_bytes(msgspec.json.encode(table) + b"\n")
    sys.stdout.write(f"{len(pairs)} pairs, {len(table.trees)} trees, one event from log-odds {table.same_from}\n")


if __name__ == "__main__":
    main()
