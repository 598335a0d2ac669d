"""What the rules over beats and seconds find: on real signal, just below each rule, and across a gap."""

from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from ectopy import StreamAnalyzer, analyze, read
from ectopy.alarms import episodes
from ectopy.recording import Recording
from ectopy.signal import Findings, Known, Second
from ectopy.verdict import Beat, Finding

GOOD = Second((0.9,), (False,), (False,), (0.0,), (False,), (False,), (False,))
NOISE, OFF, WAVES = replace(GOOD, quality=(0.0,)), replace(GOOD, quality=(0.0,), dead=(True,)), "waves"


def beats_at(times, classes, p_v=0.9):
    """Beats of these classes; the first, and one that follows more than 10 s later, has no RR interval."""
    before, beats = None, []
    for at, aami in zip(times, classes, strict=True):
        rr = nan if before is None or at - before > 10 else at - before
        v = p_v if aami == "V" else 0.02
        beats.append(Beat(round(at * 360), at, aami, 1 - v, 0.0, v, 0.0, 0.0, rr, v))
        before = at
    return beats


def found(beats, seconds=(), waves=(), n=None):
    """What is told of good seconds with these beats, up to the last or `n`; `seconds` names others by number."""
    step, told, others = Findings(abnormal=0.5), [], dict(seconds)
    for number in range(int(beats[-1].time_s) + 2 if n is None else n):
        here = tuple(beat for beat in beats if number <= beat.time_s < number + 1)
        ahead = tuple(second in waves for second in range(number, number + 3))
        step.push(Known(number, others.get(number, GOOD), here, (1.0,) * len(here), ahead))
        told += step.told(np.inf)
    return told


def names(told):
    return [finding.name for finding in told if finding.name not in ("tachycardia", "bradycardia", "ectopic burden")]


def steady(n, rr=0.8, kinds=None, start=0.5):
    times = [start + place * rr for place in range(n)]
    return beats_at(times, kinds or "N" * n)


def with_break(seconds_off, start=0.5, rr=0.8, n=20):
    """Beats, none of them for so long, beats again."""
    before = [start + rr * place for place in range(n)]
    after = [before[-1] + seconds_off + rr * place for place in range(n)]
    return beats_at(before + after, "N" * 2 * n), before[-1]


# Pauses, asystole, waves


@pytest.mark.parametrize(
    ("off_s", "wanted"), [(2.95, []), (3.05, ["pause"]), (3.95, ["pause"]), (4.05, ["asystole", "pause"])]
)
def test_a_pause_is_found_from_three_seconds_and_asystole_from_four(off_s, wanted):
    beats, last_s = with_break(off_s)
    told = found(beats)
    assert sorted(set(names(told))) == wanted
    for name in wanted:
        first, over = [finding for finding in told if finding.name == name]
        assert (first.start_s, first.end_s) == (last_s, None)
        assert over.end_s == pytest.approx(last_s + off_s)


def test_asystole_is_told_within_seven_seconds_of_the_last_beat_wherever_it_lies():
    for phase in np.arange(0, 5, 0.13):
        beats, last_s = with_break(12.0, start=0.5 + phase)
        told = next(finding for finding in found(beats) if finding.name == "asystole")
        assert told.told_s - last_s <= 7


def test_seconds_that_cant_be_judged_are_no_pause():
    beats, last_s = with_break(6.0)
    middle = int(last_s) + 3
    assert names(found(beats, {middle: NOISE})) == ["unreadable", "unreadable"]


@pytest.mark.parametrize("torn", range(16, 20))
def test_a_beat_may_lie_in_a_gap_of_any_second_from_the_last_beat_to_the_next(torn):
    beats, last_s = with_break(3.3, start=0.9)
    assert (int(last_s), int(beats[20].time_s)) == (16, 19)
    assert names(found(beats)) == ["pause", "pause"]
    assert names(found(beats, {torn: replace(GOOD, missing=(0.1,))})) == []


def test_a_heart_that_was_never_seen_to_beat_has_not_stopped():
    assert names(found([], n=30)) == []


