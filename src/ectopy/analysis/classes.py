"""A beat model's say: the beats that were found get the classes, or the anomaly, by their shape and rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import nan

import numpy as np

from ectopy.recording import AamiClass
from ectopy.signal import FAINT, Conditioned, Context, ContextState, Series, aami_class, difference, over_leads
from ectopy.verdict import Beat
from ectopy.zoo import State, TrainedModel


@dataclass(frozen=True)
class ClassesState:
    """What it carries from block to block."""

    context: ContextState
    model: State


class Classes:
    """Beats of the finder in, the same beats with the model's classes out, up to 0.7 s later."""

    def __init__(self, fs: Fraction, n_leads: int, model: TrainedModel):
        self._model = model
        self._abnormal = model.thresholds["abnormal"]
        self._one_by_one = bool(model.card["one_by_one"])
        self._context = Context(fs, n_leads)
        self._state = model.start(n_leads)

    @property
    def state(self) -> ClassesState:
        return ClassesState(self._context.state, self._state)

    @state.setter
    def state(self, state: ClassesState) -> None:
        self._context.state, self._state = state.context, state.model

    def add(self, conditioned: Conditioned, beats: list[Beat]) -> None:
        """The next blocks, and the beats that were found with them."""
        self._context.add(conditioned, beats)

    def ready(self, decided: int) -> list[Beat]:
        """The beats that `Context.ready` gives, with the model's say; leads are averaged by their quality."""
        series = self._context.ready(decided)
        edges = sorted({0, *series.fresh.nonzero()[0].tolist(), len(series.beats)})
        if self._one_by_one:
            edges = list(range(len(series.beats) + 1))
        if len(edges) == 1:
            return []
        inputs = series.shape, series.usual, series.rhythm[None].repeat(len(series.shape), axis=0)
        scores = []
        for begin, end in pairwise(edges):
            if series.fresh[begin]:
                self._state = self._model.start(len(series.shape))
            parts = (np.ascontiguousarray(x[:, begin:end]) for x in inputs)
            of_part, self._state = self._model.run(self._state, *parts)
            scores.append(of_part)
        weight = (FAINT + series.weight)[:, :, None]
        mean = over_leads(np.concatenate(scores, axis=1) * weight) / over_leads(weight)
        return [self._said(series, place, row) for place, row in enumerate(mean.tolist())]

    def _said(self, series: Series, place: int, row: list[float]) -> Beat:
        aami: AamiClass | None = None
        if len(row) == 1:
            n = s = v = f = q = nan
            anomaly = row[0]
        else:
            total = sum(row)
            n, s, v, f, q = [p / total for p in row]
            aami, anomaly = aami_class(n, s, v, f, q, self._abnormal)
        differs = None
        if anomaly >= self._abnormal:
            lead = int(series.weight[:, place].argmax())
            differs = difference(series.shape[lead, place], series.usual[lead, place])
        beat = series.beats[place]
        return Beat(beat.sample, beat.time_s, aami, n, s, v, f, q, beat.rr_s, anomaly, differs)
