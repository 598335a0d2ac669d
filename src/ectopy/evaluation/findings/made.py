"""Signals in which a high-priority finding begins at a known moment, after the descriptions of IEC 60601-2-27's tests.

All is made of training patients' real signal, with the onset at every quarter second of the 5-s grid. They measure how
soon something is told, and not how surely: a few clean onsets of patients who trained the model.

- asystole: a record up to one of its beats, then nothing but its own still baseline. The onset is that last beat.
- 80 to 200, 80 to 30 a minute: one beat, the median of a record's, at these times on its still baseline. The onset is
  the last beat of the old rate.
- ventricular tachycardia: a record up to and into its own VT, whose beats go on and on. The onset is its first beat.
- ventricular flutter: a record up to and through its own flutter. The onset is the annotated one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ectopy.data import present, read
from ectopy.evaluation.findings.heard import ToldFinding, listen
from ectopy.evaluation.findings.judge import Delay
from ectopy.evaluation.findings.reference import EXTREME, ventricular_rows
from ectopy.recording import Recording

_LEAD_IN_S, _EVENT_S = 32.0, 25.0
_PHASES = np.arange(0.0, 5.0, 0.25)
_BEFORE_S, _AFTER_S = 0.25, 0.45  # of a beat, around its R
_STILL = 0.55, 0.75  # of an RR interval: after the T wave, before the P wave
_OLD_RATE, _NEW_RATES = 80, {"80 to 200 a minute": 200, "80 to 30 a minute": 30}

Signal = NDArray[np.float32]
Maker = Callable[[Recording, float, float], tuple[Signal, float]]


@dataclass(frozen=True)
class Kind:
    """One kind of made signal.

    sources : records, and the second from which its signal is taken
    make : from a record's first lead, that second and the seconds wanted before the onset: (n,) mV, and the onset
    tells : whether a finding is the one to be told
    """

    sources: tuple[tuple[str, float], ...]
    make: Maker
    tells: Callable[[ToldFinding], bool]


def made_sources(data_dir: Path | None = None) -> tuple[str, ...]:
    """What `judge_made` can be asked for here: `asystole of mitdb/101`, ..."""
    return tuple(
        f"{what} of {name}" for what, kind in KINDS.items() for name, _ in kind.sources if present([name], data_dir)
    )


def judge_made(what_of: str, model: str, data_dir: Path | None = None) -> list[Delay]:
    """How long a new stream takes to tell each of the signals of one kind and record."""
    what, _, name = what_of.partition(" of ")
    kind = KINDS[what]
    recording = read(name, data_dir=data_dir)
    delays = []
    for phase_s in _PHASES.tolist():
        x, onset_s = kind.make(recording, dict(kind.sources)[name], _LEAD_IN_S + phase_s)
        heard = listen(Recording(x[:, None], recording.fs, recording.leads[:1], name=what_of), model)
        at_s = [one.at_s for one in heard.told if kind.tells(one) and one.end_s > onset_s]
        delays.append(Delay(what, name, onset_s, min(at_s) - onset_s if at_s else None))
    return delays


def _stopped(recording: Recording, from_s: float, lead_in_s: float) -> tuple[Signal, float]:
    """Up to the last beat and its T wave, then still."""
    x, beats, fs = _lead(recording), _beats(recording), float(recording.fs)
    last = int(beats[np.searchsorted(beats, (from_s + lead_in_s) * fs)])
    end = last + int(0.6 * np.median(np.diff(beats)))
    begin = last - round(lead_in_s * fs)
    still = _still(x, beats, round(_EVENT_S * fs)) + x[end - 1]
    return np.concatenate([x[begin:end], still]).astype(np.float32), (last - begin) / fs


def _step_to(rate: int) -> Maker:
    def make(recording: Recording, from_s: float, lead_in_s: float) -> tuple[Signal, float]:
        """One beat again and again, at another rate from the onset on."""
        x, beats, fs = _lead(recording), _beats(recording), float(recording.fs)
        n = round((lead_in_s + _EVENT_S) * fs)
        old_s = np.arange(lead_in_s, 0.5, -60 / _OLD_RATE)[::-1]
        new_s = np.arange(lead_in_s + 60 / rate, lead_in_s + _EVENT_S - 0.5, 60 / rate)
        beat = _beat(x, beats[beats > from_s * fs], fs)
        made = _still(x, beats, n)
        for r in np.round(np.r_[old_s, new_s] * fs).astype(int):
            begin = max(r - round(_BEFORE_S * fs), 0)
            made[begin : begin + len(beat)] += beat[: n - begin]
        return made.astype(np.float32), lead_in_s

    return make


def _tachycardia(recording: Recording, from_s: float, lead_in_s: float) -> tuple[Signal, float]:
    """Up to a run of ventricular beats, which then come again and again."""
    x, fs = _lead(recording), float(recording.fs)
    assert recording.annotations is not None
    marks = recording.annotations.beats
    rows = ventricular_rows(marks.sample / fs, marks.aami)
    first_s, last_s = next(row for row in rows if row[0] >= from_s)
    begin, first, last = (round(s * fs) for s in (first_s - lead_in_s, first_s, last_s))
    before = round(_BEFORE_S / 2 * fs)
    beats = _levelled(x[first - before : last - before])
    again = np.resize(beats, round(_EVENT_S * fs)) + x[first - before]
    return np.concatenate([x[begin : first - before], again]).astype(np.float32), (first - begin) / fs


def _flutter(recording: Recording, from_s: float, lead_in_s: float) -> tuple[Signal, float]:
    """As it was."""
    fs = float(recording.fs)
    begin, end = round((from_s - lead_in_s) * fs), round((from_s + _EVENT_S) * fs)
    return _lead(recording)[begin:end], lead_in_s


def _lead(recording: Recording) -> Signal:
    return recording.samples[:, 0]


def _beats(recording: Recording) -> NDArray[np.int64]:
    assert recording.annotations is not None
    return recording.annotations.beats.sample


def _still(x: Signal, beats: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """The baseline between T and P waves where it is stillest, piece after piece, around zero."""
    pieces = []
    for r, following in pairwise(beats.tolist()):
        begin, end = (round(r + share * (following - r)) for share in _STILL)
        pieces.append(_levelled(x[begin:end]))
    swing = np.array([np.ptp(piece) for piece in pieces])
    still = [piece for piece, least in zip(pieces, swing <= np.median(swing), strict=True) if least]
    return np.resize(np.concatenate(still), n)


def _levelled(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Without the line through its ends, so that it can follow itself."""
    return x.astype(np.float64) - np.linspace(x[0], x[-1], len(x))


