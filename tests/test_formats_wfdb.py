"""WFDB records: every storage format against the `wfdb` package, and every way a file can be wrong."""

import shutil
from datetime import datetime
from fractions import Fraction

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ectopy
from ectopy.errors import EctopyError, FormatError, LeadError, RecordError
from ectopy.formats import read

FS = 360


@pytest.fixture
def record(demo, tmp_path):
    """The first ten seconds of the installed recording as a WFDB record `r`, with three marks."""
    return _write(demo, tmp_path)


def _write(demo, folder, **header):
    samples = demo.samples[: 10 * FS].astype(np.float64)
    settings = {"fs": FS, "units": ["mV"], "sig_name": ["MLII"], "fmt": ["16"]} | header
    wfdb.wrsamp("r", p_signal=samples, adc_gain=[200], baseline=[0], write_dir=str(folder), **settings)
    marks = {"sample": np.array([100, 400, 700]), "symbol": ["+", "N", "V"], "aux_note": ["(N", "", ""]}
    wfdb.wrann("r", "atr", **marks, write_dir=str(folder))
    return folder / "r"


def _rewrite(record, old, new):
    header = record.with_suffix(".hea")
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))


def test_a_record_is_read_by_its_name_its_header_or_its_signal_file(record, demo):
    by_name = read(record)
    assert (by_name.fs, by_name.leads, by_name.name, by_name.calibrated) == (360, ("MLII",), "r", True)
    assert by_name.samples.dtype == np.float32
    np.testing.assert_allclose(by_name.samples, demo.samples[: 10 * FS], atol=0.0026)  # half a step of 5 µV
    for path in (record.with_suffix(".hea"), record.with_suffix(".dat"), str(record)):
        np.testing.assert_array_equal(read(path).samples, by_name.samples)


def test_a_header_may_begin_with_a_byte_order_mark(record):
    plain = read(record)
    header = record.with_suffix(".hea")
    header.write_text(header.read_text(), encoding="utf-8-sig")
    np.testing.assert_array_equal(read(record).samples, plain.samples)


def test_reference_marks_come_with_their_texts(record):
    marks = read(record).annotations
    assert list(marks.sample) == [100, 400, 700]
    assert list(marks.symbol) == ["+", "N", "V"]
    assert list(marks.aux) == ["(N", "", ""]
    assert list(marks.beats.symbol) == ["N", "V"]


def test_a_record_without_reference_marks_has_none(record):
    record.with_suffix(".atr").unlink()
    assert read(record).annotations is None


def test_symbols_that_physionet_does_not_define_are_kept_apart(record):
    code, sample = 42, 300
    record.with_suffix(".atr").write_bytes(bytes([sample & 255, code << 2 | sample >> 8, 0, 0]))
    marks = read(record).annotations
    assert (list(marks.sample), list(marks.unknown.symbol), len(marks.beats)) == ([300], ["[42]"], 0)


def test_marks_in_another_time_resolution_are_put_on_the_recording_s_samples(record):
    wfdb.wrann("r", "atr", np.array([1000, 2000]), ["N", "V"], fs=1000, write_dir=str(record.parent))  # 1 s and 2 s
    assert list(read(record).annotations.sample) == [360, 720]


def test_a_comment_at_the_first_sample_that_hangs_wfdb_is_read(record):
    wfdb.wrann("r", "atr", np.array([0, 400]), ['"', "N"], aux_note=["## by hand", ""], write_dir=str(record.parent))
    assert list(read(record).annotations.symbol) == ["N"]


@pytest.mark.parametrize(
    "name",
    [
        "041s/041s",  # two segments of fixed layout, four samples a frame
        "100_3chan",
        "310derive",
        "311derive",
        "a103l",  # .mat
        "binformats",  # 8, 16, 24, 32, 61, 80, 160, 212, 310, 311
        "flacformats",
        "mixedsignals",
        "s25047/s25047-2704-05-04-10-44",  # twenty segments of variable layout, and gaps
    ],
)
def test_every_storage_format_gives_what_wfdb_gives(user_files, name):
    recording = read(user_files / "wfdb" / name)
    expected = wfdb.rdrecord(str(user_files / "wfdb" / name), smooth_frames=False)
    for lead, column in zip(recording.leads, recording.samples.T, strict=True):
        values = expected.e_p_signal[expected.sig_name.index(lead)]
        np.testing.assert_array_equal(column, values.astype(np.float32))