def test_beats_that_stop_are_told(demo):
    x = demo.samples[: 60 * 360, 0].copy()
    late = [beat.sample for v in analyze(x, fs=360).verdicts for beat in v.beats if beat.rr_s > 0.7]
    baseline = min((x[r - 144 : r - 80] for r in late), key=np.ptp)  # the stillest stretch before a P wave
    asystole_s = np.resize(np.concatenate([baseline, baseline[::-1]]), 12 * 360)
    x[30 * 360 : 42 * 360] = asystole_s - asystole_s.mean() + np.median(x[25 * 360 : 30 * 360])
    given = analyze(x, fs=360).verdicts
    told = [v for v in given if any(f.name == "asystole" for f in v.findings)]
    assert {v.start_s for v in told} >= {30.0, 35.0}
    assert all(v.verdict == "abnormal" and "asystole" in v.reason for v in told)


def test_waves_without_qrs_for_four_seconds_are_no_organised_rhythm():
    told = found(steady(12), waves=range(20, 24), n=40)
    first, over = [finding for finding in told if finding.name == "no organised rhythm"]
    assert (first.start_s, over.end_s) == (20.0, 24.0)
    assert "no organised rhythm" not in names(found(steady(12), waves=[20, 21, 22, 24, 25, 26], n=40))


def test_ventricular_flutter_of_record_207_is_told_within_eight_seconds(mitdb):
    record = read("mitdb/207")
    record = record.select(record.leads[:1])
    marks = record.annotations
    begins, ends = (marks.sample[marks.symbol == bracket] / 360 for bracket in "[]")
    told = live(record)
    waves = [f for f in told if f.name == "no organised rhythm" and f.end_s is not None]
    assert len(waves) >= 5
    assert all(any(b - 5 <= f.start_s and f.end_s <= e + 5 for b, e in zip(begins, ends, strict=True)) for f in waves)
    dangerous = [f.told_s for f in told if f.name in ("no organised rhythm", "ventricular run") and f.end_s is None]
    first = [min((at - begin for at in dangerous if at > begin), default=60.0) for begin in begins]
    assert sum(wait <= 8 for wait in first) >= 5, first  # one is left, of 3 s


# Ventricular beats


@pytest.mark.parametrize(
    ("row", "rr", "wanted"),
    [
        ("V", 0.5, []),
        ("VV", 0.5, ["couplet"]),
        ("VVV", 0.5, ["triplet"]),
        ("VVVV", 0.4, ["triplet"]),
        ("VVVVV", 0.59, ["ventricular run", "ventricular run"]),
        ("VVVVV", 0.61, ["ventricular rhythm", "ventricular rhythm"]),
        ("VVNVV", 0.5, ["couplet", "couplet"]),
    ],
)
def test_ventricular_beats_in_a_row(row, rr, wanted):
    kinds = "N" * 8 + row + "N" * 8
    told = found(steady(len(kinds), rr, kinds))
    assert names(told) == wanted
    for finding in told:
        if finding.name in wanted:
            assert finding.start_s >= 0.5 + 8 * rr - 1e-6


def test_a_run_needs_beats_that_follow_one_another():
    kinds = "N" * 6 + "VVV" + "VVV" + "N" * 6
    times = [0.5 * place for place in range(9)] + [6.1 + 0.5 * place for place in range(9)]
    assert names(found(beats_at(times, kinds))) == ["triplet", "triplet"]


def test_beats_of_a_run_count_where_their_seconds_cant_be_judged_if_the_model_is_sure():
    kinds = "N" * 8 + "VVVVVV" + "N" * 8
    noise = dict.fromkeys(range(4, 8), NOISE)
    assert "ventricular run" in names(found(steady(22, 0.5, kinds), noise))
    unsure = beats_at([0.5 + 0.5 * place for place in range(22)], kinds, p_v=0.35)
    assert "ventricular run" not in names(found(unsure, noise))