def _beat(x: Signal, beats: NDArray[np.int64], fs: float) -> NDArray[np.float64]:
    """The median of the next 30 beats, levelled."""
    before, after = round(_BEFORE_S * fs), round(_AFTER_S * fs)
    return _levelled(np.median([x[r - before : r + after] for r in beats[1:31]], axis=0))


def _named(*names: str) -> Callable[[ToldFinding], bool]:
    return lambda told: told.name in names


def _extreme(told: ToldFinding) -> bool:
    value = told.value or 0.0
    return value >= EXTREME[0] if told.name == "tachycardia" else told.name == "bradycardia" and value <= EXTREME[1]


_CLEAN = (("mitdb/101", 600.0), ("mitdb/115", 60.0))
_RUNS = (("mitdb/205", 298.0), ("mitdb/203", 1605.0))  # 8 and 7 beats at some 180 a minute
KINDS = {
    "asystole": Kind(_CLEAN, _stopped, _named("asystole")),
    **{what: Kind(_CLEAN, _step_to(rate), _extreme) for what, rate in _NEW_RATES.items()},
    "ventricular tachycardia": Kind(_RUNS, _tachycardia, _named("ventricular run")),
    "ventricular flutter": Kind((("mitdb/207", 1540.783),), _flutter, _named("no organised rhythm", "ventricular run")),
}
