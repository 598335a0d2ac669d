"""Each rule about the patient and the electrodes, on signal: what raises it, what just doesn't, and it across a gap.

The signal is training patients' own: beats of record 116, one by one on its still baseline, and parts of records.
"""

from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ectopy import Recording, analyze, read
from ectopy.alarms import RULES, AlarmChanged, Desk, Found, Input, Output, RulesChanged, Tick

FS = 360
Signal = NDArray[np.float64]
Row = list[tuple[str, float]]  # beats: the class of each, and seconds to the next


def raised(x: Signal) -> list[str]:
    """The alarms of one lead, in the order raised, where all rules are switched on."""
    analysis = analyze(Recording(x[:, None].astype(np.float32), Fraction(FS), ("MLII",)))
    log: list[Input] = [RulesChanged(0, "a", "Ada", {rule: {"enabled": True} for rule in ("couplet", "trigeminy")})]
    for found in analysis.findings:
        end_us = None if found.end_s is None else _us(found.end_s)
        log.append(Found(_us(found.told_s), "a", 1, found, _us(found.start_s), end_us))
    desk, outputs = Desk(), list[Output]()
    for given in [*log, Tick(_us(len(x) / FS))]:
        while (due_us := desk.due_us) is not None and due_us <= given.at_us:
            outputs += desk.step(Tick(due_us))
        outputs += desk.step(given)
    return list({one.alarm.id: one.alarm.code for one in outputs if isinstance(one, AlarmChanged)}.values())


def _us(seconds: float) -> int:
    return round(seconds * 1e6)


