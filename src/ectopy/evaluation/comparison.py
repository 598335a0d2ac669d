"""Several programs on the same records: all levels, the same code for each, patients drawn alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ectopy.data import CATALOGUE, PACED, present, read, records, split
from ectopy.errors import RecordError
from ectopy.evaluation.benchmark import ByStart, columns, each_record, scored, starts
from ectopy.evaluation.entrants import Entrant
from ectopy.evaluation.outcomes import beat_outcomes
from ectopy.evaluation.record import RecordScores, scope_of
from ectopy.evaluation.summary import Scores, compare
from ectopy.recording import Recording

_PAIRED = (
    "interval.abnormal.f1", "interval.abnormal.auprc", "interval.false_alarms.per_hour",
    "beat.abnormal.f1", "beat.abnormal.auroc", "beat.V.f1", "beat.S.f1",
)  # fmt: skip
_WARM_S = 20
_RANKED_BY = "interval.abnormal.f1"


@dataclass(frozen=True, eq=False)
class Judged:
    """What one entrant made of one record.

    by_start : its scores by the second from which they count, the headline first
    outcomes : beat by beat from the headline's start on, see `beat_outcomes`
    cpu_s : CPU seconds that it took, for `hours` of signal
    """

    by_start: ByStart
    outcomes: pd.DataFrame
    cpu_s: float
    hours: float

    @property
    def headline(self) -> RecordScores:
        return next(iter(self.by_start.values()))


@dataclass(frozen=True, eq=False)
class Comparison:
    """A set of records, and what each entrant made of each.

    on : the split's or database's name
    records : their names, in order
    judged : for each entrant, by its name, one for each record
    """

    on: str
    records: tuple[str, ...]
    entrants: tuple[Entrant, ...]
    judged: dict[str, list[Judged]]
    _columns: dict[str, dict[str, Scores]] = field(default_factory=dict, init=False, repr=False)

    def columns(self, name: str) -> dict[str, Scores]:
        """The sets of records that are reported beside each other, as `benchmark.columns`."""
        if name not in self._columns:
            self._columns[name] = columns([one.by_start for one in self.judged[name]])
        return self._columns[name]

    def headline(self, name: str) -> Scores:
        """The scores that count."""
        return next(iter(self.columns(name).values()))

    def scores(self, name: str) -> list[RecordScores]:
        """Record by record, from the headline's start on."""
        return [one.headline for one in self.judged[name]]

    def outcomes(self, name: str) -> pd.DataFrame:
        """Beat by beat over all records, see `beat_outcomes`; the record's name stands in `record`."""
        pairs = zip(self.records, self.judged[name], strict=True)
        return pd.concat([one.outcomes.assign(record=record) for record, one in pairs], ignore_index=True)

    def cpu_s_an_hour(self, name: str) -> float:
        """CPU seconds an hour of signal, whole records at once."""
        return sum(one.cpu_s for one in self.judged[name]) / sum(one.hours for one in self.judged[name])

    @property
    def drawn(self) -> list[Entrant]:
        """Those with the first lead only, which figures show."""
        return [entrant for entrant in self.entrants if entrant.headline]

    def best(self) -> Entrant:
        """The model with the best F1 on intervals of these records; the best entrant where none is a model."""
        models = [entrant for entrant in self.drawn if entrant.kind == "model"] or self.drawn
        return max(models, key=lambda entrant: np.nan_to_num(self.value(entrant.name, _RANKED_BY)))

    def value(self, name: str, figure: str) -> float:
        """A headline figure; NaN where the entrant or the set has none."""
        table = self.headline(name).figures
        return float(table.loc[figure, "value"]) if figure in table.index else float("nan")

    def paired(self) -> pd.DataFrame:
        """Each entrant against the best model: a row an entrant and figure, the difference and its 95 % interval.

        Columns entrant, figure, best, own, difference (own - best), low, high.
        """
        best = self.best().name
        rows = []
        for entrant in self.entrants:
            if entrant.name != best:
                table = compare(self.scores(best), self.scores(entrant.name))
                table = table.loc[[name for name in _PAIRED if name in table.index]]
                table = table.rename(columns={"a": "best", "b": "own"}).rename_axis("figure").reset_index()
                rows.append(table.assign(entrant=entrant.name))
        heads = ["entrant", "figure", "best", "own", "difference", "low", "high"]
        return pd.concat(rows, ignore_index=True)[heads] if rows else pd.DataFrame(columns=heads)


def records_of(on: str, data_dir: Path | None = None) -> tuple[str, ...]:
    """The records of a split, or of a database (without the paced ones), that are on this machine.

    Raises
    ------
    RecordError
        If there is no split or database of that name, or none of its records is here.
    """
    if on in CATALOGUE:
        return tuple(name for name in records(on, data_dir) if name not in PACED)
    names = present(split(on), data_dir)
    if not names:
        database = split(on)[0].partition("/")[0]
        raise RecordError(f"{on}: none of its records is on this machine; 'ectopy data get {database}'")
    return names


def compete(
    on: str,
    names: Sequence[str],
    entrants: Sequence[Entrant],
    *,
    data_dir: Path | None = None,
    done: Callable[[str], None] = lambda name: None,
) -> Comparison:
    """Let each entrant judge each record, two records at a time.

    on : what the records are called together
    done : called with each record's name once all have judged it

    Raises
    ------
    RecordError
        If a record has no reference annotations.
    """
    judge = partial(_judge, entrants=tuple(replace(entrant, model=None) for entrant in entrants), data_dir=data_dir)
    by_record = list(each_record(judge, names, done))
    judged = {entrant.name: [row[i] for row in by_record] for i, entrant in enumerate(entrants)}
    return Comparison(on, tuple(names), tuple(entrants), judged)


def _judge(name: str, entrants: Sequence[Entrant], data_dir: Path | None) -> list[Judged]:
    recording = read(name, data_dir=data_dir)
    if recording.annotations is None or not len(recording.annotations.beats):
        raise RecordError(f"{name}: no reference beats (.atr) beside it; nothing to compare with")
    first = recording.select(recording.leads[:1])
    return [_judged(first if e.leads == "first" else recording, name, e) for e in entrants]


def _judged(recording: Recording, name: str, entrant: Entrant) -> Judged:
    entrant.judge(recording.section(0, _WARM_S))  # so that no import and no loading is timed
    began = time.process_time()
    said = entrant.judge(recording)
    cpu_s = time.process_time() - began
    assert recording.annotations is not None
    by_start = scored(recording, name, said.beats, said.intervals, entrant.threshold)
    scope = scope_of(recording.annotations, recording.fs, len(recording.samples), starts(name)[0])
    outcomes = beat_outcomes(recording.annotations.beats, said.beats, recording.fs, scope)
    return Judged(by_start, outcomes, cpu_s, recording.duration_s / 3600)
