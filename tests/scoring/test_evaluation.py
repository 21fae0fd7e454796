"""The figures are those of the textbooks, and their intervals honest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from signals.scoring import evaluation
from signals.scoring.corpus import Labelled

CLASSES = ("up", "flat", "down")


def row(label: str, *, relevant: bool = True, topic: str = "boj.policy") -> Labelled:
    return Labelled(text=label, label=label, relevant=relevant, topic=topic)


def certain(*calls: str) -> evaluation.Answers:
    """Answers that are sure of these calls; `irrelevant` among them."""
    shares = np.full((len(calls), 3), 0.05)
    for number, call in enumerate(calls):
        shares[number, CLASSES.index(call) if call in CLASSES else 1] = 0.9
    relevance = np.array([0.0 if call == "irrelevant" else 1.0 for call in calls])
    return evaluation.answers(relevance, shares)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_macro_f1_is_scikit_learns(pairs):
    """The vectorised macro-F1 is scikit-learn's, for all labels and calls."""
    label, said = (np.array(column) for column in zip(*pairs, strict=True))
    assert evaluation._macro_f1(label, said) == pytest.approx(f1_score(label, said, average="macro"))


def test_figures_of_a_case_worked_by_hand():
    """Four relevant rows, one with the wrong sign, one relevant row missed, one irrelevant row taken."""
    rows = [row("up"), row("down"), row("flat"), row("down"), row("flat", relevant=False)]
    found = evaluation.figures(rows, certain("up", "up", "irrelevant", "down", "down"))
    assert found["accuracy"].value == 3 / 4  # what was called irrelevant makes no signal: it counts as flat
    assert found["wrong_sign"].value == 1 / 4
    assert found["relevance_f1"].value == pytest.approx(2 * 3 / (4 + 4))
    assert found["brier"].value == pytest.approx((3 * (0.1**2 + 2 * 0.05**2) + 0.9**2 + 0.05**2 + 0.95**2) / 4)


def test_calibration_error_is_zero_for_the_calibrated_and_the_gap_for_the_boastful():
    """Nine of ten right at 0.9 is no error; five of ten right at 0.9 is one of 0.4."""
    nine = np.array([1.0] * 9 + [0.0])
    half = np.array([1.0] * 5 + [0.0] * 5)
    assert evaluation._calibration_error(np.full(10, 0.9), nine) == pytest.approx(0)
    assert evaluation._calibration_error(np.full(10, 0.9), half) == pytest.approx(0.4)


def test_intervals_hold_the_figure_and_are_left_out_of_small_groups():
    """A figure lies in its interval; a handful of rows gets none rather than a false one."""
    rows = [row(CLASSES[n % 3], topic="fed.policy" if n < 3 else "boj.policy") for n in range(60)]
    given_ = certain(*(CLASSES[n % 3] if n % 5 else "flat" for n in range(60)))
    for figure in evaluation.figures(rows, given_).values():
        assert figure.low <= figure.value <= figure.high
    groups = evaluation.by(rows, given_, lambda one: one.topic)
    assert groups["fed.policy"][0] == 3
    assert groups["fed.policy"][1]["accuracy"].low is None


def test_the_same_rows_give_the_same_intervals():
    """Intervals are drawn from a fixed seed: two reports of one model agree."""
    rows = [row(CLASSES[n % 3]) for n in range(30)]
    given_ = certain(*(CLASSES[n % 2] for n in range(30)))
    assert evaluation.figures(rows, given_) == evaluation.figures(rows, given_)


def test_confusion_and_reliability_count_every_row_once():
    """What the pictures show adds up."""
    rows = [row("up"), row("down"), row("flat", relevant=False), row("flat")]
    given_ = certain("up", "irrelevant", "irrelevant", "down")
    assert evaluation.confusion(rows, given_).sum() == 4
    assert evaluation.confusion(rows, given_)[2, 3] == 1
    assert sum(count for _, _, count in evaluation.reliability(rows, given_.shares)) == 3