class Patient:
    """A record's first lead, taken apart: the median beat of each class, and the baseline between them."""

    def __init__(self, name: str):
        record = read(name)
        x, marks = record.samples[:, 0].astype(float), record.annotations.beats
        places = {aami: marks.sample[marks.aami == aami][1:41] for aami in "NV"}
        self._beats = {aami: _levelled(np.median([x[r - 90 : r + 162] for r in at], 0)) for aami, at in places.items()}
        r, rr = marks.sample[:400], np.diff(marks.sample[:401])
        between = zip(r + rr * 55 // 100, r + rr * 75 // 100, strict=True)
        pieces = [_levelled(x[begin:end]) for begin, end in between]
        stillest = np.median([np.ptp(piece) for piece in pieces])
        self._still = np.concatenate([piece for piece in pieces if np.ptp(piece) <= stillest])

    def __call__(self, row: Row, gap: tuple[float, float] | None = None) -> Signal:
        """These beats one after the other; nothing came from `gap`'s first second to its last."""
        at = np.round((0.5 + np.array([0.0, *accumulate(wait for _, wait in row)])) * FS).astype(int)
        y = np.resize(self._still, at[-1] + FS).copy()
        for (aami, _), r in zip(row, at, strict=False):
            y[r - 90 : r + 162] += self._beats[aami]
        if gap is not None:
            y[round(gap[0] * FS) : round(gap[1] * FS)] = np.nan
        return y


def _levelled(x: Signal) -> Signal:
    return x - np.linspace(x[0], x[-1], len(x))


@pytest.fixture(scope="module")
def patient(mitdb: Path) -> Patient:
    return Patient("mitdb/116")


def calm(n: int = 15) -> Row:
    return [("N", 0.8)] * n


BEFORE, BEFORE_S = calm(), 15 * 0.8 + 0.5  # and when the beat behind it comes


def pause(seconds: float) -> Row:
    return [*calm(14), ("N", seconds), *calm()]


def at_rate(rate: float, *seconds: float) -> Row:
    """A heart that comes to this rate for so long, and back; then again, 10 s later."""
    once = [[("N", 60 / rate)] * round(s * rate / 60) for s in seconds]
    return [*BEFORE, *once[0], *(beat for part in once[1:] for beat in [("N", 10.0), *part]), *calm()]


def in_a_row(*ns: int) -> Row:
    """So many ventricular beats, 150 a minute; then again, 5 s later."""
    once = [[*[("V", 0.4)] * (n - 1), ("V", 5.0)] for n in ns]
    once[-1][-1] = ("V", 1.0)
    return [*calm(14), ("N", 0.5), *(beat for part in once for beat in part), *calm()]


def in_turn(others: int, *ns: int, wait: float = 5.0) -> Row:
    """So many times a ventricular beat, and so many others between; then again, after `wait`."""
    between = [("V", 1.05), *calm(others - 1), ("N", 0.55)]
    once = [[*between * (n - 1), ("V", wait), ("N", 0.55)] for n in ns]
    once[-1] = [*once[-1][:-2], ("V", 1.05)]
    return [*calm(14), ("N", 0.55), *(beat for part in once for beat in part), *calm(75)]


# Rule, what raises it, what just doesn't, and what doesn't because of the gap: from which second, to which one
HEART = [
    ("pause", pause(3.1), pause(2.9), pause(5.0), (BEFORE_S + 1.4, BEFORE_S + 2.8)),
    ("asystole", pause(4.1), pause(3.9), pause(7.0), (BEFORE_S + 1.4, BEFORE_S + 4.4)),
    ("extreme tachycardia", at_rate(151.5, 20), at_rate(148.5, 20), in_a_row(3, 3), (BEFORE_S + 1, BEFORE_S + 4)),
    ("tachycardia", at_rate(121.5, 14), at_rate(118, 20), at_rate(121.5, 4, 4), (BEFORE_S + 5, BEFORE_S + 13)),
    ("extreme bradycardia", at_rate(34.5, 20), at_rate(36, 20), at_rate(34.5, 2, 2), (BEFORE_S + 2.5, BEFORE_S + 11)),
    ("bradycardia", at_rate(44.5, 14), at_rate(46, 20), at_rate(44.5, 3, 3), (BEFORE_S + 3.5, BEFORE_S + 12)),
    ("ventricular run", in_a_row(5), in_a_row(4), in_a_row(3, 3), (BEFORE_S + 1, BEFORE_S + 4)),
    ("triplet", in_a_row(3), in_a_row(2), in_a_row(2, 2), (BEFORE_S + 1, BEFORE_S + 4)),
    ("couplet", in_a_row(2), in_a_row(1), in_a_row(1, 1), (BEFORE_S + 1, BEFORE_S + 4)),
    ("bigeminy", in_turn(1, 3), in_turn(1, 2), in_turn(1, 2, 1), (BEFORE_S + 2.5, BEFORE_S + 5.5)),
    ("trigeminy", in_turn(2, 3), in_turn(2, 2), in_turn(2, 2, 1), (BEFORE_S + 3.5, BEFORE_S + 6.5)),
    ("ectopic burden", in_turn(1, 10), in_turn(1, 9), in_turn(1, 5, 5, wait=70), (BEFORE_S + 8, BEFORE_S + 74)),
]


@pytest.mark.parametrize(("code", "enough", "too_little", "parted", "gap"), HEART, ids=[row[0] for row in HEART])
def test_beats_raise_each_rule_just_fewer_or_slower_ones_do_not_nor_those_on_two_sides_of_a_gap(
    patient: Patient, code: str, enough: Row, too_little: Row, parted: Row, gap: tuple[float, float]
) -> None:
    assert code in raised(patient(enough))
    assert code not in raised(patient(too_little))
    assert code not in raised(patient(parted, gap))


@pytest.mark.parametrize("lost_s", [0.1, 0.4, 0.9])
@pytest.mark.parametrize(("rate", "wanted"), [(43, ["bradycardia"]), (38, ["bradycardia"]), (60, [])])
def test_a_beat_that_is_lost_makes_a_slow_heart_no_slower(
    patient: Patient, rate: float, wanted: list[str], lost_s: float
) -> None:
    row, lost = at_rate(rate, 40), BEFORE_S + 9 * 60 / rate
    assert raised(patient(row, (lost - lost_s / 2, lost + lost_s / 2))) == wanted


def test_a_ventricular_rhythm_of_four_beats_or_across_a_gap_is_none(mitdb: Path) -> None:
    """Record 124's, of 18 beats at 57 a minute, without those between its first and its last ones."""
    record = read("mitdb/124")
    x, marks = record.samples[:, 0].astype(float), record.annotations.beats
    row = np.flatnonzero(marks.aami == "V")
    row = row[(marks.sample[row] > 310 * FS) & (marks.sample[row] < 335 * FS)]
    assert len(row) == 18

    def with_only(first: int, last: int, *between: Signal) -> Signal:
        middle = (marks.sample[row[1:]] + marks.sample[row[:-1]]) // 2
        begin, end = x[marks.sample[row[0]] - 20 * FS : middle[first - 1]], middle[17 - last]
        return np.concatenate([begin, *between, x[end : marks.sample[row[-1]] + 20 * FS]])

    assert "ventricular rhythm" in raised(with_only(9, 9))
    assert "ventricular rhythm" not in raised(with_only(2, 2))
    assert "ventricular rhythm" not in raised(with_only(4, 4, np.full(3 * FS, np.nan)))


def waves(patient: Patient, seconds: int, gap: tuple[float, float] | None = None) -> Signal:
    """A heart that swings, 4 times a second, on its baseline."""
    swing = 1.2 * np.sin(2 * np.pi * 4 * np.arange(seconds * FS) / FS)
    y, begin = patient([*BEFORE, ("N", seconds + 1.2), *calm(25)]), round((BEFORE_S + 0.6) * FS)
    y[begin : begin + len(swing)] += swing
    if gap is not None:
        y[begin + round(gap[0] * FS) : begin + round(gap[1] * FS)] = np.nan
    return y


def test_waves_raise_no_organised_rhythm_shorter_ones_do_not_nor_those_on_two_sides_of_a_gap(patient: Patient) -> None:
    code = "no organised rhythm"
    assert code in raised(waves(patient, 8))
    assert code not in raised(waves(patient, 5))
    for begin in (2.5, 3.0, 3.5):  # wherever its edges lie in the grid of seconds
        assert code not in raised(waves(patient, 7, (begin, begin + 1)))


def test_fibrillation_is_irregular_half_of_it_is_not_nor_is_a_regular_heart_with_gaps(mitdb: Path) -> None:
    fibrillates, regular = (read(f"mitdb/{name}").samples[:, 0].astype(float) for name in (203, 101))
    assert "irregular rhythm" in raised(fibrillates[: 60 * FS])
    assert "irregular rhythm" not in raised(fibrillates[: 15 * FS])
    gap = np.full(60 * FS, np.nan)
    assert "irregular rhythm" not in raised(
        np.concatenate([fibrillates[: 10 * FS], gap, fibrillates[10 * FS : 20 * FS], gap])
    )
    with_gaps = regular[: 120 * FS].copy()
    for second in range(4, 120, 6):
        with_gaps[second * FS : second * FS + 900] = np.nan
    assert "irregular rhythm" not in raised(with_gaps)


def test_irregular_beats_that_have_their_p_waves_are_no_fibrillation(patient: Patient) -> None:
    waits = np.random.default_rng(3).uniform(0.45, 1.1, 100)
    assert raised(patient([("N", float(wait)) for wait in waits])) == []


def spoilt(patient: Patient, *parts: tuple[str, int], seed: int = 0) -> Signal:
    """Beats, and from 20 s on so many seconds of what is none."""
    y, at, rng = patient(calm(120)), 20 * FS, np.random.default_rng(seed)
    for what, seconds in parts:
        n = seconds * FS
        if what != "beats":
            y[at : at + n] = {"flat": np.zeros(n), "noise": rng.normal(size=n), "gap": np.full(n, np.nan)}[what]
        at += n
    return y


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([("flat", 16)], ["lead off"]),
        ([("flat", 7)], []),
        ([("flat", 6), ("beats", 5), ("flat", 6)], []),
        ([("flat", 6), ("gap", 6), ("flat", 6)], []),
        ([("noise", 31)], ["unreadable"]),
        ([("gap", 31)], ["unreadable"]),
        ([("noise", 22)], []),
        ([("noise", 17), ("beats", 5), ("noise", 17)], []),
        ([("noise", 16), ("gap", 3), ("noise", 16)], ["unreadable"]),  # nothing came that could be judged
        ([("noise", 5), ("flat", 40)], ["lead off"]),  # which says more
        ([("flat", 6), ("noise", 6)] * 4, ["unreadable"]),  # a loose electrode
    ],
)
def test_what_can_not_be_judged_for_long_is_told_and_not_what_is_shorter(
    patient: Patient, parts: list[tuple[str, int]], wanted: list[str]
) -> None:
    assert [code for code in raised(spoilt(patient, *parts)) if code in ("lead off", "unreadable")] == wanted


def test_noise_is_hardly_ever_a_heart_that_races(patient: Patient) -> None:
    """A second of it is taken for an ECG now and then, and beats in it for a rate."""
    parts = ("noise", 16), ("gap", 3), ("noise", 16)
    others = [set(raised(spoilt(patient, *parts, seed=seed))) - {"unreadable"} for seed in range(10)]
    assert sum(map(bool, others)) <= 1


def test_no_rule_about_a_finding_is_without_its_signal() -> None:
    here = {row[0] for row in HEART} | {"ventricular rhythm", "no organised rhythm", "irregular rhythm"}
    elsewhere = {"stream silent", "clock jump", "gateway down", "store failing", "disk full"}  # test_conditions.py
    assert here | {"lead off", "unreadable"} | elsewhere == {rule.code for rule in RULES}
