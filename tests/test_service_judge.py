"""Epochs that have their turns together: the real judge over a log in memory, as no disk tears just when it should."""

import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np
import pytest
from tests.test_service_alarms import still

import ectopy
from ectopy.alarms import AlarmChanged, Desk, Found, Tick
from ectopy.analysis import StreamAnalyzer, push_together
from ectopy.service.clock import Clock
from ectopy.service.judge import Judge
from ectopy.service.judging import Models
from ectopy.service.rows import AnchorRow, EndRow, EpochRow, JudgedRow, SamplesRow, SnapshotRow
from ectopy.service.runs import Run, ToldAgain, Turn
from ectopy.verdict import Finding
from ectopy.zoo import load

FS = 360


class Ward:
    """Epochs by key; `kept` has what the judge gave, in order; `torn` the sample that an epoch's log ends at;
    `snapshot` is that of all."""

    snapshot: SnapshotRow | None = None

    def __init__(self, signal: np.ndarray):
        self.signal, self.torn, self.kept = signal.astype("<f4"), dict[int, int](), list[tuple[int, Turn]]()
        ids = count(1)
        nothing: Any = self
        self.judge = Judge(
            Models("instant", "balanced"),
            nothing,
            nothing,
            1e9,
            next_verdict=lambda: next(ids),
            keep=lambda run, turn, seconds: self.kept.append((run.epoch.key, turn)),
        )

    def log(self, key: int, first: int, end: int, width: int) -> Iterator[SamplesRow]:
        end = min(end, self.torn.get(key, end))
        if end > first:
            yield self.samples(key, first, end)

    def read(self, key: int) -> SnapshotRow | None:
        return self.snapshot

    def samples(self, key: int, first: int, end: int) -> SamplesRow:
        return SamplesRow(key, first, end - first, self.signal[first:end].tobytes())

    def run(self, key: int) -> Run:
        rate = Fraction(FS)
        epoch = EpochRow(key, f"bed-{key}", 1, rate, ("II",), "float32", "mV", 1.0, 0.0, None, 0, None)
        return Run(epoch, Clock(key, rate, 0, None))


@pytest.fixture
def ward(demo: ectopy.Recording) -> Iterator[Ward]:
    ward = Ward(demo.samples[:, 0])
    yield ward
    ward.judge.close()


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_numbers_of_verdicts_are_kept_in_their_order_after_a_failure_too(ward: Ward) -> None:
    runs = [ward.run(key) for key in (1, 2, 3)]
    runs[1].failed = 1
    for run in runs:
        ward.judge.feed(run, [ward.samples(run.epoch.key, 0, 20 * FS)])
    ward.judge.start()
    until(lambda: len(ward.kept) == 3)
    assert [row.id for _, turn in ward.kept for row in turn.verdicts] == list(range(1, 10))


