"""AUROC and average precision, plain and over bootstrap draws of patients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ectopy.evaluation import auroc, average_precision

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn comes with the `train` extra")

items = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=40)


def test_half_the_pairs_won_is_an_auroc_of_one_half() -> None:
    # positives 0.9 and 0.1 against a negative 0.5: one pair won, one lost
    assert auroc(np.array([True, False, True]), np.array([0.9, 0.5, 0.1])) == 0.5


def test_a_figure_without_positives_does_not_exist() -> None:
    truth, score = np.array([False, False]), np.array([0.1, 0.2])
    assert np.isnan(auroc(truth, score)).all()
    assert np.isnan(average_precision(truth, score)).all()


@given(items)
def test_both_equal_scikit_learn_ties_included(items: list[tuple[bool, int, int]]) -> None:
    truth, score, _ = map(np.array, zip(*items, strict=True))
    if 0 < truth.sum() < len(truth):
        assert auroc(truth, score)[0] == pytest.approx(metrics.roc_auc_score(truth, score), abs=1e-12)
        expected = metrics.average_precision_score(truth, score)
        assert average_precision(truth, score)[0] == pytest.approx(expected, abs=1e-12)


@given(items, st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_patient_drawn_twice_counts_as_if_his_items_stood_there_twice(
    items: list[tuple[bool, int, int]], times: list[int]
) -> None:
    truth, score, patient = map(np.array, zip(*items, strict=True))
    repeated = np.repeat(np.arange(len(truth)), np.array(times)[patient])
    weights = np.array([[1, 1, 1, 1], times])
    for figure in (auroc, average_precision):
        drawn = figure(truth, score, patient, weights)
        plain = figure(truth[repeated], score[repeated])
        np.testing.assert_allclose(drawn[1], plain[0], rtol=1e-12)
        np.testing.assert_allclose(drawn[0], figure(truth, score)[0], rtol=1e-12)
