"""Sections on why patients must not cross a split: beats in a plane, and what the nearest beat knows.

UMAP: McInnes L, Healy J, Melville J. arXiv 1802.03426 (2018); drawn where the package umap-learn is installed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures import eda as draw
from ectopy.recording import AAMI_CLASSES, ABNORMAL_CLASSES
from ectopy.reports.eda.tables import KEPT, Tables
from ectopy.reports.section import Section, percent, plural, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_FEWEST = 30  # beats that make a picture
_PATIENTS = 5  # between whom a split is worth the name
_BLOCK = 2048  # beats compared with all others at once
_RANDOM, _PATIENT = "neighbours of any patient (random split)", "neighbours of other patients (split by patient)"


@dataclass(frozen=True, eq=False)
class Sample:
    """The beats that are compared: shape of the first lead (n, 96), prematurity, class, patient."""

    shapes: np.ndarray
    prematurity: np.ndarray
    aami: np.ndarray
    patient: np.ndarray


def sample_of(tables: Tables) -> Sample:
    """At most `KEPT` beats of a class a record, of training patients where there are any."""
    rows = tables.trained_on(tables.shaped)
    rows = rows[rows["place"] == 0]
    early = tables.beats["prematurity"].to_numpy()[rows["beat"]]
    known = np.isfinite(early)
    rows = rows[known]
    return Sample(
        tables.shapes[rows.index],
        early[known],
        rows["aami"].to_numpy(dtype=str),
        rows["patient"].to_numpy(dtype=str),
    )


def embedding(tables: Tables) -> Section:
    """Beats in a plane, coloured by class and by patient."""
    key, title = "embedding", "Beats in a plane"
    sample = sample_of(tables)
    if len(sample.aami) < _FEWEST:
        return Section(key, title, f"Under {_FEWEST} beats with shape and rhythm: nothing to embed.")
    plane, share = pca(sample.shapes)
    planes = {"PCA": plane}
    umap = _umap(sample.shapes)
    if umap is not None:
        planes["UMAP"] = umap
    whose = "training patient" if tables.has_training else "patient"
    n = len(set(sample.patient))
    text = (
        f"A point is the shape of a beat in the first lead ({plural(len(sample.aami), 'beat')} of {plural(n, whose)}, "
    )
    text += (
        f"at most {KEPT} of a class a record; 98 % of them along each axis). The plane of PCA holds {percent(share)} "
    )
    text += "of the variance."
    if n > 1:
        same, chance = _same_patient(sample)
        gather = "gather" if same > chance else "do not gather"
        text += f" Beats {gather} by patient: for {percent(same)} the nearest other beat is of the same patient, where "
        text += f"chance would give {percent(chance)}."
    if umap is None:
        text += " UMAP is not drawn: its package is not installed (pip install 'ectopy[umap]')."
    return Section(key, title, text, _planes(planes, sample))


def nearest(tables: Tables) -> Section:
    """What a nearest-neighbour classifier seems to reach with and without the patient's own beats."""
    from matplotlib.figure import Figure

    key, title = "random-or-patient-split", "Why patients must not cross a split"
    sample = sample_of(tables)
    if len(sample.aami) < _FEWEST or len(set(sample.patient)) < _PATIENTS:
        return Section(key, title, f"Under {_PATIENTS} patients, or {_FEWEST} beats: no split to compare.")
    scores = neighbour_scores(sample)
    if "abnormal" not in scores.index:
        return Section(key, title, "Beats of one kind only: no class to tell.")
    seeming, honest = scores.loc["abnormal"]
    text = "A beat gets the class of the nearest other beat (shape and prematurity). If that may be the patient's own, "
    text += f"as in a random split, abnormal-beat F1 seems to be {seeming:.2f}; from other patients only it is "
    text += f"{honest:.2f}"
    classes = scores.drop(index="abnormal")
    falls = (classes.iloc[:, 0] - classes.iloc[:, 1]).round(2)
    if len(falls) and falls.max() > 0:
        before, after = scores.loc[falls.idxmax()]
        text += f", and class {falls.idxmax()} falls from {before:.2f} to {after:.2f}"
    text += ". The difference is what a random split makes up." if round(seeming - honest, 2) > 0 else "."
    figure = Figure((7.5, 3.6), layout="constrained")
    draw.score_bars(figure.subplots(), scores)
    return Section(key, title, text, figure)


