"""How the index of irregular rhythm is fitted: minutes of training patients with and without atrial fibrillation.

DS1 without 201 (who is the test patient 202), by its rhythm annotations; the records of every second line of the local
`cinc2017` labelled N or A; and svdb-even, where nobody annotated the rhythm, but a minute with premature atrial beats
is no fibrillation. The beats are those that the program finds. Minutes that are neither nearly all fibrillation nor
nearly free of it, or touch atrial flutter, are left out. Every patient weighs the same within its kind. The threshold
is the one with the best F1 when the index was fitted to the other patients; so is the one from which no beat is called
premature, by the F1 of class S.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from operator import and_
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from ectopy import data, signal
from ectopy.analysis import StreamAnalyzer
from ectopy.errors import OutputError
from ectopy.evaluation import Rhythm, match_beats, rhythms
from ectopy.recording import Recording
from ectopy.signal import IRREGULARITY, IRREGULARITY_EVERY_S, IRREGULARITY_WINDOW_S, Irregular, irregularity
from ectopy.training.runs import training_records
from ectopy.verdict import Beat

_ALL, _NONE = 0.7, 0.3  # share of a minute that is fibrillation
_PREMATURE = 3  # supraventricular beats of a minute that is none
_THRESHOLDS = np.arange(0.3, 0.95, 0.05)
_SURE = np.arange(0.7, 1.01, 0.025)

Weights = tuple[float, list[float]]  # intercept, and one a feature


@dataclass(frozen=True)
class Minute:
    """Features of a minute, None where nothing tells; whether it is atrial fibrillation, None where nobody knows."""

    values: tuple[float, ...] | None
    fibrillates: bool | None


@dataclass(frozen=True)
class Patient:
    """A record, what is known every 5 s of the minute before, its beats as they are found, and what they are."""

    name: str
    minutes: list[Minute]
    beats: list[Beat]
    aami: NDArray[np.str_]

    @property
    def labelled(self) -> list[Minute]:
        return [one for one in self.minutes if one.values is not None and one.fibrillates is not None]


def fit_rhythm(data_dir: Path | None = None, out: Path | None = None) -> Path:
    """Fit the index and write `irregular.json`; gives its path.

    Raises
    ------
    RecordError
        If mitdb, svdb or cinc2017 is not on this machine.
    OutputError
        If the file can't be written.
    """
    trained = training_records("shipped", None)
    mitdb = [name for name in trained if name in data.split("DS1")]
    names = [*mitdb, *data.present([name for name in trained if name not in mitdb], data_dir)]
    annotated = [_patient(name, data.read(name, data_dir=data_dir)) for name in track(names, description="annotated")]
    hand_held = [
        _hand_held(name, label, data.read(name, data_dir=data_dir))
        for name, label in track(data.hand_held("training", data_dir), description="cinc2017")
        if label in ("N", "A")
    ]
    patients = [*annotated, *hand_held]
    intercept, weights = _fit(patients)
    others = {one.name: _fit(p for p in patients if p is not one) for one in track(patients, description="others")}
    threshold, f1 = _threshold(patients, others)
    sure, f1_s, f1_s_before = _sure(annotated, others)
    content = {
        "made_by": "ectopy train rhythm",
        "out_of_patient": {
            "f1": round(f1, 3),
            "minutes": sum(len(one.labelled) for one in patients),
            "patients_with_fibrillation": sum(any(m.fibrillates for m in one.labelled) for one in patients),
        },
        "beats_called_by_a_model_that_has_seen_the_patients": {
            "f1_of_s": round(f1_s, 3),
            "f1_of_s_without": round(f1_s_before, 3),
        },
        "intercept": intercept,
        "weights": dict(zip(IRREGULARITY, weights, strict=True)),
        "threshold": threshold,
        "sure": sure,
    }
    path = (out or Path(signal.__file__).parent / "findings") / "irregular.json"
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror}); name another folder with --out") from None
    return path


def _patient(name: str, recording: Recording) -> Patient:
    """An annotated record: of mitdb by its rhythms, of svdb by its premature beats."""
    marks = recording.annotations
    assert marks is not None, name
    looks, beats = _follow(recording)
    premature_s = marks.sample[marks.aami == "S"] / float(recording.fs)
    minutes, annotated = [], rhythms(recording)
    for end_s, values in looks:
        begin_s = max(end_s - IRREGULARITY_WINDOW_S, 0.0)
        if name.startswith("mitdb"):
            fibrillates = _fibrillates(annotated, begin_s, end_s)
        else:
            many = np.sum((premature_s > begin_s) & (premature_s <= end_s)) >= _PREMATURE
            fibrillates = False if many else None
        minutes.append(Minute(values, fibrillates))
    matches = match_beats(marks.beats.sample, np.array([beat.sample for beat in beats]), recording.fs)
    aami = np.full(len(beats), "", dtype="<U1")
    aami[matches.detected] = marks.beats.aami[matches.reference]
    return Patient(name, minutes, beats, aami)


def _fibrillates(annotated: list[Rhythm], begin_s: float, end_s: float) -> bool | None:
    shares: dict[str, float] = {}
    for rhythm in annotated:
        both = min(rhythm.end_s, end_s) - max(rhythm.start_s, begin_s)
        shares[rhythm.name] = shares.get(rhythm.name, 0.0) + max(both, 0.0) / (end_s - begin_s)
    share = shares.get("AFIB", 0.0)
    return None if shares.get("AFL", 0.0) or _NONE < share < _ALL else share >= _ALL


def _hand_held(name: str, label: str, recording: Recording) -> Patient:
    """One minute, or what there is of one, its last."""
    looks, _ = _follow(recording)
    minutes = [Minute(values, label == "A") for _, values in looks if values is not None]
    return Patient(name, minutes[-1:], [], np.array([], "<U1"))


def _follow(recording: Recording) -> tuple[list[tuple[float, tuple[float, ...] | None]], list[Beat]]:
    """The end of each minute that the index is asked for, and its features; the beats."""
    stream, irregular = StreamAnalyzer(recording.fs, recording.leads[:1]), Irregular()
    looks: list[tuple[float, tuple[float, ...] | None]] = []
    beats: list[Beat] = []
    for item in stream.prepare(recording.samples[:, :1], last=True):
        for known in stream.known(item, stream.run(item)):
            beats += known.beats
            irregular.remember(known)
            if (known.number + 1) % IRREGULARITY_EVERY_S == 0:
                looks.append((known.number + 1.0, irregular.features() if irregular.plainly else None))
    return looks, beats


def _arrays(patients: Iterable[Patient]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Features, whether it fibrillates, and weight."""
    rows = [(one.name, minute) for one in patients for minute in one.labelled]
    values = np.array([minute.values for _, minute in rows])
    truth = np.array([minute.fibrillates for _, minute in rows], bool)
    names = np.array([name for name, _ in rows])
    weight = np.empty(len(rows))
    for kind in (False, True):
        found, place = np.unique(names[truth == kind], return_inverse=True)
        weight[truth == kind] = 50 / len(found) / np.bincount(place)[place]
    return values, truth, weight