def test_an_end_that_comes_while_turns_fail_is_not_forgotten(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    run, tries = ward.run(1), count()

    def failing(streams: Sequence[Any], samples: Sequence[Any]) -> Any:
        number = next(tries)
        if number == 0:
            ward.judge.feed(run, [EndRow(1, 20 * FS)])
        if number < 2:
            raise RuntimeError("for a while")
        return push_together(streams, samples)

    monkeypatch.setattr("ectopy.service.judge.push_together", failing)
    ward.judge.feed(run, [ward.samples(1, 0, 20 * FS)])
    ward.judge.start()
    until(lambda: any(isinstance(row, JudgedRow) for _, turn in ward.kept for row in turn.rows))
    assert sum(len(turn.verdicts) for _, turn in ward.kept) == 4


def test_a_log_that_is_torn_far_on_holds_nobody_else_back(ward: Ward) -> None:
    torn, whole = ward.run(1), ward.run(2)
    ward.torn[1] = 90 * FS
    n = len(ward.signal)
    for run in (torn, whole):
        ward.judge.feed(run, [SamplesRow(run.epoch.key, n, 0, b"")])
    ward.judge.start()
    until(lambda: ward.judge.idle)
    starts = [row.start_s for key, turn in ward.kept for row in turn.verdicts if key == 2]
    assert starts == [5.0 * k for k in range(len(starts))] and len(starts) == n // FS // 5 - 1
    assert torn.failed > 1


@pytest.mark.parametrize("snapshot", [True, False])
def test_of_what_another_model_told_only_that_stays_on_which_this_one_finds_too(ward: Ward, snapshot: bool) -> None:
    """It told of an asystole and of many ventricular beats before the restart; both still lasted."""
    if snapshot:
        other = StreamAnalyzer(FS, ("II",), model=load("autoencoder"))
        ward.snapshot = SnapshotRow(1, 0, other.save())
    run, desk, now_us = ward.run(1), Desk(), time.time_ns() // 1000
    run.clock, run.told_s = Clock(1, Fraction(FS), now_us - 80_000_000), 70.0
    for name, value in (("asystole", None), ("ectopic burden", 10.0)):
        told = Found(now_us - 10_000_000, "bed-1", 1, Finding(name, 60.0, None, True, 70.0, value), now_us - 20_000_000)
        desk.step(told)
    before = {opened.alarm.id: opened.alarm.code for opened in desk.state.streams["bed-1"].opens()}
    assert sorted(before.values()) == ["asystole", "ectopic burden"]
    ward.judge.feed(run, [SamplesRow(1, 80 * FS, 0, b"")])
    ward.judge.start()
    until(lambda: run.done == 80 * FS and ward.judge.idle)
    given = [one.found if isinstance(one, ToldAgain) else one for _, turn in ward.kept for one in turn.found]
    outputs = [output for one in [*given, Tick(now_us + 60_000_000)] for output in desk.step(one)]
    last = {output.alarm.id: output.alarm.presence for output in outputs if isinstance(output, AlarmChanged)}
    assert {before[alarm]: last.get(alarm, "on") for alarm in before} == {"asystole": "latched", "ectopic burden": "on"}


def test_a_heart_that_stopped_in_a_silence_is_told_in_time(demo: ectopy.Recording) -> None:
    """A device without counters sends nothing for a minute, a second into a flat line, and goes on with it."""
    ward, began_us = Ward(still(demo, 45, stop=30, stopped=15)), time.time_ns() // 1000 - 105_000_000
    run, desk = ward.run(1), Desk()
    anchors = [AnchorRow(1, 0, began_us), AnchorRow(1, 31 * FS, began_us + 91_000_000)]
    run.clock = Clock(1, Fraction(FS), began_us, None, anchors)
    ward.judge.feed(run, [ward.samples(1, 0, 45 * FS)])
    ward.judge.start()
    until(lambda: run.done == 45 * FS and ward.judge.idle)
    ward.judge.close()
    given = [one.found if isinstance(one, ToldAgain) else one for _, turn in ward.kept for one in turn.found]
    outputs = [output for one in given for output in desk.step(one)]
    raised = [output.alarm for output in outputs if isinstance(output, AlarmChanged) and output.alarm.presence == "on"]
    assert {(alarm.code, alarm.late) for alarm in raised} >= {("asystole", False)}


@pytest.mark.parametrize("silence_s", [60, 0])
@pytest.mark.parametrize("known_at_s", [44, 40])
def test_what_begins_and_ends_before_a_silence_is_known_is_told_in_time(
    demo: ectopy.Recording, silence_s: int, known_at_s: int
) -> None:
    """A device without counters sends nothing for a minute, and right after it a heart stops for some seconds. Of what
    was sent a minute late nobody is told, nor again of what began before."""
    ward, began_us = Ward(still(demo, 48, stop=32, stopped=6)), time.time_ns() // 1000 - 105_000_000
    run, desk = ward.run(1), Desk()
    run.clock = Clock(1, Fraction(FS), began_us)
    ward.judge.feed(run, [ward.samples(1, 0, known_at_s * FS)])
    ward.judge.start()
    until(lambda: run.done == known_at_s * FS and ward.judge.idle)
    anchors = [AnchorRow(1, 0, began_us), AnchorRow(1, 31 * FS, began_us + (31 + silence_s) * 1_000_000)]
    run.clock = Clock(1, Fraction(FS), began_us, None, anchors)
    ward.judge.feed(run, [ward.samples(1, known_at_s * FS, 48 * FS)])
    until(lambda: run.done == 48 * FS and ward.judge.idle)
    ward.judge.close()
    given = [one.found if isinstance(one, ToldAgain) else one for _, turn in ward.kept for one in turn.found]
    outputs = [output for one in given for output in desk.step(one)]
    raised = [output.alarm for output in outputs if isinstance(output, AlarmChanged) and output.alarm.presence == "on"]
    in_time = [alarm.code for alarm in raised if not alarm.late]
    assert "asystole" in {alarm.code for alarm in raised}
    assert in_time.count("asystole") == (silence_s > 0) and (silence_s or not in_time)
    again = [one.found.finding for _, turn in ward.kept for one in turn.found if isinstance(one, ToldAgain)]
    assert all(finding.end_s is None or finding.start_s > 31 for finding in again)