def pca(shapes: np.ndarray) -> tuple[np.ndarray, float]:
    """(n, 2): the first two principal components, and the share of the variance they hold."""
    centred = shapes - shapes.mean(axis=0)
    _, size, axes = np.linalg.svd(centred, full_matrices=False)
    return centred @ axes[:2].T, float((size[:2] ** 2).sum() / (size**2).sum())


def neighbour_scores(sample: Sample) -> pd.DataFrame:
    """F1 of the nearest neighbour, a row a class of 30 beats or more and one for abnormal beats.

    Columns: neighbours of any patient, as in a random split; of other patients only, as in a split by patient.
    """
    import pandas as pd

    # two blocks of equal variance: the shape, and how early the beat comes
    shape = (sample.shapes - sample.shapes.mean(axis=0)) / np.sqrt(sample.shapes.var(axis=0).sum())
    early = (sample.prematurity - sample.prematurity.mean()) / (sample.prematurity.std() or 1)
    points = np.column_stack([shape, early])
    called = {
        _RANDOM: sample.aami[_nearest(points, np.arange(len(points)))],
        _PATIENT: sample.aami[_nearest(points, np.unique(sample.patient, return_inverse=True)[1])],
    }
    known = [aami for aami in AAMI_CLASSES if (sample.aami == aami).sum() >= _FEWEST]
    scores: dict[str, dict[str, float]] = {
        way: {aami: _f1(sample.aami == aami, guess == aami) for aami in known} for way, guess in called.items()
    }
    truth = np.isin(sample.aami, ABNORMAL_CLASSES)
    if 0 < truth.sum() < len(truth):
        for way, guess in called.items():
            scores[way]["abnormal"] = _f1(truth, np.isin(guess, ABNORMAL_CLASSES))
    return pd.DataFrame(scores)


def _same_patient(sample: Sample) -> tuple[float, float]:
    """How often the nearest shape is of the same patient, and how often it were by chance."""
    _, code, counts = np.unique(sample.patient, return_inverse=True, return_counts=True)
    same = code[_nearest(sample.shapes, np.arange(len(code)))] == code
    chance = (counts * (counts - 1)).sum() / (len(code) * (len(code) - 1))
    return float(same.mean()), float(chance)


def _nearest(points: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """(n,) index of the point nearest to each, of those with another number in `apart`."""
    points = points.astype(np.float32)
    size = np.square(points).sum(axis=1)
    found = []
    for begin in range(0, len(points), _BLOCK):
        own = slice(begin, begin + _BLOCK)
        distance = size - 2 * points[own] @ points.T  # squared, less the own size, which is the same for all
        distance[apart[own][:, None] == apart] = np.inf
        found.append(distance.argmin(axis=1))
    return np.concatenate(found)


def _f1(truth: np.ndarray, called: np.ndarray) -> float:
    return float(2 * (truth & called).sum() / max(truth.sum() + called.sum(), 1))


def _umap(shapes: np.ndarray) -> np.ndarray | None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # umap imports TensorFlow where there is one
    try:
        import umap
    except ModuleNotFoundError:
        return None
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own affairs
        return np.asarray(umap.UMAP(random_state=0, n_jobs=1).fit_transform(shapes))


def _planes(planes: dict[str, np.ndarray], sample: Sample) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure((11, 4.9 * len(planes)), layout="constrained")
    axes = figure.subplots(len(planes), 2, squeeze=False)
    for (name, points), (left, right) in zip(planes.items(), axes, strict=True):
        draw.by_class(left, points, sample.aami)
        draw.by_patient(right, points, sample.patient, short)
        left.set_title(f"{name}, by class", fontsize=10)
        right.set_title(f"{name}, by patient", fontsize=10)
    return figure
