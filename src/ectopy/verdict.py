"""What comes out: a `Verdict` for every interval of 5 s, with its `Beat`s and `Finding`s."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ectopy.recording import AamiClass

Word = Literal["normal", "abnormal", "unreadable"]
OperatingPoint = Literal["high-sensitivity", "balanced", "few-alarms"]  # from the lowest threshold to the highest

INTERVAL_S = 5
SHORTEST_S = 2  # of a recording's last interval: a shorter rest has no verdict
DEFAULT_MODEL = "instant"  # that judges, unless another is named; README says by which rule


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat. Field names are those of `Analysis.beats`.

    sample : index of the R peak at the input's rate, counted from the stream's first sample
    time_s : the same in seconds
    aami : the likeliest of S, V and F where `anomaly` reaches the model's threshold, else of N and Q; None from a model
        without classes
    N, S, V, F, Q : the classes' probabilities, summing to 1; NaN from a model without classes
    rr_s : seconds since the beat before; NaN for the first beat and the first after a restart
    anomaly : 1 - P(N) - P(Q) of a classifier, the calibrated score of an autoencoder, in [0, 1]
    differs : how an abnormal beat differs from the patient's usual one, from a beat model; else None
    """

    sample: int
    time_s: float
    aami: AamiClass | None
    N: float
    S: float
    V: float
    F: float
    Q: float
    rr_s: float
    anomaly: float
    differs: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What rules over beats and signal say, as `asystole` or `ventricular run`: see `ectopy.signal.Findings`.

    start_s : its onset, in seconds from the stream's first sample
    end_s : its end; None while it lasts
    abnormal : makes the verdicts of the intervals it touches abnormal
    told_s : second of the stream with which it was known that it begins (or, with an end, that it ended)
    value : beats a minute, of `tachycardia` and `bradycardia`; ventricular beats a minute, of `ectopic burden`
    """

    name: str
    start_s: float
    end_s: float | None
    abnormal: bool
    told_s: float
    value: float | None = None

    def __str__(self) -> str:
        value = "" if self.value is None else f" ({self.value:g} a minute)"
        return f"{self.name}{value} from {self.start_s:.1f} s"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one interval.

    start_s, end_s : seconds from the stream's first sample
    verdict : `normal`, `abnormal` or `unreadable`
    score : largest `anomaly` of the beats that decide, in [0, 1]; 0 without one, None where unreadable. A beat in a
        second that can't be judged decides nothing
    heart_rate : beats a minute from the median RR interval; None where unreadable or under two beats
    quality : mean signal quality of the best lead, in [0, 1]
    n_beats, n_abnormal : beats in it, and those that decide and are abnormal at the operating point
    reason : why, in words
    model : name and version of the model that judged
    """

    start_s: float
    end_s: float
    verdict: Word
    score: float | None
    heart_rate: float | None
    quality: float
    n_beats: int
    n_abnormal: int
    reason: str
    beats: tuple[Beat, ...]
    findings: tuple[Finding, ...]
    model: str

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; NaN becomes None."""
        return _without_nan(asdict(self))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
