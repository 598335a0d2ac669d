"""Does an index of signal quality tell noisy recordings? Ours beside NeuroKit2's and BioSPPy's, on the same data.

Two tasks, each as the area under the ROC curve: the records of cinc2017's unused half labelled noisy (`~`) against the
rest, by a record's mean quality; and the 5-second windows of nstdb's 118e06 and 118e24 with and without noise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from _common import heading, row, run
from ectopy.data import hand_held, read
from ectopy.evaluation import auroc
from ectopy.signal import condition

Index = Callable[[NDArray[np.float64], float], float]


def ours(x: NDArray[np.float64], fs: float) -> float:
    return float(condition(x[:, None], Fraction(fs)).quality.mean())


def neurokit(method: str) -> Index:
    def mean_quality(x: NDArray[np.float64], fs: float) -> float:
        import neurokit2

        cleaned = neurokit2.ecg_clean(x, sampling_rate=int(fs))
        try:
            return float(np.nanmean(neurokit2.ecg_quality(cleaned, sampling_rate=int(fs), method=method)))
        except (ValueError, IndexError, ZeroDivisionError):  # what it does where it finds too few beats
            return 0.0

    return mean_quality


def biosppy(x: NDArray[np.float64], fs: float) -> float:
    from biosppy.signals import ecg

    return float(ecg.kSQI(x))  # its fSQI and ZZ2018 fail on the SciPy of today


INDICES: dict[str, Index] = {
    "Ectopy, mean quality": ours,
    "NeuroKit2 averageQRS": neurokit("averageQRS"),
    "NeuroKit2 templatematch": neurokit("templatematch"),
    "BioSPPy kSQI": biosppy,
}


def unused_half() -> tuple[list[NDArray[np.float64]], NDArray[np.bool_], float]:
    rows = hand_held("test")
    signals = [read(name).samples[:, 0].astype(float) for name, _ in rows]
    return signals, np.array([label == "~" for _, label in rows]), 300


def stress_test() -> tuple[list[NDArray[np.float64]], NDArray[np.bool_], float]:
    windows, noisy = [], []
    for name in ("nstdb/118e06", "nstdb/118e24"):
        x = read(name).samples[:, 0].astype(float)
        for start_s in range(1260, 1740, 5):  # stretches that fitted nothing
            windows.append(x[start_s * 360 : (start_s + 5) * 360])
            noisy.append((start_s - 300) % 240 < 120)
    return windows, np.array(noisy), 360


def compare() -> None:
    heading("quality indices: area under the ROC curve", "ectopy", "neurokit2", "biosppy")
    tasks = {"cinc2017": unused_half(), "nstdb, 5 s": stress_test()}
    row("", *tasks)
    warnings.simplefilter("ignore")
    for name, index in INDICES.items():
        areas = []
        for signals, noisy, fs in tasks.values():
            values = np.array([index(x, fs) for x in signals])
            areas.append(f"{float(auroc(noisy, -values)[0]):.3f}")
        row(name, *areas)


if __name__ == "__main__":
    run(compare)
