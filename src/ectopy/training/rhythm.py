"""How the index of irregular rhythm is fitted: minutes of training patients with and without atrial fibrillation.

DS1, by its rhythm annotations; the records of every second line of the local `cinc2017` labelled N or A; and svdb-even,
where nobody annotated the rhythm, but a minute with premature atrial beats is no fibrillation. The beats are those that
the program finds. Minutes that are neither nearly all fibrillation nor nearly free of it, or touch atrial flutter, are
left out. Every patient weighs the same within its kind. The threshold is the one with the best F1
when the index was fitted to the other patients.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from ectopy import data, signal
from ectopy.analysis import analyze
from ectopy.errors import OutputError
from ectopy.evaluation import rhythms
from ectopy.recording import Recording
from ectopy.signal import IRREGULARITY, IRREGULARITY_EVERY_S, IRREGULARITY_SHARE, IRREGULARITY_WINDOW_S, irregularity

_ALL, _NONE = 0.7, 0.3  # share of a minute that is fibrillation
_PREMATURE = 3  # supraventricular beats of a minute that is none
_THRESHOLDS = np.arange(0.3, 0.95, 0.05)


@dataclass(frozen=True)
class Minute:
    """Features of a minute, and whether it is atrial fibrillation."""

    record: str
    fibrillates: bool
    values: tuple[float, ...]


def fit_rhythm(data_dir: Path | None = None, out: Path | None = None) -> Path:
    """Fit the index and write `irregular.json`; gives its path.

    Raises
    ------
    RecordError
        If mitdb, svdb or cinc2017 is not on this machine.
    OutputError
        If the file can't be written.
    """
    minutes = []
    for name in track(data.split("DS1"), description="DS1"):
        recording = data.read(name, data_dir=data_dir)
        minutes += _labelled(name, recording)
    for name in track(data.present(data.split("svdb-even"), data_dir), description="svdb-even"):
        minutes += _premature(name, data.read(name, data_dir=data_dir))
    for name, label in track(data.hand_held("training", data_dir), description="cinc2017"):
        if label in ("N", "A"):
            recording = data.read(name, data_dir=data_dir)
            last = _minutes(recording)[-1:]
            minutes += [Minute(name, label == "A", values) for _, values in last]
    intercept, weights = _fit(minutes)
    threshold, f1 = _threshold(minutes)
    content = {
        "made_by": "ectopy train rhythm",
        "out_of_patient": {
            "f1": round(f1, 3),
            "minutes": len(minutes),
            "patients_with_fibrillation": len({m.record for m in minutes if m.fibrillates}),
        },
        "intercept": intercept,
        "weights": dict(zip(IRREGULARITY, weights.tolist(), strict=True)),
        "threshold": threshold,
    }
    path = (out or Path(signal.__file__).parent / "findings") / "irregular.json"
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror}); name another folder with --out") from None
    return path


def _labelled(name: str, recording: Recording) -> list[Minute]:
    """Those of a record whose rhythm is annotated."""
    found = []
    for end_s, values in _minutes(recording):
        begin_s = max(end_s - IRREGULARITY_WINDOW_S, 0.0)
        shares: dict[str, float] = {}
        for rhythm in rhythms(recording):
            both = min(rhythm.end_s, end_s) - max(rhythm.start_s, begin_s)
            shares[rhythm.name] = shares.get(rhythm.name, 0.0) + max(both, 0.0) / (end_s - begin_s)
        share = shares.get("AFIB", 0.0)
        if not shares.get("AFL", 0.0) and not _NONE < share < _ALL:
            found.append(Minute(name, share >= _ALL, values))
    return found


def _premature(name: str, recording: Recording) -> list[Minute]:
    """Those of a record with so many premature atrial beats that it is no fibrillation."""
    marks = recording.annotations
    assert marks is not None, name
    at_s = marks.sample[marks.aami == "S"] / float(recording.fs)
    found = _minutes(recording)
    counts = [np.sum((at_s > end_s - IRREGULARITY_WINDOW_S) & (at_s <= end_s)) for end_s, _ in found]
    return [Minute(name, False, values) for (_, values), n in zip(found, counts, strict=True) if n >= _PREMATURE]


def _minutes(recording: Recording) -> list[tuple[float, tuple[float, ...]]]:
    """The end of each minute that the index is asked for, and its features."""
    beats = analyze(recording.select(recording.leads[:1])).beats
    plain = ~beats.aami.isin(["V", "F"]).to_numpy()
    counts = plain & np.r_[False, plain[:-1]] & beats.rr_s.notna().to_numpy()
    follows = np.r_[False, counts[:-1]]
    time_s, rr_s = beats.time_s.to_numpy(), beats.rr_s.to_numpy()
    found = []
    for end_s in np.arange(IRREGULARITY_EVERY_S, recording.duration_s, IRREGULARITY_EVERY_S):
        minute = (time_s > end_s - IRREGULARITY_WINDOW_S) & (time_s <= end_s)
        here = counts & minute
        values = irregularity(rr_s[here], follows[here])
        if values is not None and here.sum() >= IRREGULARITY_SHARE * minute.sum():
            found.append((float(end_s), values))
    return found


def _arrays(minutes: list[Minute]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Features, whether it fibrillates, and weight."""
    values = np.array([minute.values for minute in minutes])
    truth = np.array([minute.fibrillates for minute in minutes])
    names = np.array([minute.record for minute in minutes])
    weight = np.empty(len(minutes))
    for kind in (False, True):
        patients = sorted(set(names[truth == kind]))
        for patient in patients:
            here = (names == patient) & (truth == kind)
            weight[here] = 50 / len(patients) / here.sum()
    return values, truth, weight


def _fit(minutes: list[Minute]) -> tuple[float, NDArray[np.float64]]:
    values, truth, weight = _arrays(minutes)
    model = LogisticRegression(max_iter=1000).fit(values, truth, sample_weight=weight)
    return float(model.intercept_[0]), model.coef_[0]


def _threshold(minutes: list[Minute]) -> tuple[float, float]:
    """The best threshold when each patient is left out of the fit, and its F1."""
    values, truth, weight = _arrays(minutes)
    names = np.array([minute.record for minute in minutes])
    p = np.empty(len(minutes))
    for patient in track(sorted(set(names)), description="out of patient"):
        intercept, weights = _fit([minute for minute in minutes if minute.record != patient])
        here = names == patient
        p[here] = 1 / (1 + np.exp(-(intercept + values[here] @ weights)))
    scores = [float(f1_score(truth, p >= threshold, sample_weight=weight)) for threshold in _THRESHOLDS]
    best = int(np.argmax(scores))
    return round(float(_THRESHOLDS[best]), 2), scores[best]
