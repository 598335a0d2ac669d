"""Other people's packages as programs to compare with. They belong to the benchmark environment only."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from ectopy.evaluation.rules import filled
from ectopy.evaluation.said import Said, from_beats
from ectopy.recording import AAMI_CLASSES, Recording

_RATE = 500  # Hz, of openecg
_AAMI = {1: "N", 2: "V", 3: "Q", 4: "F", 5: "Q"}  # its sinus, vpc, paced, fusion, unknown


def has_openecg() -> bool:
    """Whether it is installed."""
    return find_spec("openecg") is not None


def openecg(recording: Recording) -> Said:
    """openecg's layered codec (trained on DS1, among others): windows of 10 s, wave by wave; it has no class S.

    It gives a class and no probability, so its curves have one corner. A beat is the middle of a QRS stretch.
    """
    import openecg as package
    from wfdb.processing import resample_sig

    fs = float(recording.fs)
    x, _ = resample_sig(filled(recording), fs, _RATE)
    codec = package.encode_stream(x, fs=_RATE, model=package.load_codec_onnx())
    events = np.array(codec.events("beat", drop_class=0), dtype=np.int64).reshape(-1, 3)
    events = _joined(events)
    sample = np.round(events[:, :2].mean(axis=1) * (fs / _RATE)).astype(np.int64)
    aami = [AAMI_CLASSES.index(_AAMI[kind]) for kind in events[:, 2].tolist()]
    return from_beats(recording, sample, np.eye(len(AAMI_CLASSES))[aami])


def _joined(events: np.ndarray) -> np.ndarray:
    """Stretches (start, end, class) that touch are one QRS complex: the longest gives the class."""
    joined: list[list[int]] = []
    longest = 0
    for start, end, kind in events.tolist():
        if joined and start <= joined[-1][1]:
            joined[-1][1] = end
            if end - start > longest:
                joined[-1][2], longest = kind, end - start
        else:
            joined.append([start, end, kind])
            longest = end - start
    return np.array(joined, dtype=np.int64).reshape(-1, 3)
