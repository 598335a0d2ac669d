"""`StreamAnalyzer`: the whole signal path as a chain of steps, for a stream of any length in bounded memory.

    samples -> Condition -> model -> BeatFinder, Doubt -> Classes -> PWaves -> Seconds -> Findings -> Intervals
               `prepare`             `decide`

`Classes` is there where the model takes the beats of another one. `push` runs the model between the two halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ectopy.analysis.blocks import Blocks, ModelInput, inputs
from ectopy.analysis.classes import Classes, ClassesState
from ectopy.analysis.given import as_samples, named
from ectopy.analysis.intervals import Intervals, IntervalState
from ectopy.analysis.state import decode, encode
from ectopy.errors import SignalError, StateError
from ectopy.signal import (
    BATCH,
    DELAY_S,
    BeatFinder,
    BeatState,
    Condition,
    ConditionState,
    Doubt,
    DoubtState,
    Findings,
    FindingsState,
    Known,
    PWaves,
    PWavesState,
    Seconds,
    SecondsState,
    Thresholds,
    block_start,
    check_rate,
)
from ectopy.verdict import DEFAULT_MODEL, INTERVAL_S, Finding, Verdict
from ectopy.zoo import BALANCED, State, TrainedModel, load


@dataclass(frozen=True, eq=False)
class StreamState:
    """All that a stream carries; its size does not grow with time."""

    n_samples: int
    block: int
    finished: bool
    waiting: NDArray[np.float32]
    condition: ConditionState
    model: State
    beats: BeatState
    classes: tuple[ClassesState, ...]  # none where the beat finder gives the classes
    p_waves: PWavesState
    doubt: DoubtState
    seconds: SecondsState
    findings: FindingsState
    intervals: IntervalState


class StreamAnalyzer:
    """Verdicts for a live signal.

    Parameters
    ----------
    fs : sampling rate in Hz, 100 to 1000; whole, fractional or a `Fraction`
    leads : names of the leads, or how many there are
    model : name of an installed model, or a loaded one
    operating_point : `balanced`, `high-sensitivity` or `few-alarms`, see `TrainedModel.at`
    hop : seconds from the start of one interval to the next, 1 to 5

    Raises
    ------
    SignalError
        If `fs` or `hop` is out of range.
    LeadError
        If there is no lead, or two have one name.
    ModelError, HashError
        If the model isn't installed, is damaged, or has no such operating point.
    """

    def __init__(
        self,
        fs: Fraction | float | str,
        leads: Sequence[str] | int = 1,
        *,
        model: str | TrainedModel = DEFAULT_MODEL,
        operating_point: str = BALANCED,
        hop: int = INTERVAL_S,
    ):
        self.fs = check_rate(fs)
        self.leads = named(leads)
        if hop not in range(1, INTERVAL_S + 1):
            raise SignalError(f"hop {hop!r}: expected a whole number of seconds from 1 to {INTERVAL_S}")
        self.hop = int(hop)
        self.model = (model if isinstance(model, TrainedModel) else load(model)).at(operating_point)
        self.finder = self.model.finder or self.model
        thresholds = Thresholds(**self.finder.thresholds)
        self.condition = Condition(self.fs, len(self.leads))
        self.beats = BeatFinder(self.fs, len(self.leads), self.finder.lookahead, thresholds)
        self.classes = Classes(self.fs, len(self.leads), self.model) if self.model.finder else None
        self.doubt = Doubt(len(self.leads), self.finder.lookahead)
        self.p_waves = PWaves(self.fs, len(self.leads))
        self.seconds = Seconds(thresholds.doubt)
        abnormal = self.model.thresholds["abnormal"]
        self.findings = Findings(abnormal)
        found = self.findings.during
        self.intervals = Intervals(self.leads, self.hop, found, abnormal=abnormal, model=self.model.name)
        self.model_state = self.finder.start(len(self.leads))
        self.n_samples = 0  # pushed so far
        self.waiting: list[NDArray[np.float32]] = []  # samples from that block on
        self.block = 0  # the next one to be worked on
        self.finished = False

    @property
    def wanted(self) -> int:
        """Samples in all with which the next verdict, or finding, can be given; nothing is worked on before."""
        return ceil(self._wanted_s * self.fs)

    @property
    def _wanted_s(self) -> int:
        return min(self.intervals.wanted_s, self.findings.look_s)

    def push(self, samples: ArrayLike) -> list[Verdict]:
        """Add samples, (n,) or (n, n_leads), in any cut; NaN = missing. Gives the verdicts that have come due; `found`
        has the findings, which come sooner.

        The samples are copied, as float32: the caller may fill its buffer anew.

        Raises
        ------
        SignalError
            If they are no numbers, or of another number of leads.
        StateError
            After `finish`.
        """
        return [verdict for item in self.prepare(samples) for verdict in self.decide(item, self.run(item))]

    def prepare(self, samples: ArrayLike, *, last: bool = False) -> list[ModelInput]:
        """First half of `push`: up to what the model is to run on; `last` as in `take`."""
        parts = self.take(samples, last=last)
        return [item for part in parts for item in inputs(self.condition.push(part.samples, part.n))]

    def take(self, samples: ArrayLike, *, last: bool = False) -> list[Blocks]:
        """The beginning of `push`: the blocks to work on now. None, until something can come of them (five at once cost
        half as much as one by one), or they are the last."""
        if self.finished:
            raise StateError("this stream is finished; start a new StreamAnalyzer for more samples")
        x = self._checked(samples)
        if len(x) == 0:
            return []
        self.waiting.append(x)
        self.n_samples += len(x)
        complete = self.n_samples * self.fs.denominator // self.fs.numerator
        if complete == self.block or not (last or self._wanted_s <= complete):
            return []
        x = np.concatenate(self.waiting)
        parts, begin = [], block_start(self.block, self.fs)
        while self.block < complete:
            n = min(complete - self.block, BATCH)
            start, stop = (block_start(b, self.fs) - begin for b in (self.block, self.block + n))
            parts.append(Blocks(x[start:stop], n))
            self.block += n
        self.waiting = [x[stop:].copy()]
        return parts

    def run(self, item: ModelInput) -> NDArray[np.float32]:
        """The model's part, between the halves: (n_leads, n_frames, 6) probabilities."""
        if np.count_nonzero(item.reset):
            for state in self.model_state:
                state[item.reset] = 0
        scores, self.model_state = self.finder.run(self.model_state, item.conditioned.signal)
        return scores

    def decide(self, item: ModelInput, scores: NDArray[np.float32]) -> list[Verdict]:
        """Second half of `push`: from the model's answer to verdicts."""
        return self._collect(item, scores, inf)

    def found(self) -> list[Finding]:
        """Findings that began or ended since the last call, in the order told."""
        return self.findings.told(inf if self.finished else self.seconds.come)

    def lasting(self) -> list[Finding]:
        """Findings that have begun and not ended."""
        return self.findings.lasting()

    def known(self, item: ModelInput, scores: NDArray[np.float32]) -> list[Known]:
        """The beginning of `decide`: the seconds that can be judged now, and their beats."""
        beats = self.beats.push(scores, item.conditioned)
        if self.classes:
            self.classes.add(item.conditioned, beats)
            beats = self.classes.ready(self.beats.state.decided)
        alike = self.p_waves.push(item.conditioned, beats)
        self.seconds.add(item.conditioned, beats, alike, self.doubt.push(scores))
        return self.seconds.known()

    def _collect(self, item: ModelInput, scores: NDArray[np.float32], upto_s: float) -> list[Verdict]:
        verdicts = []
        for known in self.known(item, scores):
            verdicts += self.intervals.push(self.findings.push(known), upto_s)
        return verdicts

    def finish(self, samples: ArrayLike | None = None) -> list[Verdict]:
        """The intervals still owed, and a last shorter one if 2 s of it are there. A second call gives none.

        samples : the last ones, which costs less than to push them before; errors as in `push`
        """
        if self.finished and samples is None:
            return []
        x = self._checked(np.zeros((0, len(self.leads))) if samples is None else samples)
        n = self.n_samples + len(x)
        last = ceil(n / self.fs)  # the seconds begun, and those that the last beats wait for, come as a gap
        padding = np.full((block_start(last + DELAY_S, self.fs) - n, len(self.leads)), np.nan, np.float32)
        end_s = float(n / self.fs)
        verdicts = []
        for item in self.prepare(np.concatenate([x, padding]), last=True):
            verdicts += self._collect(item, self.run(item), end_s)
        self.n_samples, self.finished = n, True
        verdicts += self.intervals.finish(end_s)
        self.findings.finish(end_s)
        return verdicts

    def save(self) -> bytes:
        """The stream's state as bytes, to go on from in another process: `restore`."""
        waiting = np.concatenate([np.zeros((0, len(self.leads)), np.float32), *self.waiting])
        state = StreamState(
            self.n_samples,
            self.block,
            self.finished,
            waiting,
            self.condition.state,
            self.model_state,
            self.beats.state,
            (self.classes.state,) if self.classes else (),
            self.p_waves.state,
            self.doubt.state,
            self.seconds.state,
            self.findings.state,
            self.intervals.state,
        )
        return encode(state, self._identity())

    def restore(self, saved: bytes) -> None:
        """Go on from a saved state; what follows is bit-equal to a stream that was never interrupted.

        Raises
        ------
        StateError
            If it is no saved state, or one of another schema, model, operating point, rate, hop or set of leads.
        """
        state = decode(StreamState, saved, self._identity())
        self.n_samples, self.block, self.finished = state.n_samples, state.block, state.finished
        self.waiting = [state.waiting]
        self.condition.state, self.model_state = state.condition, state.model
        self.beats.state, self.doubt.state, self.intervals.state = state.beats, state.doubt, state.intervals
        self.p_waves.state, self.seconds.state, self.findings.state = state.p_waves, state.seconds, state.findings
        if self.classes:
            (self.classes.state,) = state.classes

    def _identity(self) -> dict[str, object]:
        """What a saved state must agree with."""
        at = self.model.thresholds["abnormal"]
        return {"model": self.model.hash, "abnormal": at, "fs": str(self.fs), "leads": [*self.leads], "hop": self.hop}

    def _checked(self, samples: ArrayLike) -> NDArray[np.float32]:
        x = as_samples(samples)
        x = x[:, None] if x.ndim == 1 and len(self.leads) == 1 else x
        if x.ndim != 2 or x.shape[1] != len(self.leads):
            raise SignalError(
                f"samples of shape {x.shape}: expected (n, {len(self.leads)}) for the leads {', '.join(self.leads)}"
            )
        return x