def test_the_12_leads_of_a_challenge_record_are_read(user_files):
    recording = read(user_files / "cinc2021" / "E07500.mat")
    assert recording.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert recording.samples.shape == (5000, 12)
    np.testing.assert_allclose(recording.samples[0, :2], [-0.068, -0.058])


def test_leads_with_several_samples_a_frame_keep_their_own_rate_exactly(user_files):
    recording = read(user_files / "wfdb" / "mixedsignals")
    assert recording.leads == ("II", "III", "V")
    assert recording.fs == Fraction("62.4725") * 4
    assert len(recording.samples) == 14400 * 4


def test_leads_of_different_rates_are_brought_to_the_highest_by_repeating_samples(tmp_path):
    (tmp_path / "r.hea").write_text("r 2 100 3\nr.dat 16x3 100/mV 16 0 0 0 0 I\nr.dat 16x2 100/mV 16 0 0 0 0 II\n")
    np.arange(1, 16, dtype="<i2").tofile(tmp_path / "r.dat")
    recording = read(tmp_path / "r")
    assert recording.fs == 300
    np.testing.assert_allclose(recording.samples[:6] * 100, [[1, 4], [2, 4], [3, 5], [6, 9], [7, 9], [8, 10]])


def test_missing_samples_and_gaps_between_segments_are_nan(user_files):
    recording = read(user_files / "wfdb" / "s25047" / "s25047-2704-05-04-10-44")
    assert np.isnan(recording.samples[:25740]).all()
    assert np.isfinite(recording.samples[25740:30000]).all()
    assert recording.start == datetime(2704, 5, 4, 10, 44, 18, 529000)


def test_a_skewed_signal_is_shifted_back_and_ends_in_nan(user_files, mitdb, tmp_path):
    shutil.copy(user_files / "wfdb" / "100skew.hea", tmp_path)
    shutil.copy(mitdb / "100.dat", tmp_path)
    skewed, plain = read(tmp_path / "100skew"), read(mitdb / "100")
    np.testing.assert_array_equal(skewed.samples[:, 0], plain.samples[:, 0])
    np.testing.assert_array_equal(skewed.samples[:-3, 1], plain.samples[3:, 1])
    assert np.isnan(skewed.samples[-3:, 1]).all()


def test_three_signals_may_have_three_skews(tmp_path):
    lines = [f"r.dat 16:{skew} 1/mV 16 0 0 0 0 {name}\n" for skew, name in ((0, "I"), (1, "II"), (2, "III"))]
    (tmp_path / "r.hea").write_text("r 3 100 3\n" + "".join(lines))
    np.arange(9, dtype="<i2").tofile(tmp_path / "r.dat")
    expected = [[0, 4, 8], [3, 7, np.nan], [6, np.nan, np.nan]]
    np.testing.assert_array_equal(read(tmp_path / "r").samples, expected)


def test_the_odd_dates_of_cinc2017_are_no_reason_to_refuse(cinc2017):
    headers = sorted(cinc2017.glob("*.hea"))
    for header in headers:
        recording = read(header)
        assert (recording.fs, recording.leads, recording.start) == (300, ("ECG",), None)
        assert np.isfinite(recording.samples).all()
    assert len(headers) >= 100


@pytest.mark.parametrize("written", ["257", "128", "250.5", "359.97", "360/1000", "99.9999999999"])
def test_the_rate_is_kept_as_the_header_has_it(record, written):
    _rewrite(record, "r 1 360 3600", f"r 1 {written} 3600")
    assert read(record).fs == Fraction(written.split("/")[0])


