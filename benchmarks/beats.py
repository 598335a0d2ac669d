"""Who finds the beats: `instant`, gqrs, sleepecg, BioSPPy's PanTompkins++; clean and in electrode-motion noise.

    python benchmarks/beats.py [DS1|svdb-even|...]      DS1 if none is named

Sensitivity and positive predictivity (150 ms, one to one) over all beats, those of mitdb from 5:00 on. The noise is of
the stretches that trained nothing. CPU is that of clean records. The others see the whole record at once; `instant`
decides every beat within 2 s. The patients of DS1 and svdb-even trained it, so there it shows its fit; a look at a test
split is recorded.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from _common import heading, row, run
from ectopy import Recording, analyze
from ectopy.data import patient
from ectopy.evaluation import (
    TEST_SPLITS,
    RecordScores,
    checkout,
    evaluate_record,
    gqrs_beats,
    in_noise,
    record_look,
    record_table,
    records_of,
    sleepecg_beats,
    summarize,
)
from ectopy.zoo import load

LEVELS_DB = (None, 12, 6, 0)


def instant(recording: Recording) -> np.ndarray:
    return analyze(recording).beats["sample"].to_numpy(dtype=np.int64)


def pan_tompkins_plus_plus(recording: Recording) -> np.ndarray:
    from biosppy.signals import ecg

    found = ecg.Pan_Tompkins_Plus_Plus_segmenter(recording.samples[:, 0].astype(float), float(recording.fs))
    return np.unique(np.asarray(found["rpeaks"], dtype=np.int64))


FINDERS: dict[str, Callable[[Recording], np.ndarray]] = {
    "instant": instant,
    "gqrs": gqrs_beats,
    "sleepecg": sleepecg_beats,
    "PanTompkins++": pan_tompkins_plus_plus,
}


def compare() -> None:
    on = sys.argv[1] if len(sys.argv) > 1 else "DS1"
    names = records_of(on)
    what = f"beat finders on {on}, {len(names)} records, first lead: Se / +P in %"
    heading(what, "ectopy", "wfdb", "sleepecg", "biosppy")
    scores: dict[tuple[str, int | None], list[RecordScores]] = {}
    cpu_s, hours = dict.fromkeys(FINDERS, 0.0), 0.0
    for name in names:
        for level, noisy in in_noise(name, LEVELS_DB):
            hours += noisy.duration_s / 3600 if level is None else 0
            for finder, find in FINDERS.items():
                began = time.process_time()
                found = find(noisy)
                if level is None:
                    cpu_s[finder] += time.process_time() - began
                scores.setdefault((finder, level), []).append(score(noisy, name, found))
    root = checkout(Path.cwd())
    if on in TEST_SPLITS and root:
        model, clean = load("instant"), {"clean": summarize(scores["instant", None])}
        words = {"model": model.name, "sha256": model.hash, "leads": "first"}
        print(f"look recorded in {record_look(root, **words, split=f'{on} beats', scores=clean)}\n")
    row("", *("clean" if level is None else f"{level} dB" for level in LEVELS_DB), "CPU s/h")
    for finder in FINDERS:
        row(finder, *(figures(scores[finder, level]) for level in LEVELS_DB), f"{cpu_s[finder] / hours:.2f}")


def score(recording: Recording, name: str, found: np.ndarray) -> RecordScores:
    """Of the beats found, whatever their class."""
    beats = pd.DataFrame({"sample": found, "aami": None, "anomaly": 0.0})
    marks, start_s = recording.annotations, 300.0 if name.startswith("mitdb/") else 0.0
    assert marks is not None
    return evaluate_record(
        marks, recording.fs, recording.duration_s, beats, None, start_s, record=name, patient=patient(name)
    )


def figures(scores: list[RecordScores]) -> str:
    """Se / +P over all records."""
    counts = record_table(scores)[["matched", "missed", "extra"]].sum()
    se, ppv = (counts["matched"] / (counts["matched"] + counts[other]) for other in ("missed", "extra"))
    return f"{100 * se:.2f}/{100 * ppv:.2f}"


if __name__ == "__main__":
    run(compare)
