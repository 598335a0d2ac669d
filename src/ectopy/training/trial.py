"""A beat model tried on beats that are there: what its choices are worth, out of fold, before it is made to ship."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ectopy import data
from ectopy.evaluation import auroc, average_precision
from ectopy.recording import AAMI_CLASSES
from ectopy.training.beat_model import Finders, Fold, Found, calibrated, cross_validate, find_beats, find_finders
from ectopy.training.recipes import Recipe, SeriesSettings
from ectopy.training.runs import Plan, progress, silent
from ectopy.training.series import ABNORMAL

_N, _Q = AAMI_CLASSES.index("N"), AAMI_CLASSES.index("Q")
_THRESHOLDS = np.round(np.arange(0.05, 1, 0.05), 2)


def opened(plan: Plan) -> tuple[Found, Finders]:
    """The beats that trials are made on, and who found them.

    Raises
    ------
    ModelError
        If there is no run of `instant` to build on.
    RecordError
        If a record is not on this machine.
    """
    finders = find_finders(plan.place("instant").parent, plan.folder("instant"), plan.protocol)
    with progress() as bar:
        return find_beats(plan.begin(bar), plan, finders, bar), finders


def tried(
    recipe: Recipe,
    beats: Found,
    finders: Finders,
    config: Any,
    settings: SeriesSettings,
    done: Callable[[Sequence[Fold]], None] = lambda folds: None,
    *,
    taught: Found | None = None,
) -> pd.DataFrame:
    """Beat by beat what each fold's model says of its held-out patients, first lead, calibrated on the other folds'.

    taught : what trains, if it isn't what is tested
    done : called after each fold with those so far; what it raises ends the trial
    Columns record, patient, fold, truth (0 to 4, -1 where there is no beat), anomaly, and N to Q of a classifier.
    """

    with TemporaryDirectory() as folder:
        folds: list[Fold] = []
        for fold in cross_validate(recipe, taught or beats, beats, finders, config, settings, Path(folder), silent):
            folds.append(fold)
            done(folds)
    parts = [calibrated_on([one for one in folds if one is not fold], [fold], recipe, beats) for fold in folds]
    return pd.concat([part.assign(fold=number) for number, part in enumerate(parts)], ignore_index=True)


def calibrated_on(others: Sequence[Fold], folds: Sequence[Fold], recipe: Recipe, beats: Found) -> pd.DataFrame:
    """What `folds` say of their patients, calibrated on what `others` knew of theirs; as `tried`, but the fold."""
    calibration = calibrated(recipe, others, beats)
    parts = []
    for record, evidence in (item for fold in folds for item in fold.evidence.items()):
        said = calibration.apply(evidence)
        columns = dict(zip(AAMI_CLASSES, said.T, strict=True)) if said.shape[1] > 1 else {}
        anomaly = 1 - said[:, _N] - said[:, _Q] if columns else said[:, 0]
        about = {"record": record, "patient": data.patient(record)}
        parts.append(pd.DataFrame({"truth": beats[record][0].label, "anomaly": anomaly, **columns}).assign(**about))
    return pd.concat(parts, ignore_index=True)


def ranking(said: pd.DataFrame) -> dict[str, float]:
    """AUROC and AUPRC of abnormal beats (S, V, F) against all others but Q."""
    scored = said[said["truth"] != _Q]
    abnormal, anomaly = scored["truth"].isin(ABNORMAL).to_numpy(), scored["anomaly"].to_numpy()
    return {"AUROC": float(auroc(abnormal, anomaly)[0]), "AUPRC": float(average_precision(abnormal, anomaly)[0])}


def figures(said: pd.DataFrame, threshold: float) -> dict[str, float]:
    """`ranking`, and F1 of abnormal beats and of the classes at a threshold."""
    truth, anomaly = said["truth"].to_numpy(), said["anomaly"].to_numpy()
    called = anomaly >= threshold
    found = {**ranking(said), "abnormal F1": _f1(np.isin(truth, ABNORMAL), called, truth != _Q)}
    if "N" in said:
        p = said[list(AAMI_CLASSES)].to_numpy()
        likeliest = np.where(called, 1 + p[:, 1:4].argmax(axis=1), np.where(p[:, _N] >= p[:, _Q], _N, _Q))
        for place, aami in ((2, "V"), (1, "S")):
            found[f"{aami} F1"] = _f1(truth == place, likeliest == place, np.ones(len(truth), bool))
    return found


def best_threshold(said: pd.DataFrame) -> float:
    """That of the best F1 of abnormal beats."""
    truth, anomaly = said["truth"].to_numpy(), said["anomaly"].to_numpy()
    abnormal, scored = np.isin(truth, ABNORMAL), truth != _Q
    return float(max(_THRESHOLDS, key=lambda at: _f1(abnormal, anomaly >= at, scored)))


def _f1(truth: NDArray[np.bool_], called: NDArray[np.bool_], scored: NDArray[np.bool_]) -> float:
    right, both = np.sum(truth & called & scored), np.sum(truth & scored) + np.sum(called & scored)
    return float(2 * right / both) if both else 0.0
