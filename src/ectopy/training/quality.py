"""How the quality index is fitted: good seconds of training patients against noise, and the same patients in noise.

Good: DS1 without 201, whose other record is in DS2, and the records of every second line of the local `cinc2017` that
are not labelled noisy (`~`). Bad: its records labelled `~`; electrode motion; white noise; those of DS1 with electrode
motion at 0 and -6 dB and with white noise at -3 dB. Records of a kind weigh the same. A quadratic logistic regression;
its intercept is set so that the chosen share of the DS1 records' intervals is unreadable when other patients fitted it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ectopy import data, signal
from ectopy.errors import OutputError
from ectopy.evaluation import auroc
from ectopy.signal import FEATURES, READABLE, TERMS, condition
from ectopy.training.runs import training_records

UNREADABLE_SHARE = 0.01  # of the training patients' clean intervals
_FOLDS = 5
_WEIGHT = {"good": 1.0, "mixed": 0.3, "noise": 4.0}  # of a record: many are mixtures, few are nothing but noise


@dataclass(frozen=True)
class Seconds:
    """The seconds of one record: a row of features each."""

    record: str
    kind: Literal["good", "mixed", "noise"]
    rows: NDArray[np.float64]


def fit_quality(data_dir: Path | None = None, out: Path | None = None) -> Path:
    """Fit the index and write `quality.json`; gives its path.

    Raises
    ------
    RecordError
        If mitdb, nstdb or cinc2017 is not on this machine.
    OutputError
        If the file can't be written.
    """
    noise = np.concatenate([data.electrode_motion(part, data_dir) for part in ("training", "choice")])
    rng = np.random.default_rng(0)
    seconds = [Seconds("motion", "noise", _rows(noise[:, [lead]], 360)) for lead in (0, 1)]
    seconds += [Seconds(f"white {fs}", "noise", _rows(rng.normal(size=(300 * fs, 1)), fs)) for fs in (128, 360)]
    ds1 = [name for name in training_records("shipped", None) if name in data.split("DS1")]
    for name in track(ds1, description="DS1, clean and in noise"):
        seconds += _patient(name, noise, rng, data_dir)
    for name, label in track(data.hand_held("training", data_dir), description="cinc2017"):
        recording = data.read(name, data_dir=data_dir)
        seconds.append(Seconds(name, "noise" if label == "~" else "good", _rows(recording.samples, recording.fs)))
    intercept, weights = _fit(seconds)
    held_out = _held_out(seconds)
    labelled = [one for one in seconds if one.record.startswith("cinc2017")]
    noisy = np.array([one.kind == "noise" for one in labelled])
    means = np.array([_squash(held_out[one.record]).mean() for one in labelled])
    content = {
        "made_by": "ectopy train quality",
        "out_of_fold": {
            "auroc_of_noisy_cinc2017_records": round(float(auroc(noisy, -means)[0]), 3),
            "noisy": int(noisy.sum()),
            "records": len(labelled),
        },
        "intercept": intercept + _shift([held_out[name] for name in ds1]),
        "weights": weights,
    }
    path = (out or Path(signal.__file__).parent) / "quality.json"
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror}); name another folder with --out") from None
    return path


def _patient(name: str, noise: NDArray[np.float32], rng: np.random.Generator, data_dir: Path | None) -> list[Seconds]:
    recording = data.read(name, data_dir=data_dir)
    x, fs = recording.samples[:, :1], recording.fs
    part = x[: len(noise)]
    mixed = [data.at_snr(part, noise[:, [rng.integers(2)]], snr) for snr in (-6, 0)]
    mixed.append(data.at_snr(part, rng.normal(size=part.shape).astype(np.float32), -3))
    return [Seconds(name, "good", _rows(x, fs)), *(Seconds(name, "mixed", _rows(m, fs)) for m in mixed)]


def _rows(samples: NDArray[np.floating], fs: Fraction | int) -> NDArray[np.float64]:
    rows = condition(samples, Fraction(fs)).features[0]
    return rows[np.isfinite(rows).all(axis=1)]


def _terms(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.prod(rows[:, term], axis=1) for term in map(list, TERMS)], axis=1)


def _fit(seconds: Sequence[Seconds]) -> tuple[float, dict[str, float]]:
    """The intercept and the weight of each term, on the features as they are."""
    terms = np.concatenate([_terms(one.rows) for one in seconds])
    good = np.concatenate([np.full(len(one.rows), one.kind == "good") for one in seconds])
    weight = np.concatenate([np.full(len(one.rows), _WEIGHT[one.kind] / len(one.rows)) for one in seconds])
    weight[good] *= weight[~good].sum() / weight[good].sum()
    scaler = StandardScaler().fit(terms)
    model = LogisticRegression(C=0.01, max_iter=3000)
    model.fit(scaler.transform(terms), good, sample_weight=weight * len(weight) / weight.sum())
    weights = model.coef_[0] / scaler.scale_
    names = [" * ".join(FEATURES[place] for place in term) for term in TERMS]
    intercept = float(model.intercept_[0] - (weights * scaler.mean_).sum())
    return intercept, dict(zip(names, weights.tolist(), strict=True))


def _held_out(seconds: Sequence[Seconds]) -> dict[str, NDArray[np.float64]]:
    """The logit of each record's seconds, as they are, by an index that has not seen the record."""
    names = list(dict.fromkeys(one.record for one in seconds if "/" in one.record))
    logits = {}
    for fold in track(range(_FOLDS), description="out of fold"):
        unseen = set(names[fold::_FOLDS])
        intercept, weights = _fit([one for one in seconds if one.record not in unseen])
        for one in seconds:
            if one.record in unseen and one.kind != "mixed":
                logits[one.record] = intercept + _terms(one.rows) @ np.array(list(weights.values()))
    return logits


def _shift(patients: Sequence[NDArray[np.float64]]) -> float:
    """What to add to the logit, so that the chosen share of intervals has three seconds or more under `READABLE`."""
    third = [np.sort(z[: len(z) // 5 * 5].reshape(-1, 5), axis=1)[:, 2] for z in patients]
    return float(_logit(READABLE) - np.quantile(np.concatenate(third), UNREADABLE_SHARE))


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def _squash(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-z))
