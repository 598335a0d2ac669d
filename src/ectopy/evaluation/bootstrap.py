"""Uncertainty by drawing patients with replacement: they, not beats, are what a new study would draw anew."""

from __future__ import annotations

import numpy as np


def draw_patients(n_patients: int, n_draws: int = 1000, seed: int = 0) -> np.ndarray:
    """(n_draws, n_patients) int64: how often each patient is drawn; a row sums to `n_patients`."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_patients, np.full(n_patients, 1 / n_patients), size=n_draws)


def interval_95(draws: np.ndarray) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of a figure over draws.

    Draws in which the figure does not exist (no beat of the class) are left out; NaN where it never exists.
    """
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
