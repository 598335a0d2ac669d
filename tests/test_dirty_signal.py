"""docs/dirty-signal.md, line by line; the lines that other tests hold are only looked up."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ectopy
from ectopy import analyze
from ectopy.data import at_snr, electrode_motion
from ectopy.evaluation import against_clean, stress, stress_table, wrong_counts

HERE = Path(__file__).parent


def words(verdicts):
    return [verdict.verdict for verdict in verdicts]


@pytest.fixture(scope="module")
def clean(demo):
    return analyze(demo).verdicts


def test_every_line_of_the_policy_names_a_test_that_exists():
    page = (HERE.parent / "docs" / "dirty-signal.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("|")][2:]
    defined = set(
        re.findall(r"^def (test_\w+)", "\n".join(p.read_text() for p in HERE.glob("test_*.py")), re.MULTILINE)
    )
    assert len(lines) > 15
    for line in lines:
        named = re.findall(r"`(test_\w+)`", line)
        assert named, f"no test holds this line: {line}"
        assert set(named) <= defined, line


def test_a_saturated_stretch_is_unreadable(demo, clean):
    x = demo.samples.copy()
    x[100 * 360 : 120 * 360] = x.max()  # the amplifier at its rail
    given = analyze(x, fs=360).verdicts
    assert words(given[20:24]) == ["unreadable"] * 4
    assert all("saturated" in verdict.reason for verdict in given[20:24])
    assert words(given[26:]) == words(clean[26:])


def test_clipped_qrs_complexes_stay_beats(demo, clean):
    top = np.percentile(demo.samples, 99)
    given = analyze(np.minimum(demo.samples, top), fs=360).verdicts
    beats, reference = (sum(len(v.beats) for v in verdicts) for verdicts in (given, clean))
    assert beats == pytest.approx(reference, rel=0.02)
    assert words(given).count("unreadable") <= words(clean).count("unreadable") + 1


def test_an_electrode_that_comes_off_and_drifts_is_no_asystole(demo):
    """At 3:29 the demo's electrode comes off for four seconds and its level decays."""
    verdicts = analyze(demo).verdicts
    assert verdicts[42].verdict == "unreadable"
    assert "lead off" in verdicts[42].reason
    assert not any(finding.name == "asystole" for verdict in verdicts for finding in verdict.findings)


@pytest.mark.parametrize(("factor", "settled_s"), [(4.0, 16), (0.25, 16), (20.0, 10), (0.05, 36)])
def test_a_gain_that_changes_in_the_middle_is_followed(demo, clean, factor, settled_s):
    x = demo.samples.copy()
    x[120 * 360 :] *= factor
    given = analyze(x, fs=360).verdicts
    settled = [(a, b) for a, b in zip(clean, given, strict=True) if a.end_s <= 120 - 2 or a.start_s >= 120 + settled_s]
    assert [b.verdict for _, b in settled] == [a.verdict for a, _ in settled]
    same = [[beat.aami for beat in a.beats] == [beat.aami for beat in b.beats] for a, b in settled]
    assert np.mean(same) > 0.95


def test_a_beat_on_a_baseline_that_an_electrode_moved_is_listed_and_decides_nothing(cinc2017):
    """At 26.6 s of a hand-held recording labelled normal, the baseline jumps to four times the QRS complexes' size."""
    verdict = analyze(ectopy.read(cinc2017 / "A00175")).verdicts[5]
    beats = [beat for beat in verdict.beats if 26.4 < beat.time_s < 26.8]
    assert [beat.anomaly > 0.5 for beat in beats] == [True]
    assert (verdict.verdict, verdict.n_abnormal) == ("unreadable", 0)


def test_a_sure_ventricular_beat_decides_though_it_moves_the_baseline(svdb):
    """Five lone ventricular beats of svdb's 856 (training) move it as much."""
    recording = ectopy.read(svdb / "856")
    lead = recording.select(recording.leads[:1])
    for at_s in (529.2, 1178.0, 1316.7, 1619.6, 1718.2):
        verdict = analyze(lead.section(at_s - 62, at_s + 10)).verdicts[12]
        assert verdict.verdict == "abnormal"
        assert "ventricular" in verdict.reason