def test_a_run_is_told_within_seven_seconds_wherever_it_begins():
    for phase in np.arange(0, 5, 0.13):
        times = [*np.arange(0.5, 20 + phase, 0.8), *(20.3 + phase + 0.6 * np.arange(8))]
        kinds = "N" * (len(times) - 8) + "V" * 8
        told = next(f for f in found(beats_at(times, kinds)) if f.name == "ventricular run")
        assert told.told_s - told.start_s <= 7


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ("NVNVN" * 1, []),
        ("NNVNVNVNN", ["bigeminy", "bigeminy"]),
        ("NNVNNVNNVNNNN", ["trigeminy", "trigeminy"]),
        ("NNVNNVNNNVNN", []),
        ("NNVNVNNVNVNN", []),
    ],
)
def test_every_second_or_third_beat(kinds, wanted):
    assert names(found(steady(len(kinds), 0.8, kinds))) == wanted


def test_noise_ends_bigeminy():
    kinds = "NN" + "VN" * 12
    told = found(steady(len(kinds), 0.8, kinds), {10: NOISE})
    assert [f.end_s is None for f in told if f.name == "bigeminy"] == [True, False, True]


def test_ten_ventricular_beats_in_a_minute_are_a_burden():
    kinds = ("NNNNNV" * 20)[:100]
    told = [f for f in found(steady(100, 0.9, kinds)) if f.name == "ectopic burden"]
    assert [f.value for f in told] == [10.0]
    kinds = ("NNNNNNNNNV" * 10)[:100]
    assert not [f for f in found(steady(100, 0.9, kinds)) if f.name == "ectopic burden"]


def test_runs_of_record_205_are_found(mitdb):
    record = read("mitdb/205")
    told = live(record.select(record.leads[:1]))
    runs = [f for f in told if f.name == "ventricular run" and f.end_s is None]
    first, second = [f.start_s for f in runs][:2]  # annotated from 299.0 to 301.3, and from 303.2 to 305.9
    assert 298.9 < first < 299.1 and 303.2 < second < 305
    assert all(f.told_s - f.start_s <= 7 for f in runs)


# Rates


@pytest.mark.parametrize(
    ("rate", "name", "value"),
    [
        (98, None, None),
        (101, "tachycardia", 100),
        (155, "tachycardia", 150),
        (61, None, None),
        (59, "bradycardia", 60),
        (34, "bradycardia", 35),
    ],
)
def test_rates_are_told_in_steps(rate, name, value):
    told = [f for f in found(steady(40, 60 / rate)) if f.name in ("tachycardia", "bradycardia")]
    assert [(f.name, f.value) for f in told[:1]] == ([(name, value)] if name else [])
    assert all(f.abnormal == (value in (150, 35)) for f in told)


def test_a_change_of_step_ends_one_rate_and_begins_the_next():
    beats = beats_at([*np.arange(0.5, 20, 0.55), *np.arange(20.3, 40, 0.45)], "N" * (36 + 44))
    told = [f for f in found(beats) if f.name == "tachycardia"]
    assert told[0].value == 100
    assert told[-1].value == 130
    for over, new in zip(told[1::2], told[2::2], strict=False):
        assert over.end_s == new.start_s


def test_across_a_gap_no_rate_is_made_up():
    """A missing stretch leaves an RR interval unknown."""
    beats = beats_at([*np.arange(0.5, 10, 0.8), *np.arange(30, 40, 0.8)], "N" * (12 + 13))
    gap = {second: replace(NOISE, missing=(1.0,)) for second in range(10, 30)}
    assert not [f for f in found(beats, gap) if f.name == "bradycardia"]


# Across a gap

MISSING = replace(NOISE, missing=(1.0,))


def across(before, kinds, after, rr):
    """Beats, 10 s without signal, beats; what is told."""
    first = [0.5 + rr * place for place in range(len(before))]
    second = [first[-1] + 10 + rr * place for place in range(len(after))]
    gone = range(int(first[-1]) + 1, int(second[0]))
    assert kinds == before + after
    return found(beats_at(first + second, kinds), dict.fromkeys(gone, MISSING))


