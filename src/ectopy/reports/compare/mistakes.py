"""Sections on mistakes: the most confident ones of each class on ECG paper, and what the mistakes have in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ectopy.data import read
from ectopy.evaluation import Comparison, auroc, features
from ectopy.figures import CLASS_NAMES, clock
from ectopy.figures import compare as draw
from ectopy.recording import AamiClass
from ectopy.reports.section import Section, listed, percent, plural, short
from ectopy.signal import condition

_SHOWN = 6  # of a class
_OF_ONE = 2  # at most, of a record
_FEW = 5  # beats below which nothing is said of them
_TELLING = 0.15  # distance from an area of 0.5 from which a feature is worth a word
# feature -> (how it is said, digits)
_FEATURES = {
    "prematurity": ("RR interval beside the usual one", 2),
    "likeness": ("likeness to the record's usual beat", 2),
    "width_ms": ("width at half height in ms", 0),
    "irregularity": ("spread of the last RR intervals beside the usual one", 2),
    "quality": ("signal quality", 2),
}


def galleries(comparison: Comparison, data_dir: Path | None = None) -> Iterator[Section]:
    """For each reference class a section on what the best model with classes made of it."""
    named = [
        e for e in comparison.drawn if e.kind == "model" and "beat.V.f1" in comparison.headline(e.name).figures.index
    ]
    if not named:
        return
    best = max(named, key=lambda e: np.nan_to_num(comparison.value(e.name, "interval.abnormal.f1")))
    known = comparison.outcomes(best.name)
    known = pd.concat(
        [_described(of, str(record), data_dir) for record, of in known.groupby("record", sort=False)], ignore_index=True
    )
    for aami in ("N", "S", "V", "F"):
        yield _section(best.name, known[known["truth"] == aami], aami, data_dir)


def _described(outcomes: pd.DataFrame, record: str, data_dir: Path | None) -> pd.DataFrame:
    """A record's outcomes with the features that may explain them, of the reference beats on its first lead."""
    recording = read(record, data_dir=data_dir)
    assert recording.annotations is not None
    fs, sample = float(recording.fs), recording.annotations.beats.sample
    conditioned = condition(recording.samples[:, :1], recording.fs)
    shape = features.shapes(conditioned, sample, fs)[0]
    rhythm = features.rhythm(sample, fs)
    second = np.clip((sample / fs).astype(int), 0, conditioned.n_blocks - 1)
    table = rhythm.assign(
        sample=sample,
        likeness=features.likeness(shape),
        width_ms=features.width_ms(shape),
        irregularity=rhythm["rr_s"].rolling(10, min_periods=3).std().shift(1) * rhythm["prematurity"] / rhythm["rr_s"],
        quality=conditioned.quality[0, second],
    )
    columns = ["sample", *_FEATURES]
    known = outcomes.merge(table[columns].drop_duplicates("sample"), on="sample", how="left")
    return known.assign(time_s=known["sample"] / fs)


def _section(name: str, beats: pd.DataFrame, aami: AamiClass, data_dir: Path | None) -> Section:
    key, title = f"mistakes-{aami}", f"Mistakes in {aami} ({CLASS_NAMES[aami]})"
    wrong = beats[(beats["called"] != aami) & ~((aami == "N") & (beats["called"] == "Q"))]
    if beats.empty:
        return Section(key, title, f"No {aami} beat in these records.")
    if wrong.empty:
        return Section(key, title, f"{name} mistakes none of {plural(len(beats), f'{aami} beat')}.")
    text = f"{name} mistakes {len(wrong):,} of {plural(len(beats), f'{aami} beat')}{_called(wrong)}. "
    text += f"{_where(wrong, beats, aami)}{_common(wrong, beats[beats['called'] == aami])}"
    shown = _most_confident(wrong)
    if shown.empty:
        return Section(key, title, text)
    which = "the one" if len(shown) == 1 else f"the {len(shown)}"
    text += (
        f" Drawn: {which} it is surest of, at most {_OF_ONE} of a record. The beat is shaded; below it stands what it "
    )
    text += "was called and how probable that was said to be, above are the reference's symbols."
    return Section(key, title, text, draw.gallery([_mistake(row, aami, data_dir) for _, row in shown.iterrows()]))


def _called(wrong: pd.DataFrame) -> str:
    counts = wrong["called"].value_counts()
    return f" ({listed([f'{n:,} ' + ('not found' if c == 'missed' else f'called {c}') for c, n in counts.items()])})"


def _where(wrong: pd.DataFrame, beats: pd.DataFrame, aami: str) -> str:
    """Which records hold most of the mistakes."""
    counts = wrong["record"].value_counts()
    top = counts.index[:2]
    if len(counts) <= len(top):
        return f"All are in {listed([short(str(name)) for name in top])}. "
    share = counts[:2].sum() / len(wrong)
    own = beats["record"].isin(top).sum() / len(beats)
    text = f"{listed([short(str(name)) for name in top])} hold {percent(float(share))} of them"
    return f"{text} (and {percent(float(own))} of all {aami} beats). "


def _common(wrong: pd.DataFrame, right: pd.DataFrame) -> str:
    """The features that tell mistakes from beats judged rightly, best first."""
    said = []
    for feature, (words, digits) in _FEATURES.items():
        mine, others = wrong[feature].dropna(), right[feature].dropna()
        if len(mine) < _FEW or len(others) < _FEW:
            continue
        truth = np.repeat([True, False], [len(mine), len(others)])
        area = float(auroc(truth, np.concatenate([mine, others]))[0])
        if abs(area - 0.5) >= _TELLING:
            line = f"{words} {mine.median():.{digits}f} (median; {others.median():.{digits}f} in those judged rightly)"
            said.append((abs(area - 0.5), line))
    if not len(right):
        return "None is judged rightly."
    if len(wrong) < _FEW or len(right) < _FEW:
        return "Too few to say what they have in common."
    if not said:
        return "Nothing measured (rhythm, shape, width, quality) tells them from those judged rightly."
    lines = [line for _, line in sorted(said, reverse=True)[:3]]
    return f"In common: {'; '.join(lines)}."


def _most_confident(wrong: pd.DataFrame) -> pd.DataFrame:
    ordered = wrong[wrong["confidence"].notna()].sort_values("confidence", ascending=False, kind="stable")
    return ordered.groupby("record", sort=False).head(_OF_ONE).head(_SHOWN)


def _mistake(row: pd.Series, aami: str, data_dir: Path | None) -> draw.Mistake:
    recording = read(str(row["record"]), data_dir=data_dir)
    title = f"{short(str(row['record']))}   {clock(row['time_s'])}   {aami} called {row['called']}"
    said = f"{row['called']} {row['confidence']:.2f}"
    return draw.Mistake(recording.select(recording.leads[:1]), float(row["time_s"]), said, title)