def test_what_may_be_an_abnormal_beat_or_noise_is_unreadable(mitdb, nstdb):
    table = stress_table(stress(["mitdb/101", "mitdb/114", "mitdb/116"], "instant", levels_db=(0,)))  # training
    assert table.loc["0 dB", "wrong of all"] < 0.12


def test_electrode_motion_makes_intervals_unreadable_as_it_grows(mitdb, nstdb):
    names = ["mitdb/106", "mitdb/119", "mitdb/220"]  # training patients; the noise is not what trained
    found = stress(names, "instant", levels_db=(None, 6, -6))
    table, counts = stress_table(found), wrong_counts(found)
    assert table["unreadable"].is_monotonic_increasing
    assert table.loc["-6 dB", "unreadable"] > 0.2
    assert table["beat Se"].is_monotonic_decreasing
    recording = ectopy.read(names[2])  # normal and supraventricular beats only: the truth is plain
    assert recording.annotations is not None
    marks = recording.annotations.beats
    intervals = analyze(recording.select(recording.leads[:1]), model="instant").intervals.query("start_s >= 300")
    abnormal = marks.sample[np.isin(marks.aami, ["S", "V", "F"])] / 360
    truth = [((abnormal >= start) & (abnormal < start + 5)).any() for start in intervals["start_s"]]
    unreadable = intervals["verdict"] == "unreadable"
    wrong = ~unreadable & ((intervals["verdict"] == "abnormal") != truth)
    (row,) = counts[(counts["record"] == names[2]) & counts["level_db"].isna()].to_dict("records")
    assert (row["unreadable"], row["intervals"], row["wrong"]) == (unreadable.sum(), len(intervals), wrong.sum())
    assert wrong.any()


def test_how_much_more_is_wrong_in_noise_is_drawn_by_patient():
    def difference(of_patient, more):
        rows = [
            {"patient": patient, "level_db": level, "intervals": 100, "wrong": 10 + (level == 0) * add}
            for patient, add in zip(of_patient, more, strict=True)
            for level in (np.nan, 0)
        ]
        return against_clean(pd.DataFrame(rows), 0)

    assert difference("abc", [3, 3, 3]) == "+3.0 [+3.0, +3.0]"  # as much in each: no chance in it
    assert difference("ab", [0, -6]) == "-3.0 [-6.0, +0.0]"
    assert difference("aab", [9, 0, 0]) == "+3.0 [+0.0, +4.5]"  # a patient's records are drawn together


def test_a_beat_in_a_second_of_noise_is_listed_and_decides_nothing(demo, clean):
    """A ventricular beat of the demo, drowned in noise for a second and a half around it."""
    interval, beat = next(
        (v, beats[0]) for v in clean if len(beats := [b for b in v.beats if b.aami == "V"]) == 1 and v.quality > 0.85
    )
    x = demo.samples.copy()
    around = slice(beat.sample - 270, beat.sample + 270)
    x[around, 0] += np.random.default_rng(0).normal(0, 2.0, 540).astype(np.float32)
    given = next(v for v in analyze(x, 360, model="instant").verdicts if v.start_s == interval.start_s)
    assert interval.verdict == "abnormal"
    assert given.verdict != "abnormal"
    assert given.n_abnormal == 0


def test_a_beat_in_the_first_second_is_listed_and_decides_nothing(demo):
    clean = analyze(demo, model="instant").verdicts
    ventricular = next(b for v in clean if v.n_abnormal == 1 for b in v.beats if b.aami == "V" and b.anomaly > 0.9)
    given = analyze(demo.samples[ventricular.sample - 180 :], fs=360, model="instant").verdicts[
        0
    ]  # half a second before it
    assert any(beat.aami == "V" for beat in given.beats if beat.time_s < 1)
    assert given.beats[0].time_s < 1
    assert given.n_abnormal == sum(beat.aami in ("S", "V", "F") for beat in given.beats if beat.time_s >= 1)