@pytest.mark.parametrize(
    ("before", "after", "rr", "wanted"),
    [
        ("NNNNNNVVV", "VVNNNNNN", 0.5, {"triplet", "couplet"}),  # no run of five
        ("NNNNNNNV", "VNNNNNNN", 0.5, set()),  # no couplet
        ("NNNNVNV", "NVNNNNN", 0.8, set()),  # no bigeminy
        ("NNVNNV", "NNVNNNN", 0.8, set()),  # no trigeminy
        ("NNNNNNNN", "NNNNNNNN", 0.8, set()),  # no pause, no asystole, no slow heart
    ],
)
def test_nothing_is_put_together_across_a_gap(before, after, rr, wanted):
    told = across(before, before + after, after, rr)
    assert {f.name for f in told} - {"unreadable", "tachycardia"} == wanted


def test_a_fast_heart_is_told_anew_after_a_gap():
    told = [f for f in across("N" * 30, "N" * 60, "N" * 30, 0.45) if f.name == "tachycardia"]
    assert [f.end_s is None for f in told] == [True, False, True]


def test_beats_before_a_gap_and_behind_it_make_no_rate_together():
    """Three ventricular beats, a gap too short for the last 6 s to be empty of them, and three more."""
    first = [*np.arange(0.5, 12, 0.8), 12.2, 12.6, 13.0]
    beats = beats_at([*first, 16.2, 16.6, 17.0, *np.arange(18, 30, 0.8)], "N" * 15 + "VVV" * 2 + "N" * 15)
    behind = next(place for place, beat in enumerate(beats) if beat.time_s > 16)
    beats[behind] = replace(beats[behind], rr_s=nan)
    told = found(beats, dict.fromkeys((14, 15), MISSING))
    assert [f.value for f in told if f.name == "tachycardia"] == []


def test_a_fast_heart_goes_on_over_a_short_gap():
    beats = beats_at([*np.arange(0.5, 20, 0.45), *np.arange(22.6, 40, 0.45)], "N" * (44 + 39))
    beats[44] = replace(beats[44], rr_s=nan)
    told = [f for f in found(beats, dict.fromkeys((20, 21), MISSING)) if f.name == "tachycardia"]
    assert [(f.value, f.end_s) for f in told] == [(130.0, None)]


def test_a_burden_ends_in_a_gap_of_a_minute():
    kinds = "NNNV" * 25
    beats = steady(100, 0.6, kinds)
    told = found(beats, dict.fromkeys(range(61, 130), MISSING), n=130)
    assert [f.end_s is None for f in told if f.name == "ectopic burden"][-1] is False


def test_waves_do_not_last_over_a_second_without_signal():
    told = found(steady(12), waves=[20, 21, 22, 24, 25, 26], n=40)
    assert "no organised rhythm" not in names(told)


# Irregular rhythm


def test_atrial_fibrillation_of_record_203_is_irregular_and_sinus_rhythm_is_not(mitdb):
    for name, irregular in (("mitdb/203", True), ("mitdb/101", False)):
        record = read(name)
        told = live(Recording(record.samples[: 180 * 360, :1], record.fs, record.leads[:1]))
        assert any(f.name == "irregular rhythm" for f in told) == irregular


def rhythm(rr_s, alike, *, v=0.0):
    """Findings after beats at these RR intervals (NaN: behind a gap) that look premature; what becomes of the last."""
    step = Findings(abnormal=0.5)
    at_s, known = 0.0, None
    beats = [Beat(0, 0.5, "N", 1.0, 0.0, 0.0, 0.0, 0.0, nan, 0.0)]
    for rr in rr_s:
        at_s = beats[-1].time_s + (5.0 if isnan(rr) else rr)
        beats.append(Beat(round(at_s * 360), at_s, "S", 0.2 - v, 0.8, v, 0.0, 0.0, rr, 0.8 + v))
    for number in range(int(at_s) + 1):
        here = tuple(beat for beat in beats if number <= beat.time_s < number + 1)
        known = step.push(Known(number, GOOD, here, (alike,) * len(here), (False,) * 3))
    return [finding.name for finding in step.lasting()], known.beats[-1]


RANDOM_RR = np.random.default_rng(3).uniform(0.45, 1.1, 120)


