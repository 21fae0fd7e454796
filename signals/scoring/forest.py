"""Trees of decisions, fitted by `pairing.py`, and the sum of what many of them say of a pair."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np


class Tree(msgspec.Struct, frozen=True):
    """A tree of decisions: go left where the feature is at most the threshold; a leaf has no feature (-1)."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]


def _leaves(tree: Tree) -> dict[int, list[int]]:
    """The leaves below each node, from left to right."""
    found: dict[int, list[int]] = {}

    def below(node: int) -> list[int]:
        leaf = tree.feature[node] < 0
        found[node] = [node] if leaf else [*below(tree.left[node]), *below(tree.right[node])]
        return found[node]

    below(0)
    return found


class Forest:
    """All trees side by side: many pairs go down all of them at once.

    The trees ask few questions, many of them again and again; each is put once. Of each tree every node whose answer
    is no strikes out the leaves on its left; the first leaf that is left is the one reached (Lucchese et al.,
    QuickScorer, SIGIR 2015).
    """

    def __init__(self, trees: Sequence[Tree]) -> None:
        below = [_leaves(tree) for tree in trees]
        most = max(len(leaves[0]) for leaves in below)
        word = next(kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64) if np.iinfo(kind).bits >= most)
        asked = sorted({(f, t) for tree in trees for f, t in zip(tree.feature, tree.threshold, strict=True) if f >= 0})
        self._feature = np.array([feature for feature, _ in asked], dtype=np.intp)
        self._threshold = np.array([threshold for _, threshold in asked])
        self._left = np.full((len(asked), len(trees)), np.iinfo(word).max, dtype=word)
        """(questions, trees) The leaves that are left where the answer is no, a bit each."""
        self._value = np.zeros((len(trees), most))
        self._tree = np.arange(len(trees))
        for number, (tree, leaves) in enumerate(zip(trees, below, strict=True)):
            self._value[number, : len(leaves[0])] = [tree.value[leaf] for leaf in leaves[0]]
            place = {leaf: n for n, leaf in enumerate(leaves[0])}
            for node, question in enumerate(zip(tree.feature, tree.threshold, strict=True)):
                if question[0] >= 0:
                    gone = sum(1 << place[leaf] for leaf in leaves[tree.left[node]])
                    self._left[asked.index(question), number] &= np.iinfo(word).max ^ gone

    def grow(self, seen: Sequence[tuple[float, ...]]) -> list[float]:
        """For each pair the sum of the leaves that its features lead to, tree by tree."""
        no = ~(np.array(seen)[:, self._feature] <= self._threshold)
        left = np.array([np.bitwise_and.reduce(self._left[row], axis=0) for row in no])
        first = np.bitwise_count((left & -left) - left.dtype.type(1))  # of the bits the lowest, then those below it
        return [math.fsum(leaves) for leaves in self._value[self._tree, first].tolist()]
