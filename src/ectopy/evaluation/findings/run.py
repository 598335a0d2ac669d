"""A split's records, the hand-held recordings of its side, and the made signals: read, heard, compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from ectopy.data import hand_held
from ectopy.evaluation.benchmark import each_record
from ectopy.evaluation.findings.hand_held import HandHeld, judge_hand_held
from ectopy.evaluation.findings.judge import Delay, JudgedRecord, judge_record
from ectopy.evaluation.findings.made import judge_made, made_sources

Part = Literal["training", "test"]


@dataclass(frozen=True, eq=False)
class FindingsScores:
    """What was found on one side of the split.

    on : the split's name
    part : the half of `cinc2017`
    """

    on: str
    part: Part
    records: list[JudgedRecord]
    hand_held: list[HandHeld]

    @property
    def hours(self) -> float:
        return sum(record.hours for record in self.records)


def evaluate_findings(
    on: str,
    names: Sequence[str],
    part: Part,
    model: str,
    *,
    data_dir: Path | None = None,
    done: Callable[[str], None] = lambda name: None,
) -> FindingsScores:
    """Listen to the first lead of each record from its start to its end, and to one half of `cinc2017`.

    names : records with annotations of rhythm, as `mitdb/203`
    done : called with each recording's name once it is scored

    Raises
    ------
    RecordError
        If a record or cinc2017 is not on this machine, or a record has no annotations.
    """
    labels = dict(hand_held(part, data_dir))
    judge = partial(judge_record, model=model, data_dir=data_dir)
    judge_label = partial(judge_hand_held, labels=labels, model=model, data_dir=data_dir)
    return FindingsScores(
        on, part, list(each_record(judge, names, done)), list(each_record(judge_label, list(labels), done))
    )


def made_delays(
    model: str, *, data_dir: Path | None = None, done: Callable[[str], None] = lambda name: None
) -> list[Delay]:
    """How soon each made signal's finding is told, from those training records that are on this machine."""
    judge = partial(judge_made, model=model, data_dir=data_dir)
    return [delay for delays in each_record(judge, made_sources(data_dir), done) for delay in delays]