def test_irregular_beats_without_p_waves_fibrillate_and_none_of_them_is_premature():
    lasting, beat = rhythm(RANDOM_RR, 0.0)
    assert lasting == ["irregular rhythm"]
    assert (beat.aami, beat.N, beat.S, beat.anomaly) == ("N", 1.0, 0.0, 0.0)


def test_what_speaks_for_a_ventricular_beat_still_speaks_where_the_atria_fibrillate():
    for v, aami in ((0.05, "N"), (0.15, "V")):  # of what is left when S, 0.8, is ruled out: a quarter, three quarters
        _, beat = rhythm(RANDOM_RR, 0.0, v=v)
        assert (beat.aami, beat.S) == (aami, 0.0)
        assert pytest.approx(v * 5) == beat.V
        assert beat.anomaly == pytest.approx(v * 5)


def test_beats_are_premature_again_once_nothing_tells_that_the_atria_fibrillate():
    """Too few RR intervals after a gap; and none at all."""
    for after in (np.full(40, 2.8), np.array([])):
        lasting, _ = rhythm(RANDOM_RR, 0.0)
        assert lasting == ["irregular rhythm"]
        _, beat = rhythm([*RANDOM_RR, 50.0, *after, 0.6], 0.0)
        assert beat.aami == "S"


def test_nothing_is_premature_before_there_is_an_rr_interval_to_compare_with():
    for gone_s in ((), (0.8, 0.8, 0.8, nan)):  # from the start, and behind a gap
        called = [rhythm([*gone_s, *(0.8,) * n], 0.9)[1].aami for n in (1, 2, 3)]
        assert called == ["N", "S", "S"]


@pytest.mark.parametrize(("rr_s", "alike"), [(RANDOM_RR, 0.9), (np.full(120, 0.8), 0.0)], ids=["P waves", "regular"])
def test_irregular_beats_with_p_waves_and_regular_ones_without_are_left_as_they_are(rr_s, alike):
    lasting, beat = rhythm(rr_s, alike)
    assert lasting == []
    assert (beat.aami, beat.S) == ("S", 0.8)


def test_p_waves_are_alike_in_sinus_rhythm_and_not_in_fibrillation(mitdb):
    """The median over three minutes; 114 has low complexes and many premature beats."""
    for name, low, high in (("mitdb/101", 0.5, 1), ("mitdb/114", 0.3, 1), ("mitdb/203", -0.2, 0.2)):
        record = read(name)
        stream, alike = StreamAnalyzer(record.fs, record.leads[:1]), []
        for item in stream.prepare(record.samples[: 180 * 360, :1], last=True):
            alike += stream.p_waves.push(item.conditioned, stream.beats.push(stream.run(item), item.conditioned))
        assert low < np.nanmedian(alike) < high, name


# Electrodes


def test_lead_off_and_noise_are_told_at_once_and_end_after_three_good_seconds():
    beats = steady(50)
    told = found(beats, {20: OFF, 21: OFF, 22: GOOD, 23: NOISE})
    assert [(f.name, f.start_s, f.end_s) for f in told if f.name in ("lead off", "unreadable")] == [
        ("lead off", 20.0, None),
        ("lead off", 20.0, 23.0),
        ("unreadable", 23.0, None),
        ("unreadable", 23.0, 24.0),
    ]