@pytest.mark.parametrize("at_s", [21.0, 21.3, 21.5, 22.0])
def test_what_was_not_seen_is_not_called_normal(mitdb, at_s):
    """A hole that a beat could lie in, wherever the grid cuts it; a shorter one of which most is there."""
    x = ectopy.read(mitdb / "100").samples[: 60 * 360, :1]
    for seconds, word in ((0.3, "normal"), (1.01, "unreadable"), (1.5, "unreadable"), (2.0, "unreadable")):
        holed = x.copy()
        holed[int(at_s * 360) : int((at_s + seconds) * 360)] = np.nan
        verdict = analyze(holed, fs=360).verdicts[4]
        assert (verdict.verdict, verdict.n_abnormal) == (word, 0)


@pytest.mark.parametrize("rest_s", [0.05, 0.1, 0.3, 0.5, 0.9])
def test_a_last_second_that_is_not_whole_takes_nothing_from_its_interval(mitdb, rest_s):
    for record in ("100", "112", "122"):
        x = ectopy.read(mitdb / record).samples[: int((23 + rest_s) * 360), :1]
        whole, given = (analyze(y, fs=360).verdicts[4] for y in (x[: 23 * 360], x))
        assert (whole.verdict, given.verdict) == ("normal", "normal")
        assert given.quality == pytest.approx(whole.quality, abs=0.01)


@pytest.mark.parametrize("record", ["mitdb/101", "mitdb/115", "mitdb/220"])
def test_small_noise_after_an_ecg_is_never_normal(mitdb, record):
    x = ectopy.read(record).samples[: 60 * 360, :1].copy()
    size = np.percentile(x, 99.5) - np.percentile(x, 0.5)
    for share in (0.05, 0.1, 0.2):  # of it, peak to peak
        x[20 * 360 :, 0] = np.random.default_rng(0).normal(0, share * size / 6, 40 * 360)
        given = analyze(x, fs=360).verdicts
        assert all(v.verdict != "normal" for v in given if v.start_s >= 30)


def test_noise_has_the_power_it_should_have(demo, nstdb, mitdb):
    noise = electrode_motion("test")[: len(demo.samples), :1]
    part = replace(demo, samples=demo.samples[: len(noise)]).samples
    added = at_snr(part, noise, 6) - part
    amplitude = np.percentile(part, 99.5) - np.percentile(part, 0.5)
    assert 10 * np.log10(amplitude**2 / 8 / np.mean(added**2)) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("fs", [128, 300])
def test_noise_lasts_as_long_and_swings_as_fast_at_another_rate(nstdb, mitdb, fs):
    def slow(noise, rate):
        """Cumulative share of its power at 1, 3, 10 and 30 Hz."""
        power = np.abs(np.fft.rfft(noise[:, 0])) ** 2
        return np.interp([1, 3, 10, 30], np.fft.rfftfreq(len(noise), 1 / rate), np.cumsum(power) / power.sum())

    noise, other = electrode_motion("choice"), electrode_motion("choice", fs=Fraction(fs))
    assert len(other) / fs == pytest.approx(len(noise) / 360, abs=0.01)
    assert slow(other, fs) == pytest.approx(slow(noise, 360), abs=0.01)


def test_noise_that_trains_never_tests(nstdb, mitdb):
    training, choice, test = (electrode_motion(part) for part in ("training", "choice", "test"))
    assert [len(part) / 360 / 120 for part in (training, choice, test)] == [3, 1, 2]
    windows = {test[start : start + 360].tobytes() for start in range(0, len(test), 360)}
    for part in (training, choice):
        assert not any(part[start : start + 360].tobytes() in windows for start in range(len(part) - 360))


def test_the_quality_index_tells_noisy_hand_held_records(cinc2017):
    """On the half that it was fitted on; the other half is for `ectopy evaluate noise`."""
    from ectopy.evaluation import hand_held_figures

    figures = hand_held_figures("instant", "training")
    assert figures["noisy"] == 5
    assert figures["auroc"] > 0.9
    assert 0 <= figures["abnormal_low"] < figures["abnormal_of_normal"] < figures["abnormal_high"] < 0.1
    assert figures["normal_touched"] < figures["normal"] == 25


def test_a_noise_mark_is_read_with_its_leads(mitdb):
    marks = ectopy.read("mitdb/101").annotations
    assert marks is not None
    noisy = marks[marks.symbol == "~"]
    assert noisy.subtype.tolist()[:4] == [1, 0, -1, 0]
