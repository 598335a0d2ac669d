"""The operating point, chosen on out-of-fold beats: what a model says of patients it has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ectopy.analysis import Analysis, analyze
from ectopy.data import patient
from ectopy.evaluation import RecordScores, called, count_figures, evaluate_record, record_table
from ectopy.recording import Recording
from ectopy.zoo import BALANCED, TrainedModel

_START_S = 300.0  # of every record, for they are counted together
MIDDLE = 0.5  # threshold of abnormal beats until one is chosen
_BEAT = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
DOUBTS = (0.05, 0.055, 0.06, 0.065, 0.07, 0.075, 0.08, 0.09, 0.1, 0.5)
_UNREADABLE = 0.035  # of the training patients' intervals, at most; svdb comes with much noise
_RECALL = 0.95  # of abnormal intervals, at `high-sensitivity`
_ALARMS = 6.0  # false ones an hour of normal signal, at `few-alarms`
_ABNORMAL = tuple(np.round(np.arange(0.1, 0.91, 0.05), 2).tolist())

Recordings = Mapping[str, Recording]
Models = Mapping[str, TrainedModel]  # for each record, one that has not seen its patient


def choose(models: Models, recordings: Recordings) -> tuple[dict[str, float], dict[str, float]]:
    """The thresholds, and `operating_points`. The beat threshold is that of the best beat F1 over all records at once;
    the doubt the least that leaves enough intervals readable, for what is wrong must not grow with noise."""
    by_beat = {beat: analyses(models, recordings, _at(beat)) for beat in _BEAT}
    beat = max(_BEAT, key=lambda threshold: _detection_f1(scored(by_beat[threshold], recordings, MIDDLE)))
    points = operating_points(by_beat[beat], recordings)
    abnormal = points[BALANCED]
    doubt = next(d for d in DOUBTS if d == DOUBTS[-1] or _readable(models, recordings, beat, abnormal, d))
    return _at(beat, abnormal, doubt), points


def operating_points(found: Mapping[str, Analysis], recordings: Recordings) -> dict[str, float]:
    """Thresholds for `abnormal`, over all records at once, from analyses at `MIDDLE`.

    balanced : the best abnormal-beat F1
    high-sensitivity : the highest that misses one abnormal interval in twenty
    few-alarms : the lowest with six false alarms an hour of normal signal
    """
    f1 = {at: _figure(scored(found, recordings, at, intervals=False), "beat.abnormal.f1") for at in _ABNORMAL}
    balanced = max(_ABNORMAL, key=lambda threshold: f1[threshold])
    trades = called(scored(found, recordings, MIDDLE))
    sensitive = [one.threshold for one in trades if one.right >= _RECALL * one.abnormal]
    quiet = [one.threshold for one in trades if one.wrong <= _ALARMS * one.normal_hours]
    return {
        BALANCED: balanced,
        "high-sensitivity": min(balanced, max(sensitive, default=trades[0].threshold)),
        "few-alarms": max(balanced, min(quiet, default=trades[-1].threshold)),
    }


def _at(beat: float, abnormal: float = MIDDLE, doubt: float = DOUBTS[-1]) -> dict[str, float]:
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


def scored(
    found: Mapping[str, Analysis], recordings: Recordings, abnormal: float, *, intervals: bool = True
) -> list[RecordScores]:
    """Their scores at a threshold, all from 5:00; of beats only, where they were analysed at another one."""
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
                analysis.intervals if intervals else None,
                _START_S,
                record=name,
                patient=patient(name),
                threshold=abnormal,
            )
        )
    return scores


def _readable(models: Models, recordings: Recordings, beat: float, abnormal: float, doubt: float) -> bool:
    """Whether enough intervals are."""
    found = scored(analyses(models, recordings, _at(beat, abnormal, doubt)), recordings, abnormal)
    return _figure(found, "interval.unreadable.share") <= _UNREADABLE


def _figure(scores: list[RecordScores], name: str) -> float:
    totals = record_table(scores).drop(columns="patient").sum()
    return float(count_figures(totals.to_dict())[name])


def _detection_f1(scores: list[RecordScores]) -> float:
    se, ppv = (_figure(scores, f"beat.detection.{name}") for name in ("se", "ppv"))
    return 2 * se * ppv / (se + ppv) if se + ppv else 0.0
