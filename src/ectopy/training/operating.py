"""The operating point, chosen on out-of-fold beats: what a model says of patients it has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ectopy.analysis import Analysis, analyze
from ectopy.data import patient
from ectopy.evaluation import RecordScores, count_figures, evaluate_record, record_table
from ectopy.recording import Recording
from ectopy.zoo import TrainedModel

_BEAT = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
_DOUBT = (0.05, 0.055, 0.06, 0.065, 0.07, 0.075, 0.08, 0.09, 0.1, 0.5)
_UNREADABLE = 0.01  # of the training patients' intervals, at most
_ABNORMAL = tuple(np.round(np.arange(0.1, 0.91, 0.05), 2).tolist())

Recordings = Mapping[str, Recording]
Models = Mapping[str, TrainedModel]  # for each record, one that has not seen its patient


def choose(models: Models, recordings: Recordings) -> dict[str, float]:
    """The thresholds of the best beat F1, then of the best abnormal-beat F1, over all records at once; then the least
    doubt that leaves enough intervals readable."""
    by_beat = {beat: analyses(models, recordings, _at(beat)) for beat in _BEAT}
    beat = max(_BEAT, key=lambda threshold: _detection_f1(scored(by_beat[threshold], recordings)))
    abnormal = best_abnormal(by_beat[beat], recordings)
    doubt = next(d for d in _DOUBT if d == _DOUBT[-1] or _unreadable(models, recordings, beat, abnormal, d))
    return _at(beat, abnormal, doubt)


def best_abnormal(found: Mapping[str, Analysis], recordings: Recordings) -> float:
    """The threshold of the best abnormal-beat F1 over all records at once."""
    f1 = {threshold: _figure(scored(found, recordings, threshold), "beat.abnormal.f1") for threshold in _ABNORMAL}
    return max(_ABNORMAL, key=lambda threshold: f1[threshold])


def _at(beat: float, abnormal: float = 0.5, doubt: float = _DOUBT[-1]) -> dict[str, float]:
    return {"beat": beat, "abnormal": abnormal, "doubt": doubt}


def analyses(models: Models, recordings: Recordings, thresholds: dict[str, float]) -> dict[str, Analysis]:
    """Each record's first lead, analysed at an operating point by the model that has not seen its patient."""
    return {
        name: analyze(
            recording.select(recording.leads[:1]),
            model=replace(models[name], card={**models[name].card, "thresholds": thresholds}),
        )
        for name, recording in recordings.items()
    }


def scored(found: Mapping[str, Analysis], recordings: Recordings, threshold: float | None = None) -> list[RecordScores]:
    """Their scores from 5:00 on; at another threshold for abnormal beats only beats are scored."""
    scores = []
    for name, analysis in found.items():
        recording = recordings[name]
        assert recording.annotations is not None
        scores.append(
            evaluate_record(
                recording.annotations,
                recording.fs,
                recording.duration_s,
                analysis.beats,
                analysis.intervals if threshold is None else None,
                record=name,
                patient=patient(name),
                threshold=threshold,
            )
        )
    return scores


def _unreadable(models: Models, recordings: Recordings, beat: float, abnormal: float, doubt: float) -> bool:
    """Whether few enough intervals are."""
    found = scored(analyses(models, recordings, _at(beat, abnormal, doubt)), recordings)
    return _figure(found, "interval.unreadable.share") <= _UNREADABLE


def _figure(scores: list[RecordScores], name: str) -> float:
    totals = record_table(scores).drop(columns="patient").sum()
    return float(count_figures(totals.to_dict())[name])


def _detection_f1(scores: list[RecordScores]) -> float:
    se, ppv = (_figure(scores, f"beat.detection.{name}") for name in ("se", "ppv"))
    return 2 * se * ppv / (se + ppv) if se + ppv else 0.0
