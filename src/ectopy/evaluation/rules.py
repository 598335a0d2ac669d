"""Baselines that learn nothing: always normal, the RR interval alone, a classic detector with template matching.

They see the whole record at once, and none can call an interval unreadable.
"""

from __future__ import annotations

import numpy as np

from ectopy.evaluation import features
from ectopy.evaluation.said import Said, from_beats, with_anomaly
from ectopy.recording import Recording
from ectopy.signal import condition

_EARLY = 0.15  # share of the usual RR interval by which a beat comes early, to be called premature
_FULL_PAUSE = 1.9  # usual RR intervals, from the beat before to the beat after: a compensatory pause
_UNLIKE = 0.8  # correlation with the template below which a beat is of another shape
_LEARN = 30  # beats that a template is made of
_SHIFT = 6  # conditioned samples by which a beat may lie beside its mark
_SHAPE = slice(-16, 24)  # conditioned samples around the mark that are matched


def always_normal(recording: Recording) -> Said:
    """Every beat that `sleepecg` finds is normal."""
    sample = sleepecg_beats(recording)
    return from_beats(recording, sample, np.tile([1.0, 0, 0, 0, 0], (len(sample), 1)))


def premature(recording: Recording) -> Said:
    """`sleepecg` finds the beats; one is abnormal if it comes 15 % earlier than usual here.

    With a full compensatory pause behind it, it is called V, else S.
    """
    sample = sleepecg_beats(recording)
    early, pause = _timing(sample, float(recording.fs))
    anomaly = _graded(early, _EARLY)
    aami = np.where(anomaly < 0.5, "N", np.where(pause >= _FULL_PAUSE, "V", "S"))
    return from_beats(recording, sample, with_anomaly(aami, anomaly))


def templates(recording: Recording) -> Said:
    """gqrs finds the beats; one of another shape than the patient's usual beat is V, an early one of that shape S.

    The usual beat is the median of the first 30, then a running mean of those like it; after 30 in a row that are not,
    it is learnt anew. Detector: wfdb.processing.gqrs_detect. Template matching as in Hamilton PS, Open source ECG
    analysis, Computers in Cardiology 29:101-104 (2002), with one template.
    """
    sample = gqrs_beats(recording)
    early, _ = _timing(sample, float(recording.fs))
    unlike = _graded(1 - _likeness(recording, sample), 1 - _UNLIKE)
    anomaly = np.maximum(unlike, _graded(early, _EARLY))
    aami = np.where(anomaly < 0.5, "N", np.where(unlike >= 0.5, "V", "S"))
    return from_beats(recording, sample, with_anomaly(aami, anomaly))


def sleepecg_beats(recording: Recording) -> np.ndarray:
    """(n,) int64: beats of the first lead, by `sleepecg.detect_heartbeats`."""
    from sleepecg import detect_heartbeats

    found = detect_heartbeats(filled(recording), float(recording.fs))
    return np.unique(np.asarray(found, dtype=np.int64))


def gqrs_beats(recording: Recording) -> np.ndarray:
    """(n,) int64: beats of the first lead, by `wfdb.processing.gqrs_detect`."""
    from wfdb.processing import gqrs_detect

    found = gqrs_detect(sig=filled(recording), fs=float(recording.fs), adc_gain=200, adc_zero=0)
    return np.unique(np.asarray(found, dtype=np.int64))


def filled(recording: Recording) -> np.ndarray:
    """The first lead as float64; missing samples hold the last value, as these detectors know no gaps."""
    x = recording.samples[:, 0].astype(np.float64)
    good = np.isfinite(x)
    if not good.any():
        return np.zeros(len(x))
    last = np.maximum.accumulate(np.where(good, np.arange(len(x)), np.flatnonzero(good)[0]))
    return x[last]


def _timing(sample: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """How early each beat is, as a share of the usual RR interval, and the usual ones from the beat before to the
    beat after; 0 where nothing is known."""
    rr = features.rhythm(sample, fs)
    usual = rr["rr_s"] / rr["prematurity"]
    early = (1 - rr["prematurity"]).fillna(0).to_numpy()
    return early, ((rr["rr_s"] + rr["rr_next_s"]) / usual).fillna(0).to_numpy()


def _graded(value: np.ndarray, limit: float) -> np.ndarray:
    """0 to 1, and 0.5 at the limit."""
    return np.clip(value / (2 * limit), 0, 1)


def _likeness(recording: Recording, sample: np.ndarray) -> np.ndarray:
    """(n,) correlation of each beat with the patient's usual beat before it; 1 where it can't be had."""
    shapes = features.windows(condition(recording.samples[:, :1], recording.fs), sample, float(recording.fs),
                              slice(_SHAPE.start - _SHIFT, _SHAPE.stop + _SHIFT))[0]  # fmt: skip
    alike = np.ones(len(shapes))
    known = np.flatnonzero(np.isfinite(shapes[:, 0]))
    if len(known) < _LEARN:
        return alike
    middle = slice(_SHIFT, -_SHIFT)
    usual = np.median(shapes[known[:_LEARN], middle], axis=0)
    strangers: list[int] = []
    for k in known:
        cut = np.lib.stride_tricks.sliding_window_view(shapes[k], len(usual))
        likenesses = _correlations(cut, usual)
        best = int(likenesses.argmax())
        alike[k] = likenesses[best]
        if alike[k] >= _UNLIKE:
            usual = usual + (cut[best] - usual) / _LEARN
            strangers = []
        else:
            strangers.append(int(k))
            if len(strangers) == _LEARN:
                usual = np.median(shapes[strangers, middle], axis=0)
                strangers = []
    return alike


def _correlations(rows: np.ndarray, one: np.ndarray) -> np.ndarray:
    rows, one = rows - rows.mean(axis=1, keepdims=True), one - one.mean()
    size = np.linalg.norm(rows, axis=1) * np.linalg.norm(one)
    return np.divide(rows @ one, size, out=np.zeros(len(rows)), where=size > 0)
