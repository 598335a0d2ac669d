"""What noise does to the verdicts: as it grows they should become `unreadable`, and not wrong.

Real electrode motion (`ectopy.data.electrode_motion`, of a test the stretches that trained nothing) is added to the
whole of a record's first lead at a signal-to-noise ratio; then everything is scored as it is without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ectopy.analysis import Analysis, analyze
from ectopy.data import NoisePart, at_snr, electrode_motion, hand_held, patient, read
from ectopy.evaluation.benchmark import each_record
from ectopy.evaluation.bootstrap import draw_patients, interval_95
from ectopy.evaluation.gross import count_figures, record_table
from ectopy.evaluation.ranking import auroc
from ectopy.evaluation.record import RecordScores, evaluate_record
from ectopy.evaluation.scope import noisy_stretches
from ectopy.evaluation.tables import markdown
from ectopy.recording import Recording
from ectopy.verdict import INTERVAL_S
from ectopy.zoo import TrainedModel

LEVELS_DB = (None, 24, 18, 12, 6, 0, -6)  # None: as it is
_START_S = 300.0  # where mitdb is scored from, and nstdb's noise begins


@dataclass(frozen=True)
class Stressed:
    """A record at one level of noise.

    unmarked, unmarked_unreadable : its intervals that no `~` annotation calls noisy, and those of them unreadable
    """

    level_db: int | None
    scores: RecordScores
    unmarked: int
    unmarked_unreadable: int


def stress(
    names: Sequence[str],
    model: str,
    *,
    levels_db: Sequence[int | None] = LEVELS_DB,
    data_dir: Path | None = None,
    done: Callable[[str], None] = lambda name: None,
) -> list[Stressed]:
    """Analyse and score each record at each level, from 5:00 on.

    names : records with annotations, as `mitdb/100`
    done : called with each record's name once it is scored

    Raises
    ------
    RecordError
        If a record, nstdb or mitdb's 118 is not on this machine.
    """
    judge = partial(_stress_record, model=model, levels_db=tuple(levels_db), data_dir=data_dir)
    return [one for records in each_record(judge, names, done) for one in records]


def _stress_record(name: str, model: str, levels_db: Sequence[int | None], data_dir: Path | None) -> list[Stressed]:
    """One record at each level."""
    noisy = in_noise(name, levels_db, data_dir)
    return [score_in_noise(name, recording, level, model) for level, recording in noisy]


def in_noise(
    name: str, levels_db: Sequence[int | None], data_dir: Path | None = None, part: NoisePart = "test"
) -> Iterator[tuple[int | None, Recording]]:
    """The first lead of a record at each level; `part` of the noise, as `electrode_motion` has it."""
    recording = read(name, data_dir=data_dir)
    recording = recording.select(recording.leads[:1])
    noise = np.resize(electrode_motion(part, data_dir, fs=recording.fs).T, (1, len(recording.samples))).T
    for level in levels_db:
        samples = recording.samples if level is None else at_snr(recording.samples, noise, level)
        yield level, replace(recording, samples=samples)


def score_in_noise(name: str, recording: Recording, level: int | None, model: str | TrainedModel) -> Stressed:
    """Analyse and score one of `in_noise`."""
    analysis = analyze(recording, model=model)
    assert recording.annotations is not None
    scores = evaluate_record(
        recording.annotations,
        recording.fs,
        recording.duration_s,
        analysis.beats,
        analysis.intervals,
        _START_S,
        record=name,
        patient=patient(name),
    )
    return Stressed(level, scores, *_unmarked(analysis))


def _unmarked(analysis: Analysis) -> tuple[int, int]:
    """How many intervals that are scored no `~` annotation calls noisy, and how many of them are unreadable."""
    recording, intervals = analysis.recording, analysis.intervals
    assert recording.annotations is not None
    marked = noisy_stretches(recording.annotations, len(recording.samples)) / float(recording.fs)
    starts = intervals["start_s"].to_numpy()[:, None]
    noisy = ((marked[:, 0] < starts + INTERVAL_S) & (marked[:, 1] > starts)).any(axis=1)
    unmarked = (starts[:, 0] >= _START_S) & ~noisy
    return int(unmarked.sum()), int((unmarked & (intervals["verdict"] == "unreadable").to_numpy()).sum())


def stress_table(found: Sequence[Stressed]) -> pd.DataFrame:
    """A row a level: beat Se and +P, abnormal-beat F1; the shares of intervals that are unreadable, also of those that
    nobody marked noisy; the shares wrong of the readable ones, and of all."""
    rows = {}
    for level in dict.fromkeys(one.level_db for one in found):
        at_level = [one for one in found if one.level_db == level]
        counts = record_table([one.scores for one in at_level]).drop(columns="patient").sum()
        figures = count_figures(counts.to_dict())
        intervals, unreadable, wrong = wrong_counts(at_level)[["intervals", "unreadable", "wrong"]].sum()
        unmarked = sum(one.unmarked for one in at_level)
        rows["clean" if level is None else f"{level} dB"] = {
            "beat Se": figures["beat.detection.se"],
            "beat +P": figures["beat.detection.ppv"],
            "abnormal-beat F1": figures["beat.abnormal.f1"],
            "unreadable": figures["interval.unreadable.share"],
            "unreadable, not marked noisy": sum(one.unmarked_unreadable for one in at_level) / max(unmarked, 1),
            "wrong of readable": wrong / max(intervals - unreadable, 1),
            "wrong of all": wrong / intervals,
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype(float)


def wrong_counts(found: Sequence[Stressed]) -> pd.DataFrame:
    """A row a record and level: `record`, `patient`, `level_db`, how many `intervals` are scored, how many of them are
    `unreadable`, and how many `wrong`."""
    table = record_table([one.scores for one in found]).reset_index()
    wrong = table["readable_fp"] + table["readable_fn"]
    intervals = wrong + table["readable_tp"] + table["readable_tn"] + table["unreadable"]
    columns = {"level_db": [one.level_db for one in found], "intervals": intervals, "wrong": wrong}
    return table[["record", "patient", "unreadable"]].assign(**columns)


def against_clean(counts: pd.DataFrame, level_db: float) -> str:
    """By how many percentage points more of all intervals are wrong at a level than without noise, with a 95 %
    interval by a paired bootstrap over patients; `counts` of `wrong_counts`, the clean level among them."""
    levels = (counts[counts["level_db"] == level_db], counts[counts["level_db"].isna()])
    noisy, clean = (level.groupby("patient")[["wrong", "intervals"]].sum().to_numpy().T for level in levels)
    weights = np.concatenate([np.ones((1, clean.shape[1]), int), draw_patients(clean.shape[1])])
    more = 100 * ((weights @ noisy[0]) / (weights @ noisy[1]) - (weights @ clean[0]) / (weights @ clean[1]))
    low, high = interval_95(more[1:])
    return f"{more[0]:+.1f} [{low:+.1f}, {high:+.1f}]"


def stress_report(about: str, found: Sequence[Stressed], mixed: Sequence[Stressed], hand: dict[str, float]) -> str:
    """Markdown of a run: records in noise by level, records that came with noise in them, hand-held recordings."""
    tables = [stress_table(found), *(stress_table([one]).set_axis([one.scores.record]) for one in mixed)]
    rows = [["first lead, from 5:00", *tables[0].columns, "wrong, against clean"]]
    counts = wrong_counts(found)
    against = {f"{level:g} dB": against_clean(counts, level) for level in counts["level_db"].dropna().unique()}
    table = pd.concat(tables)
    for level in table.index:
        cells = [f"{v:.3f}" if "F1" in column else f"{100 * v:.2f} %" for column, v in table.loc[level].items()]
        rows.append([str(level), *cells, against.get(str(level), "")])
    return (
        f"# {about}\n\n{markdown(rows)}\n"
        "The last column: by how many percentage points more of all intervals are wrong than without noise, with a "
        "95 % interval by a paired bootstrap over patients.\n\n"
        "nstdb's 118 is a training patient, and half of its noise trained the model: these rows show its fit.\n\n"
        f"Hand-held, the half of cinc2017 that set nothing ({hand['records']} records, {hand['noisy']} noisy): AUROC "
        f"of a record's mean quality {hand['auroc']:.3f} [{hand['auroc_low']:.3f}, {hand['auroc_high']:.3f}]; "
        f"of the {hand['normal_intervals']} intervals of {hand['normal']} records labelled normal "
        f"{100 * hand['abnormal_of_normal']:.1f} % [{100 * hand['abnormal_low']:.1f} %, "
        f"{100 * hand['abnormal_high']:.1f} %] come out abnormal, in {hand['normal_touched']} of those records.\n"
    )


def hand_held_figures(
    model: str, part: Literal["training", "test"] = "test", data_dir: Path | None = None
) -> dict[str, float]:
    """`cinc2017`: does the mean quality of a record tell the noisy ones, and are normal ones left alone? With 95 %
    intervals by bootstrap over records.

    part : the half that set nothing, or the one that set the quality index and trained models
    """
    rows = hand_held(part, data_dir)
    quality, normal = [], []
    for name, label in rows:
        result = analyze(read(name, data_dir=data_dir), model=model).intervals
        quality.append(float(np.average(result["quality"], weights=result["end_s"] - result["start_s"])))
        if label == "N":
            normal.append((int((result["verdict"] == "abnormal").sum()), len(result)))
    noisy = np.array([label == "~" for _, label in rows])
    low, high = interval_95(_auroc_draws(noisy, np.array(quality)))
    abnormal, intervals = np.array(normal or [(0, 0)]).T
    weights = np.concatenate([np.ones((1, len(abnormal)), int), draw_patients(len(abnormal))])
    with np.errstate(invalid="ignore"):  # NaN where no record is labelled normal
        shares = (weights @ abnormal) / (weights @ intervals)
    abnormal_low, abnormal_high = interval_95(shares[1:])
    return {
        "records": len(rows),
        "noisy": int(noisy.sum()),
        "auroc": float(auroc(noisy, -np.array(quality))[0]),
        "auroc_low": low,
        "auroc_high": high,
        "normal": len(normal),
        "normal_touched": int(np.count_nonzero(abnormal)),
        "normal_intervals": int(intervals.sum()),
        "abnormal_of_normal": float(shares[0]),
        "abnormal_low": abnormal_low,
        "abnormal_high": abnormal_high,
    }


def _auroc_draws(noisy: NDArray[np.bool_], quality: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = draw_patients(len(noisy))
    return np.array([auroc(np.repeat(noisy, w), -np.repeat(quality, w))[0] for w in weights])