@pytest.mark.parametrize(
    ("unit", "factor"), [("mV", 1), ("mv", 1), ("uV", 1e-3), ("\u00b5V", 1e-3), ("V", 1e3), ("nV", 1e-6)]
)
def test_voltages_come_in_millivolts(record, unit, factor):
    expected = read(record).samples * factor
    _rewrite(record, "/mV", f"/{unit}")
    np.testing.assert_allclose(read(record).samples, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("200(0)/mV", "0(0)/mV"),  # gain 0
        ("200(0)/mV", "200(0)/NU"),  # no unit
        ("200(0)/mV", "0.2(0)/mV"),  # a QRS of a volt
        ("200(0)/mV", "200(0)/V"),
    ],
)
def test_an_unknown_or_implausible_unit_is_said_to_be_not_calibrated(record, old, new):
    _rewrite(record, old, new)
    recording = read(record)
    assert not recording.calibrated
    assert np.isfinite(recording.samples).all()


def test_a_gain_without_a_unit_means_millivolts(record):
    _rewrite(record, "/mV", "")
    assert read(record).calibrated


def test_signals_that_are_no_ecg_are_left_out(user_files):
    assert read(user_files / "wfdb" / "041s" / "041s").leads == ("III", "I", "V")  # not ABP, PAP, PLETH, RESP
    assert read(user_files / "wfdb" / "a103l").leads == ("II", "V")


def test_a_record_without_ecg_is_refused_with_what_is_there(user_files):
    with pytest.raises(LeadError, match=r"no ECG lead.*SpO2 \(%\).*NBPSys \(mmHg\)"):
        read(user_files / "wfdb" / "s25047" / "s25047-2704-05-04-10-44n")


def test_leads_are_read_by_name_and_an_unknown_one_is_refused(user_files):
    assert read(user_files / "wfdb" / "a103l", leads=["V"]).leads == ("V",)
    with pytest.raises(LeadError, match=r"no ECG lead V9 \(it has II \(mV\), V \(mV\), PLETH \(NU\)\)"):
        read(user_files / "wfdb" / "a103l", leads=["II", "V9"])


def test_leads_of_one_name_are_told_apart(tmp_path):
    (tmp_path / "r.hea").write_text("r 3 100 2\n" + "r.dat 16 100/mV 16 0 0 0 0 ECG\n" * 2 + "r.dat 16 100\n")
    np.arange(6, dtype="<i2").tofile(tmp_path / "r.dat")
    assert read(tmp_path / "r").leads == ("ECG", "ECG_2", "ECG3")


def test_a_header_without_a_length_takes_that_of_its_file(record):
    expected = read(record).samples
    _rewrite(record, "r 1 360 3600", "r 1 360")
    np.testing.assert_array_equal(read(record).samples, expected)


def test_a_truncated_signal_says_how_much_is_there_and_what_to_do(record):
    signal = record.with_suffix(".dat")
    signal.write_bytes(signal.read_bytes()[:4001])
    with pytest.raises(FormatError, match=r"r\.dat: holds 2,000 samples, but its header promises 3,600; copy it"):
        read(record)


