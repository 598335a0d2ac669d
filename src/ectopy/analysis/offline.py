"""`analyze`: a whole recording, by the same steps as a live stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ectopy.analysis.given import as_samples
from ectopy.analysis.result import Analysis
from ectopy.analysis.stream import StreamAnalyzer
from ectopy.errors import LeadError, SignalError
from ectopy.recording import NOT_CALIBRATED, Recording, looks_like_mv
from ectopy.signal import BATCH, check_rate
from ectopy.verdict import DEFAULT_MODEL, SHORTEST_S
from ectopy.zoo import BALANCED, TrainedModel


def analyze(
    recording: Recording | ArrayLike,
    fs: Fraction | float | str | None = None,
    *,
    model: str | TrainedModel = DEFAULT_MODEL,
    operating_point: str = BALANCED,
    leads: Sequence[str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Analysis:
    """Verdicts for a recording, one every 5 s.

    Parameters
    ----------
    recording : a `Recording`, or samples of shape (n,) or (n, n_leads), in mV or any other unit; NaN = missing
    fs : sampling rate in Hz of samples; a `Recording` has its own
    model : name of an installed model, or a loaded one
    operating_point : `balanced`, `high-sensitivity` or `few-alarms`, see `TrainedModel.at`
    leads : those to use; all if not given
    progress : called with the share done, 0 to 1

    Raises
    ------
    SignalError
        If the rate is missing or outside 100 to 1000 Hz, no sample is finite, or it is shorter than 2 s.
    LeadError
        If it has no lead of that name.
    ModelError, HashError
        If the model isn't installed, is damaged, or has no such operating point.
    """
    if not isinstance(recording, Recording):
        recording = _recording(recording, fs)
    elif fs is not None and check_rate(fs) != recording.fs:
        raise SignalError(f"fs={fs}: the recording has its own rate, {float(recording.fs):g} Hz; leave fs out")
    if leads is not None:
        recording = recording.select(leads)
    check_recording(recording)
    stream = StreamAnalyzer(recording.fs, recording.leads, model=model, operating_point=operating_point)
    n, step = len(recording.samples), int(BATCH * recording.fs)
    *before, last = range(0, n, step)
    verdicts, findings = [], []
    for begin in before:
        verdicts += stream.push(recording.samples[begin : begin + step])
        findings += stream.found()
        if progress:
            progress((begin + step) / n)
    verdicts += stream.finish(recording.samples[last:])
    if progress:
        progress(1.0)
    notes = () if recording.calibrated else (NOT_CALIBRATED,)
    findings += stream.found()
    return Analysis(recording, verdicts, stream.model.name, notes, findings)


def check_recording(recording: Recording) -> None:
    """Refuse what holds nothing to judge, where the whole of it is known beforehand.

    Raises
    ------
    SignalError
        If the rate is outside 100 to 1000 Hz, no sample is finite, or it is shorter than 2 s.
    """
    what = recording.name or "samples"
    check_rate(recording.fs)
    if recording.duration_s < SHORTEST_S:
        n, n_leads = recording.samples.shape
        across = f"; a row is a sample, so transpose them if {n} is the number of leads" if n < n_leads else ""
        found = f"{n} samples are {recording.duration_s:.2f} s"
        raise SignalError(f"{what}: {found}; expected at least {SHORTEST_S} s{across}")
    if not np.isfinite(recording.samples).any():
        raise SignalError(f"{what}: every sample of {', '.join(recording.leads)} is missing; nothing to analyse")


def _recording(samples: ArrayLike, fs: Fraction | float | str | None) -> Recording:
    if isinstance(samples, str):
        raise SignalError(f"{samples!r} is a name, and no samples; read it first: analyze(read({samples!r}))")
    if fs is None:
        raise SignalError("samples without a sampling rate; give it as fs=…, in Hz")
    x, rate = as_samples(samples), check_rate(fs)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2:
        raise SignalError(f"samples of shape {x.shape}: expected (n,) or (n, n_leads)")
    if x.shape[1] == 0:
        raise LeadError(f"samples of shape {x.shape}: no lead in them; expected at least one")
    leads = tuple(f"lead {n + 1}" for n in range(x.shape[1]))
    return Recording(x, rate, leads, calibrated=looks_like_mv(x, rate))