def test_a_lead_that_is_now_off_and_now_noise_is_unreadable_all_the_time():
    loose = {second: OFF if second // 6 % 2 else NOISE for second in range(20, 60)}
    told = [f for f in found(steady(90), loose) if f.name == "unreadable"]
    assert [(f.start_s, f.end_s) for f in told] == [(24.0, None), (24.0, 60.0)]


# The stream


def live(record):
    """What a stream tells, pushed second by second; each finding when it says that it is told, not sooner or later."""
    stream, told = StreamAnalyzer(record.fs, record.leads), []
    step = int(record.fs)
    for begin in range(0, len(record.samples), step):
        stream.push(record.samples[begin : begin + step])
        new = stream.found()
        assert all(finding.told_s == (begin + step) // step for finding in new)
        told += new
    stream.finish()
    return told + stream.found()


def test_findings_do_not_depend_on_the_cut_and_go_on_from_a_saved_state(demo):
    x = demo.samples[: 200 * 360 + 100]
    told = live(Recording(x, demo.fs, demo.leads))
    assert {f.name for f in told} >= {"couplet", "ectopic burden", "unreadable"}
    whole = StreamAnalyzer(demo.fs, demo.leads)
    whole.push(x)
    whole.finish()
    assert whole.found() == told

    again, parts = StreamAnalyzer(demo.fs, demo.leads), []
    for begin in range(0, len(x), 3_001):
        again.push(x[begin : begin + 3_001])
        saved = again.save()
        again = StreamAnalyzer(demo.fs, demo.leads)
        again.restore(saved)
        parts += again.found()
    again.finish()
    assert parts + again.found() == told


def test_whatever_lasts_ends_with_the_stream():
    step = Findings(abnormal=0.5)
    for number in range(10):
        step.push(Known(number, OFF, (), (), (False,) * 3))
    step.finish(10.0)
    assert [f.end_s for f in step.told(np.inf) if f.name == "lead off"] == [None, 10.0]


def test_a_verdict_names_the_findings_of_its_interval(mitdb):
    record = read("mitdb/205")
    part = Recording(record.samples[270 * 360 : 330 * 360, :1], record.fs, record.leads[:1])
    verdicts = [v for v in analyze(part).verdicts if any(f.name == "ventricular run" for f in v.findings)]
    assert verdicts
    for verdict in verdicts:
        assert verdict.verdict == "abnormal"
        assert "ventricular run" in verdict.reason
        assert all(
            isinstance(f, Finding) and f.end_s is not None and f.end_s <= verdict.end_s for f in verdict.findings
        )


# Each rule on real signal of training patients: (alarm, record, from, seconds)
RAISED = [
    ("asystole", "svdb/850", 1565, 45),  # a heart that stands still for 12.5 s
    ("pause", "mitdb/201", 360, 45),
    ("extreme bradycardia", "mitdb/201", 500, 60),
    ("bradycardia", "mitdb/201", 1440, 120),
    ("bigeminy", "mitdb/203", 1535, 45),
    ("ectopic burden", "mitdb/119", 0, 120),
    ("triplet", "mitdb/203", 30, 40),
    ("extreme tachycardia", "mitdb/203", 40, 45),
    ("tachycardia", "mitdb/203", 455, 80),
    ("ventricular run", "mitdb/205", 280, 50),
    ("ventricular rhythm", "mitdb/124", 290, 60),
    ("no organised rhythm", "mitdb/207", 20, 60),
    ("irregular rhythm", "mitdb/203", 0, 120),
    ("unreadable", "mitdb/108", 1640, 145),
]


@pytest.mark.parametrize(("code", "name", "start_s", "seconds"), RAISED)
def test_real_signal_raises_each_alarm(mitdb, svdb, code, name, start_s, seconds):
    assert code in {episode.code for episode in alarms_of(name, start_s, seconds)}


def test_a_quarter_of_an_hour_of_normal_rhythm_raises_no_alarm(mitdb):
    assert [episode.code for episode in alarms_of("mitdb/115", 0, 900) if episode.priority != "low"] == []


def test_a_lead_that_comes_off_for_20_seconds_is_told_and_holds_back_asystole(demo):
    x = demo.samples[: 90 * 360, :1].copy()
    x[40 * 360 : 60 * 360] = 0.0
    analysis = analyze(Recording(x, demo.fs, demo.leads[:1]))
    codes = {episode.code for episode in episodes(analysis.findings, analysis.recording.duration_s)}
    assert "lead off" in codes
    assert not codes & {"asystole", "pause", "extreme bradycardia"}


def alarms_of(name, start_s, seconds):
    """The alarms of a part of a record's first lead."""
    record = read(name)
    fs = int(record.fs)
    part = record.samples[start_s * fs : (start_s + seconds) * fs, :1]
    analysis = analyze(Recording(part, record.fs, record.leads[:1]))
    return episodes(analysis.findings, seconds)