def test_a_truncated_or_missing_signal_of_a_database_is_to_be_downloaded_again(record, tmp_path):
    folder = tmp_path / "data" / "mitdb"
    folder.mkdir(parents=True)
    for suffix in (".hea", ".dat", ".atr"):
        shutil.copy(record.with_suffix(suffix), folder)
    (folder / "r.dat").write_bytes(b"")
    with pytest.raises(FormatError, match=r"holds 0 samples.*download it again with 'ectopy data get mitdb'"):
        ectopy.read("mitdb/r", data_dir=tmp_path / "data")
    (folder / "r.dat").unlink()
    with pytest.raises(RecordError, match=r"r\.dat: not there.*download it again with 'ectopy data get mitdb'"):
        ectopy.read("mitdb/r", data_dir=tmp_path / "data")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "no WFDB header"),
        ("hello\n", "no WFDB header"),
        ("time,ECG\n0,0.1\n", "number of signals|no WFDB header"),
        ("\0\1\2", "binary data"),
        ("r 0 360 3600\n", "without signals"),
        ("r 2 360 3600\nr.dat 16 200\n", "promises 2 signals but describes 1"),
        ("r 1 fast 3600\nr.dat 16 200\n", "sampling rate 'fast'"),
        ("r 1 0 3600\nr.dat 16 200\n", "sampling rate '0'"),
        ("r 1 360 many\nr.dat 16 200\n", "number of samples 'many'"),
        ("r one 360 3600\nr.dat 16 200\n", "number of signals 'one'"),
        ("r 1 360 3600\nr.dat sixteen 200\n", "storage format"),
        ("r 1 360 3600\nr.dat 99 200\n", "storage format 99.*expected one of 8, 16, 24"),
        ("r 1 360 3600\nr.dat 16 much/mV\n", "gain 'much/mV'"),
        ("r 1 360 3600\n../r.dat 16 200\n", "expected a file name"),
        ("r/2 1 360 3600\nr 1800\n", "promises 2 segments but describes 1"),
        ("r/1 1 360 3600\nr 1800\n", "a segment of segments"),
        ("r/1 1 360 3600\n~ 3600\n", "gaps"),
        ("r 1 360 3600\n~ 0 200\n", "without signal data"),
        ("r 1 360 999999999999999\n~ 0 200\n", "without signal data"),
        ("r 1 360 999999999999999\nr.dat 16 200\n", "promises 999,999,999,999,999"),
    ],
)
def test_a_header_that_is_wrong_is_refused_by_name(record, header, message):
    record.with_suffix(".hea").write_text(header)
    with pytest.raises(FormatError, match=message) as caught:
        read(record)
    assert str(record.parent) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(record, tmp_path):
    with pytest.raises(RecordError, match="none: no such recording"):
        read(tmp_path / "none")
    with pytest.raises(RecordError, match="a folder"):
        read(tmp_path)
    record.with_suffix(".dat").unlink()
    with pytest.raises(RecordError, match=r"r\.dat: not there, though r\.hea names it"):
        read(record)
    record.with_suffix(".hea").write_text("r/1 1 360 3600\nr1 3600\n")
    with pytest.raises(RecordError, match=r"r1\.hea: not there, though r\.hea names it"):
        read(record)


def test_a_file_of_another_format_is_refused(tmp_path):
    (tmp_path / "ecg.csv").write_text("0.1\n0.2\n")
    with pytest.raises(FormatError, match=r"ecg\.csv: in no format that Ectopy reads"):
        read(tmp_path / "ecg.csv")


@pytest.mark.parametrize("content", [b"no annotations here", b"\x01", b"\x00\xec\xff\xff\xff\x7f\x00\x04\x00\x00"])
def test_an_annotation_file_that_is_none_is_refused_by_name(record, content):
    record.with_suffix(".atr").write_bytes(content)
    with pytest.raises(FormatError, match=r"r\.atr: "):
        read(record)


def test_a_flac_file_that_is_none_is_refused_by_name(user_files, tmp_path):
    for file in user_files.glob("wfdb/flacformats.*"):
        shutil.copy(file, tmp_path)
    whole = (tmp_path / "flacformats.d1").read_bytes()
    for content in (b"", b"fLaC", whole[:300], b"RIFF" + whole[4:]):
        (tmp_path / "flacformats.d1").write_bytes(content)
        with pytest.raises(FormatError, match="flacformats"):
            read(tmp_path / "flacformats")


@pytest.fixture(scope="module")
def whole_files(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    _write(demo, folder)
    return folder, {suffix: (folder / f"r{suffix}").read_bytes() for suffix in (".hea", ".dat", ".atr")}


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    suffix=st.sampled_from([".hea", ".hea", ".dat", ".atr"]),
    start=st.integers(0, 120),
    length=st.integers(0, 40),
    put=st.one_of(st.binary(max_size=30), st.text(alphabet="r0123456789 .:/x+()~-\nmV", max_size=30).map(str.encode)),
    cut=st.booleans(),
)
def test_a_damaged_file_is_read_or_refused_in_one_line(whole_files, suffix, start, length, put, cut):
    folder, files = whole_files
    for name, content in files.items():
        (folder / f"r{name}").write_bytes(content)
    content = files[suffix]
    (folder / f"r{suffix}").write_bytes(content[:start] + put + (b"" if cut else content[start + length :]))
    try:
        recording = read(folder / "r")
    except EctopyError as error:
        assert "\n" not in str(error)
        assert "r" + suffix in str(error) or "r.dat" in str(error) or "r.hea" in str(error)
    else:
        assert recording.samples.dtype == np.float32
        assert recording.samples.ndim == 2