def _fit(patients: Iterable[Patient]) -> Weights:
    values, truth, weight = _arrays(patients)
    model = LogisticRegression(max_iter=1000).fit(values, truth, sample_weight=weight)
    return float(model.intercept_[0]), model.coef_[0].tolist()


def _threshold(patients: list[Patient], others: dict[str, Weights]) -> tuple[float, float]:
    """The best threshold when each patient is left out of the fit, and its F1."""
    _, truth, weight = _arrays(patients)
    p = np.array(
        [irregularity(*others[one.name], m.values) for one in patients for m in one.labelled if m.values is not None]
    )
    scores = [float(f1_score(truth, p >= threshold, sample_weight=weight)) for threshold in _THRESHOLDS]
    best = int(np.argmax(scores))
    return round(float(_THRESHOLDS[best]), 2), scores[best]


def _sure(patients: list[Patient], others: dict[str, Weights]) -> tuple[float, float, float]:
    """The threshold from which no beat is premature, and F1 of class S with and without it; each patient is left out of
    the fit, but has trained the model that calls the beats."""
    truth = np.concatenate([one.aami == "S" for one in patients])
    scores = []
    for sure in _SURE:
        called = np.concatenate([_called_premature(one, others[one.name], float(sure)) for one in patients])
        scores.append(float(f1_score(truth, called)))
    best = int(np.argmax(scores))
    return round(float(_SURE[best]), 3), scores[best], scores[-1]


def _called_premature(patient: Patient, index: Weights, sure: float) -> NDArray[np.bool_]:
    """(n_beats,) whether each is called S."""
    looks, known = [False], [not isnan(beat.rr_s) for beat in patient.beats]
    for minute in patient.minutes:
        looks.append(minute.values is not None and irregularity(*index, minute.values) >= sure)
    last = len(looks) - 1
    surely = [looks[min(int(beat.time_s + 1) // IRREGULARITY_EVERY_S, last)] for beat in patient.beats]
    can_be = map(and_, known, [False, *known[:-1]])  # as `Findings` has it
    beats = zip(patient.beats, surely, can_be, strict=True)
    return np.array([beat.aami == "S" and can and not sure for beat, sure, can in beats], bool)
