"""The signal path up to the models, on the installed recording."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfilt, sosfilt_zi

from ectopy import StreamAnalyzer, analyze
from ectopy.errors import SignalError
from ectopy.recording import Recording
from ectopy.signal import (
    LAG,
    RATE,
    READABLE,
    block_start,
    check_rate,
    condition,
    settling,
)
from ectopy.signal.filters import HighPass


def at_rate(samples, up, down):
    """The same signal as a device of another rate would have sampled it."""
    return resample_poly(samples.astype(float), up, down, axis=0)


@pytest.mark.parametrize(
    ("fs", "up", "down"), [(100, 5, 18), (128, 16, 45), (250, 25, 36), (512, 64, 45), (1000, 25, 9)]
)
def test_the_same_heart_looks_alike_at_every_rate(demo, fs, up, down):
    reference = condition(demo.samples, demo.fs).signal[0]
    other = condition(at_rate(demo.samples, up, down), Fraction(fs)).signal[0]
    n = min(len(reference), len(other))
    correlation = np.corrcoef(reference[LAG:n], other[LAG:n])[0, 1]
    assert correlation > 0.995, "delays or filters differ between rates"


@pytest.mark.parametrize(("fs", "up", "down"), [(128, 16, 45), (1000, 25, 9)])
def test_beats_at_another_rate_are_the_same_beats(demo, fs, up, down):
    reference = analyze(demo).beats["time_s"].to_numpy()
    other = analyze(at_rate(demo.samples, up, down), fs=fs).beats["time_s"].to_numpy()
    nearest = np.abs(reference[:, None] - other).min(axis=1)
    assert (nearest < 0.02).mean() > 0.98


def test_the_unit_does_not_matter(demo):
    counts = Recording(demo.samples * 200 + 1024, demo.fs, demo.leads, calibrated=False)
    ours, theirs = analyze(demo), analyze(counts)
    assert list(theirs.beats["aami"]) == list(ours.beats["aami"])
    assert list(theirs.intervals["verdict"]) == list(ours.intervals["verdict"])
    assert theirs.notes == ("not calibrated: the unit of the samples is unknown or implausible",)


def test_an_inverted_lead_gives_the_same_beats(demo):
    ours = analyze(demo).beats
    inverted = analyze(Recording(-demo.samples, demo.fs, demo.leads)).beats
    matched = np.abs(ours["time_s"].to_numpy()[:, None] - inverted["time_s"].to_numpy()).min(axis=1) < 0.05
    assert matched.mean() > 0.99
    assert abs((ours["aami"] == "V").sum() - (inverted["aami"] == "V").sum()) <= 0.1 * (ours["aami"] == "V").sum()


def test_mains_hum_five_times_the_amplitude_leaves_the_beats(demo):
    t = np.arange(len(demo.samples)) / 360
    for hum in (50, 60):
        loud = demo.samples + 5 * np.sin(2 * np.pi * hum * t)[:, None]
        found = analyze(loud, fs=360).beats["time_s"].to_numpy()
        ours = analyze(demo).beats["time_s"].to_numpy()
        assert (np.abs(ours[:, None] - found).min(axis=1) < 0.03).mean() > 0.98, f"{hum} Hz"


@pytest.mark.parametrize(("fs", "hum"), [(100, 50), (120, 60)])
def test_mains_hum_at_half_the_rate_is_no_dead_lead(demo, fs, hum):
    x = at_rate(demo.samples[: 60 * 360], fs, 360)
    loud = x + 5 * np.sin(2 * np.pi * hum * np.arange(len(x)) / fs + 1)[:, None]
    result = analyze(loud, fs=fs)
    assert not any("lead off" in reason for reason in result.intervals["reason"])
    ours, found = (one.beats["time_s"].to_numpy() for one in (analyze(x, fs=fs), result))
    assert (np.abs(ours[:, None] - found).min(axis=1) < 0.03).mean() > 0.95


def test_the_gain_brings_qrs_complexes_to_one_size_within_seconds(demo):
    louder = demo.samples.copy()
    louder[150 * 360 :] *= 4  # the gain of the amplifier is changed in the middle
    signal = condition(louder, demo.fs).signal[0].reshape(-1, RATE)
    before, after = np.ptp(signal[100:148], axis=1), np.ptp(signal[165:290], axis=1)
    assert np.median(after) == pytest.approx(np.median(before), rel=0.25)


def test_quality_falls_in_noise_and_comes_back(demo):
    x = demo.samples.copy()
    x[60 * 360 : 90 * 360, 0] = np.random.default_rng(0).normal(size=30 * 360)
    quality = condition(x, demo.fs).quality[0]
    assert (quality[:59] >= READABLE).mean() > 0.95
    assert (quality[62:89] < READABLE).all()
    assert (quality[97:] >= READABLE).mean() > 0.95


def test_one_dead_lead_of_two_is_named_and_the_other_is_judged(demo):
    x = np.column_stack([demo.samples[:, 0], demo.samples[:, 0]])
    x[100 * 360 : 140 * 360, 1] = 0
    stream = StreamAnalyzer(360, ["MLII", "V1"])
    given = stream.push(x) + stream.finish()
    dead = [v for v in given if v.start_s >= 100 and v.end_s <= 140]
    alone = analyze(demo)
    doubtful = [k for k, v in enumerate(alone.verdicts[20:28]) if "may be abnormal, or noise" in v.reason]
    assert len(doubtful) <= 1  # which a trace of the dead lead may settle
    words, wanted = ([v.verdict for v in some] for some in (dead, alone.verdicts[20:28]))
    assert [k for k in range(8) if words[k] != wanted[k]] in ([], doubtful)
    assert all("lead V1 unreadable" in v.reason for v in dead)
    assert "; lead 2 unreadable" in analyze(x, fs=360).verdicts[22].reason
    ours = np.array([beat.sample for v in dead for beat in v.beats])
    theirs = np.array([b.sample for v in alone.verdicts if 100 <= v.start_s < 140 for b in v.beats])
    assert (np.abs(theirs[:, None] - ours).min(axis=1) <= 3).mean() > 0.97


def test_the_order_of_leads_does_not_matter(demo):
    x = np.column_stack([demo.samples[:, 0], -0.3 * np.roll(demo.samples[:, 0], 2)])
    ours, theirs = analyze(x, fs=360).beats, analyze(x[:, ::-1], fs=360).beats
    assert list(ours["sample"]) == list(theirs["sample"])
    assert list(ours["aami"]) == list(theirs["aami"])


@pytest.mark.parametrize("fs", [0, -1, 99.9, 1000.5, 4000, "many", float("nan"), float("inf")])
def test_a_rate_outside_100_to_1000_hz_is_refused(fs):
    with pytest.raises(SignalError, match="sampling rate"):
        check_rate(fs)


def test_a_rate_just_outside_is_told_as_it_is():
    with pytest.raises(SignalError, match=r"sampling rate 1000\.0001 Hz: expected 100 to 1000 Hz"):
        check_rate(1000.0001)


def test_block_bounds_are_exact_at_a_fractional_rate():
    fs = Fraction("359.97")
    assert [block_start(b, fs) for b in (0, 1, 100)] == [0, 360, 35_997]


def test_the_high_pass_is_the_butterworth_of_scipy(demo):
    x = demo.samples[: 128 * 280, 0].astype(float).reshape(1, 280, 128)  # as if it were at 128 Hz
    restart = np.zeros((1, 280), bool)
    restart[0, 0] = True
    sos = butter(2, 0.5, "highpass", fs=RATE, output="sos")
    wanted, _ = sosfilt(sos, x.reshape(-1), zi=sosfilt_zi(sos) * x[0, 0, 0])
    assert np.abs(HighPass(1).push(x, restart).reshape(-1) - wanted).max() < 1e-12
    assert np.abs(settling(1000) - sosfilt(sos, np.ones(1000))).max() < 1e-12
