"""AUROC and average precision, for many weightings of the patients at once.

A bootstrap over patients gives each patient a whole weight (how often it was drawn). Both figures are sums
over patients, or pairs of patients, of counts that no weight changes; so these are counted once, and each
resample costs a few products.
"""

from __future__ import annotations

import numpy as np

_CHUNK_CELLS = 4_000_000  # bounds the memory of a block of resamples to some 100 MB


def auroc(
    truth: np.ndarray, score: np.ndarray, group: np.ndarray | None = None, weights: np.ndarray | None = None
) -> np.ndarray:
    """Chance that a positive scores above a negative; ties count half (the Mann-Whitney statistic).

    Parameters
    ----------
    truth : (n,) bool
    score : (n,) float, finite
    group : (n,) int, the patient of each item, counted from 0; all one patient by default
    weights : (n_draws, n_groups), how often each patient counts; once by default

    Returns
    -------
    (n_draws,) float64; NaN where a draw holds no positive or no negative.
    """
    truth, score, group, weights = _prepared(truth, score, group, weights)
    n_groups = weights.shape[1]
    positives, owner = score[truth], group[truth]
    won = np.zeros((n_groups, n_groups))  # pairs that one patient's positives win against another's negatives
    for g in range(n_groups):
        negatives = np.sort(score[~truth & (group == g)])
        below = np.searchsorted(negatives, positives, "left") + np.searchsorted(negatives, positives, "right")
        won[:, g] = np.bincount(owner, weights=below / 2, minlength=n_groups)
    n_positive = weights @ np.bincount(owner, minlength=n_groups)
    n_negative = weights @ np.bincount(group[~truth], minlength=n_groups)
    wins = np.einsum("dp,pq,dq->d", weights, won, weights, optimize=True)
    return _share(wins, n_positive * n_negative)


def average_precision(
    truth: np.ndarray, score: np.ndarray, group: np.ndarray | None = None, weights: np.ndarray | None = None
) -> np.ndarray:
    """Area under the precision-recall curve as a sum of steps: no interpolation, ties are one step.

    Parameters and result as those of `auroc`; NaN where a draw holds no positive.
    """
    truth, score, group, weights = _prepared(truth, score, group, weights)
    n_groups = weights.shape[1]
    levels, level = np.unique(score[truth], return_inverse=True)
    found_here = np.zeros((n_groups, len(levels)))  # positives of a patient at each level
    np.add.at(found_here, (group[truth], level), 1)
    found = found_here[:, ::-1].cumsum(axis=1)[:, ::-1]  # positives at the level or above
    called = np.empty_like(found)  # everything at the level or above
    for g in range(n_groups):
        negatives = np.sort(score[~truth & (group == g)])
        called[g] = found[g] + len(negatives) - np.searchsorted(negatives, levels, "left")
    total = np.empty(len(weights))
    step = max(1, _CHUNK_CELLS // max(1, len(levels)))
    for start in range(0, len(weights), step):
        w = weights[start : start + step]
        n_called = w @ called
        precision = np.divide(w @ found, n_called, where=n_called > 0, out=np.zeros_like(n_called))
        total[start : start + step] = np.einsum("dk,dk->d", w @ found_here, precision)
    return _share(total, weights @ np.bincount(group[truth], minlength=n_groups))


def _prepared(
    truth: np.ndarray, score: np.ndarray, group: np.ndarray | None, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    group = np.zeros(len(truth), dtype=np.int64) if group is None else np.asarray(group, dtype=np.int64)
    if weights is None:
        weights = np.ones((1, int(group.max(initial=0)) + 1))
    return np.asarray(truth, bool), np.asarray(score, float), group, np.asarray(weights, float)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, where=whole > 0, out=np.full(len(part), np.nan))
