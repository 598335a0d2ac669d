"""Simple features of beats: rhythm, size, width, likeness. For a first look, baselines and the analysis of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ectopy.signal import LAG, RATE, Conditioned

if TYPE_CHECKING:
    import pandas as pd

    from ectopy.recording import Recording

SHAPE = slice(-RATE // 4, RATE // 2)  # conditioned samples around R: 250 ms before to 500 ms after
LONGEST_RR_S = 3.0  # what is longer is a gap, flutter or asystole, no RR interval
_LOCAL = 10  # RR intervals before a beat that say what is usual here
_NEAR_S = 0.2  # around R, where a beat's width is measured
_QRS_S = 0.1  # around R, where its amplitude is


def rhythm(sample: np.ndarray, fs: float) -> pd.DataFrame:
    """rr_s and rr_next_s, the intervals before and after each beat (NaN over 3 s), and `prematurity`.

    prematurity : rr_s over the median of the up to ten RR intervals before it (at least three): 1 = on time
    """
    import pandas as pd

    rr = pd.Series(np.diff(sample / fs, prepend=np.nan))
    rr = rr.where((rr > 0) & (rr <= LONGEST_RR_S))  # two marks on one sample are one beat marked twice
    usual = rr.rolling(_LOCAL, min_periods=3).median().shift(1)
    return pd.DataFrame({"rr_s": rr, "rr_next_s": rr.shift(-1), "prematurity": rr / usual})


def shapes(conditioned: Conditioned, sample: np.ndarray, fs: float) -> np.ndarray:
    """(n_leads, n_beats, 96) float32: the conditioned signal around each beat; NaN where it meets a gap or an edge."""
    return windows(conditioned, sample, fs, SHAPE)


def windows(conditioned: Conditioned, sample: np.ndarray, fs: float, around: slice) -> np.ndarray:
    """As `shapes`, of the conditioned samples `around` each beat."""
    signal = np.where(conditioned.gap, np.float32(np.nan), conditioned.signal)
    length = around.stop - around.start
    if signal.shape[1] < length:
        return np.full((len(signal), len(sample), length), np.nan, np.float32)
    begin = np.round(sample * (RATE / fs)).astype(int) + LAG + around.start
    inside = (begin >= 0) & (begin <= signal.shape[1] - length)
    cut = sliding_window_view(signal, length, axis=1)[:, np.where(inside, begin, 0)]
    cut[:, ~inside] = np.nan
    # a gap anywhere in it makes a shape none at all
    return np.where(np.isnan(cut).any(axis=2, keepdims=True), np.float32(np.nan), cut)


def width_ms(shape: np.ndarray) -> np.ndarray:
    """(n_beats,) ms: how long each beat (n_beats, 96) lies beyond half its height, within 200 ms of R."""
    height = np.abs(shape - np.median(shape, axis=1, keepdims=True))
    reach = round(_NEAR_S * RATE)
    near = height[:, -SHAPE.start - reach : -SHAPE.start + reach + 1]
    wide = (near > near.max(axis=1, keepdims=True) / 2).sum(axis=1) * (1000 / RATE)
    return np.where(np.isnan(shape[:, 0]), np.nan, wide)


def likeness(shape: np.ndarray) -> np.ndarray:
    """(n_beats,) correlation of each beat (n_beats, 96) with the median of them all; NaN for a beat without shape."""
    good = ~np.isnan(shape[:, 0])
    alike = np.full(len(shape), np.nan)
    if good.any():
        usual = np.median(shape[good], axis=0)
        usual = usual - usual.mean()
        beats = shape[good] - shape[good].mean(axis=1, keepdims=True)
        size = np.linalg.norm(beats, axis=1) * np.linalg.norm(usual)
        alike[good] = np.divide(beats @ usual, size, out=np.full(len(size), np.nan), where=size > 0)
    return alike


def amplitude(recording: Recording, sample: np.ndarray) -> np.ndarray:
    """(n_beats,) mV from peak to peak within 100 ms of R in the first lead; NaN at a gap, an edge, or uncalibrated."""
    x, reach = recording.samples[:, 0], round(_QRS_S * float(recording.fs))
    inside = (sample >= reach) & (sample < len(x) - reach)
    size = np.full(len(sample), np.nan)
    if recording.calibrated and inside.any():
        size[inside] = np.ptp(sliding_window_view(x, 2 * reach + 1)[sample[inside] - reach], axis=1)
    return size
