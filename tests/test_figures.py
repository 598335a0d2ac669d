"""Pictures: true to scale, on the paper, and honest about what is missing."""

import base64
import io
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from ectopy import Recording
from ectopy.analysis import Analysis
from ectopy.errors import SignalError
from ectopy.figures import (
    CLASS_COLOURS,
    VERDICT_COLOURS,
    analysis_overview,
    braille,
    clock,
    full_disclosure,
    labelled_strip,
    rate_trend,
    recording_strip,
    strip,
    strip_figure,
    worst,
    worst_intervals,
)
from ectopy.recording import AamiClass
from ectopy.verdict import Beat, Finding, Verdict, Word

# seconds; the classes are made up
R_PEAKS: dict[float, AamiClass] = {45.95: "N", 46.54: "V", 47.01: "S", 48.2: "F", 49.3: "Q"}


def beat(time_s, aami="N", fs=360):
    odds = dict.fromkeys("NSVFQ", 0.02) | ({aami: 0.92} if aami else {})
    return Beat(round(time_s * fs), time_s, aami, **odds, rr_s=0.8, anomaly=0.06 if aami == "N" else 0.96)


def interval(start_s, verdict="normal", score=0.1, beats=(), findings=(), **other):
    if verdict == "unreadable":
        score = None
    values = {"heart_rate": None if verdict == "unreadable" else 75.0, "reason": f"as {verdict} as it gets"}
    return Verdict(
        start_s=start_s,
        end_s=start_s + 5,
        verdict=verdict,
        score=score,
        quality=0.9,
        n_beats=len(beats),
        n_abnormal=sum(b.aami in ("S", "V", "F") for b in beats),
        beats=tuple(beats),
        findings=tuple(findings),
        model="made up 1",
        **(values | other),
    )


@pytest.fixture
def judged():
    return interval(45.0, "abnormal", 0.96, [beat(time, aami) for time, aami in R_PEAKS.items()])


def axes(size=(8, 4)):
    return Figure(size).add_subplot()


def trace(ax, lead):
    return next(line for line in ax.lines if line.get_gid() == f"trace {lead}")


def said(figure_or_ax):
    """All that is written in it."""
    return "\n".join(text.get_text() for text in figure_or_ax.findobj(lambda a: hasattr(a, "get_text")))


def test_a_second_is_25_mm_and_a_millivolt_10_mm_on_the_printed_page(demo, judged):
    figure = worst_intervals(Analysis(demo, [judged], "made up 1"))
    (ax,) = figure.axes
    figure.draw_without_rendering()
    left, right = ax.transData.transform([(45.0, 0.0), (46.0, 10.0)]) / figure.dpi * 25.4
    np.testing.assert_allclose(right - left, [25.0, 10.0], rtol=1e-6)

    drawn = trace(ax, "MLII").get_ydata()
    samples = demo.samples[45 * 360 : 50 * 360, 0]
    assert np.ptp(drawn) == pytest.approx(10 * np.ptp(samples), rel=1e-3)
    pulse = next(line for line in ax.lines if line.get_gid() == "calibration pulse")
    assert np.ptp(pulse.get_ydata()) == pytest.approx(10)
    assert "25 mm/s, 10 mm/mV" in said(ax)


def test_each_beat_has_its_letter_above_it_in_the_colour_of_its_class(demo, judged):
    ax = strip(demo, judged, axes())
    letters = {t.get_position()[0]: t for t in ax.texts if t.get_gid() == "beat"}
    assert {time: text.get_text() for time, text in letters.items()} == R_PEAKS
    assert [text.get_color() for text in letters.values()] == [CLASS_COLOURS[aami] for aami in R_PEAKS.values()]
    complexes = [line.get_color() for line in ax.lines if line.get_gid() == "complex"]
    assert complexes == [CLASS_COLOURS[aami] for aami in R_PEAKS.values() if aami != "N"]
    assert len(set(CLASS_COLOURS.values())) == 5


def test_the_title_says_when_what_and_why(demo, judged):
    assert strip(demo, judged, axes()).get_title("left") == "0:45  abnormal 0.96: as abnormal as it gets"


def test_a_long_title_does_not_run_into_the_scale(demo, judged):
    reason = "ventricular run 1560.5 s, tachycardia (160 a minute) from 1559.0 s, no organised rhythm from 1542.0 s, "
    figure = worst_intervals(Analysis(demo, [replace(judged, reason=2 * reason)], "made up 1"))
    figure.set_dpi(150)  # as it is saved
    figure.draw_without_rendering()
    (ax,) = figure.axes
    title, scale = (t.get_window_extent() for t in ax.findobj(Text) if t.get_text().endswith(("…", "mm/mV")))
    assert title.x0 < title.x1 < scale.x0


def test_leads_are_stacked_in_their_order_without_touching(demo, judged):
    both = replace(demo, samples=np.hstack([demo.samples, -demo.samples]), leads=("MLII", "V1"))
    ax = strip(both, judged, axes())
    upper, lower = (trace(ax, lead).get_ydata() for lead in ("MLII", "V1"))
    assert upper.min() > lower.max()
    np.testing.assert_allclose(upper - upper.mean(), -(lower - lower.mean()), atol=1e-6)


def test_a_gap_is_left_open_and_marked(demo, judged):
    samples = demo.samples.copy()
    samples[46 * 360 : 48 * 360] = np.nan
    samples[48 * 360 + 36] = np.inf
    ax = strip(replace(demo, samples=samples), judged, axes())
    line = trace(ax, "MLII")
    inside = (line.get_xdata() >= 46) & (line.get_xdata() < 48)
    assert np.isnan(line.get_ydata()[inside]).all()
    assert np.isnan(line.get_ydata()).sum() == 2 * 360 + 1
    spans = [c.get_paths()[0].get_extents() for c in ax.collections if c.get_gid() == "gap MLII"]
    assert [(pytest.approx(46.0), pytest.approx(48.0, abs=0.01))] == [(s.x0, s.x1) for s in spans[:1]]
    assert len(spans) == 2
    assert said(ax).count("no signal") == 1


def test_without_calibration_there_is_no_millivolt_scale(demo, judged):
    ax = strip(replace(demo, samples=demo.samples * 200 + 1024, calibrated=False), judged, axes())
    assert not [line for line in ax.lines if line.get_gid() == "calibration pulse"]
    assert "mm/mV" not in said(ax)
    assert "amplitude not calibrated" in said(ax)
    assert np.ptp(trace(ax, "MLII").get_ydata()) > 10


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: -x,
        lambda x: 1000 * x,
        lambda x: -20 * x,
        lambda x: np.where(np.arange(len(x))[:, None] % 1000 == 7, 1e6, x),
        lambda x: x + 5000,
        lambda x: np.zeros_like(x),
        lambda x: np.full_like(x, np.nan),
    ],
    ids=["inverted", "huge", "huge and inverted", "spikes", "offset", "flat", "missing"],
)
def test_nothing_is_drawn_off_the_paper(demo, judged, spoil, calibrated):
    samples = spoil(demo.samples).astype(np.float32)
    ax = strip(replace(demo, samples=samples, calibrated=calibrated), judged, axes())
    bottom, top = ax.get_ylim()
    for line in ax.lines:
        heights = np.asarray(line.get_ydata(), dtype=float)
        assert not np.any((heights < bottom) | (heights > top))
    assert top <= 45
    ax.figure.savefig(io.BytesIO())


def test_a_spike_does_not_flatten_the_beats_beside_it(demo, judged):
    samples = demo.samples.copy()
    samples[47 * 360] = 500
    ax = strip(replace(demo, samples=samples), judged, axes())
    line = trace(ax, "MLII")
    beats = line.get_ydata()[np.abs(line.get_xdata() - 47) > 0.1]
    assert np.ptp(beats) > 10
    assert "cut at the edge" in said(ax)


def test_a_tall_signal_gets_half_the_gain_and_says_so(demo, judged):
    ax = strip(replace(demo, samples=demo.samples * 3), judged, axes())
    drawn, samples = trace(ax, "MLII").get_ydata(), 3 * demo.samples[45 * 360 : 50 * 360, 0]
    gain = np.ptp(drawn) / np.ptp(samples)
    assert gain in (pytest.approx(5), pytest.approx(2.5))
    assert f"{gain:.2g} mm/mV" in said(ax)


def test_the_worst_are_abnormal_by_score_then_unreadable_by_time():
    finding = Finding("asystole", 30.0, 35.0, abnormal=True, told_s=37.0)
    verdicts = [
        interval(0.0, "normal", 0.4),
        interval(5.0, "unreadable"),
        interval(10.0, "abnormal", 0.7),
        interval(15.0, "abnormal", 0.9, [beat(16)]),
        interval(20.0, "abnormal", 0.9, [beat(21, "V")]),
        interval(25.0, "unreadable"),
        interval(30.0, "abnormal", 0.0, findings=[finding]),
    ]
    assert [v.start_s for v in worst(verdicts)] == [30, 20, 15, 10, 5, 25]
    assert [v.start_s for v in worst(verdicts, 2)] == [30, 20]


def test_ten_of_many_intervals_are_drawn_worst_first(demo):
    verdicts = [interval(5.0 * i, "abnormal", i / 60) for i in range(60)]
    figure = worst_intervals(Analysis(demo, verdicts, "made up 1"))
    assert [ax.get_title("left").split()[0] for ax in figure.axes] == [clock(5 * i) for i in range(59, 49, -1)]
    assert "Research software, not a medical device" in said(figure)


def test_without_anything_bad_the_page_says_so(demo):
    figure = worst_intervals(Analysis(demo, [interval(0.0)], "made up 1"))
    assert not figure.axes
    assert "no abnormal or unreadable interval" in said(figure)


def test_of_twelve_leads_three_are_drawn_and_the_page_says_so(demo, judged):
    leads = tuple(f"L{i}" for i in range(12))
    figure = worst_intervals(
        Analysis(replace(demo, samples=np.repeat(demo.samples, 12, axis=1), leads=leads), [judged], "")
    )
    assert "leads L0, L1, L2 of 12" in said(figure)
    assert len([line for line in figure.axes[0].lines if str(line.get_gid()).startswith("trace")]) == 3


def test_a_recording_is_drawn_with_its_reference_beats(mitdb):
    from ectopy import read

    recording = read("mitdb/100")
    ax = recording.plot(0, 5)
    assert [t.get_text() for t in ax.texts if t.get_gid() == "beat"][:3] == ["N", "N", "N"]
    assert "reference annotations" in ax.get_title("left")
    assert ax.get_xlim()[1] == 5


@pytest.mark.parametrize(("start_s", "seconds"), [(300, 5), (-1, 5), (0, 0), (0, 121), (0, float("nan"))])
def test_a_strip_that_cannot_be_drawn_is_refused(demo, start_s, seconds):
    with pytest.raises(SignalError, match=r"start_s|seconds"):
        recording_strip(demo, start_s, seconds)


def test_one_abnormal_interval_is_seen_in_the_overview_of_24_hours(demo):
    verdicts = [interval(5.0 * i, "abnormal" if i == 9000 else "normal") for i in range(17_280)]
    figure = analysis_overview(Analysis(demo, verdicts, "made up 1"))
    band = figure.axes[0]
    band.get_legend().remove()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    pixels = imread(io.BytesIO(picture.getvalue()))[..., :3]
    box = band.get_window_extent()
    inside = pixels[-int(box.y1) : -int(box.y0), int(box.x0) : int(box.x1)]
    distance = np.abs(inside - to_rgb(VERDICT_COLOURS["abnormal"])).max(axis=2)
    assert 0.2 < np.where(distance < 0.3)[1].mean() / inside.shape[1] < 0.8


def test_the_title_of_the_overview_does_not_run_into_its_legend(demo, judged):
    long = replace(demo, name="holter-2024-03-12-patient-0815-monitor-2")
    figure = analysis_overview(Analysis(long, [judged], "made up 1"))
    figure.canvas.draw()
    band = figure.axes[0]
    title = next(text for text in band.findobj(Text) if long.name in text.get_text())
    assert not title.get_window_extent().overlaps(band.get_legend().get_window_extent())


def test_the_overview_shows_verdict_rate_and_score(demo):
    verdicts = [interval(0.0), interval(5.0, "unreadable"), interval(10.0, "abnormal", 0.8)]
    band, _, rate, score = Analysis(demo, verdicts, "made up 1").plot().axes
    assert "1 normal, 1 abnormal, 1 unreadable" in band.get_title("left")
    np.testing.assert_array_equal(rate.lines[0].get_ydata(), [75, np.nan, 75])
    assert {line.get_label(): line.get_ydata().tolist() for line in score.lines} == {
        "normal": [0.1],
        "abnormal": [0.8],
    }


def test_the_overview_has_a_bar_for_each_alarm_in_the_lane_of_its_priority(demo):
    found = [
        Finding("asystole", 20.0, None, True, 25.0),
        Finding("asystole", 20.0, 30.0, True, 33.0),
        Finding("pause", 100.0, 104.0, True, 105.0),
    ]
    alarms = Analysis(demo, [interval(0.0)], "made up 1", findings=found).plot().axes[1]
    lanes = [[path.get_extents() for path in lane.get_paths()] for lane in alarms.collections]
    assert [[(bar.x0, bar.x1) for bar in bars] for bars in lanes] == [[(20, 30)], [(100, 104)], []]
    assert [label.get_text() for label in alarms.get_yticklabels()] == ["high alarm", "medium alarm", "low alarm"]


@pytest.mark.parametrize("what", ["recording", "analysis"])
def test_a_notebook_shows_facts_and_a_picture_with_names_escaped(demo, judged, what):
    recording = replace(demo, name="<b>Mr. X & Co")
    shown = recording if what == "recording" else Analysis(recording, [judged], "made up 1", ("a note",))
    html = shown._repr_html_()
    assert "&lt;b&gt;Mr. X &amp; Co" in html and "<b>Mr. X" not in html
    assert "5:00" in html
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    if what == "analysis":
        assert "1 abnormal" in html and "a note" in html and "not a medical device" in html


def test_a_name_with_dollars_is_no_formula(demo, judged):
    recording = replace(demo, name=r"$\a$", leads=(r"V $\b$",))
    analysis = Analysis(recording, [replace(judged, reason=r"lead V $\b$ unreadable")], "made up 1")
    recording._repr_html_()
    analysis._repr_html_()
    worst_intervals(analysis).savefig(io.BytesIO())


def test_a_recording_without_samples_has_html_too():
    empty = Recording(np.empty((0, 1), np.float32), Fraction(360), ("MLII",))
    assert "0:00" in empty._repr_html_()


def test_matplotlib_and_pandas_come_in_only_when_something_is_drawn():
    code = "import ectopy.figures, sys; print({'matplotlib', 'pandas'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_a_trace_in_characters_rises_and_falls_with_the_signal():
    assert braille(np.array([0, 0, 0, 0, 1, 1, 1, 1.0]), 4, 1) == ["⣀⣀⡏⠉"]


def test_a_trace_in_characters_is_blank_where_the_signal_is_missing(demo):
    values = demo.samples[:3600, 0].astype(float)
    values[900:1800] = np.nan
    lines = braille(values, 80, 8)
    assert [len(line) for line in lines] == [80] * 8
    assert all(set(line[20:40]) == {"⠀"} for line in lines)
    assert any(set(line[:20]) > {"⠀"} for line in lines)


@pytest.mark.parametrize("values", [np.full(100, np.nan), np.zeros(100), np.zeros(3), np.array([1e30, -1e30])])
def test_a_trace_in_characters_takes_any_signal(values):
    assert [len(line) for line in braille(values, 20, 4)] == [20] * 4


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.96, "1:00"), (65, "1:05"), (65.25, "1:05.2"), (86399, "23:59:59")]
)
def test_times_read_like_a_clock(seconds, text):
    assert clock(seconds) == text


def test_full_disclosure_has_a_line_a_minute_and_marks_what_is_abnormal(demo):
    part = demo.section(60, 210)
    spans: list[tuple[float, float, Word]] = [
        (60.0, 65.0, "normal"),
        (115.0, 125.0, "abnormal"),
        (130.0, 135.0, "unreadable"),
    ]
    ax = full_disclosure(part, spans, Figure().subplots(), 60.0, looked_at=(70.0, 80.0))
    drawn = Counter(artist.get_gid() for artist in (*ax.lines, *ax.collections))
    assert drawn["trace"] == 3
    assert drawn["abnormal bar"] == drawn["abnormal"] == 2  # it goes over the end of a line
    assert drawn["unreadable bar"] == drawn["looked at"] == 1
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["1:00", "2:00", "3:00"]


def test_full_disclosure_leaves_a_gap_empty(demo):
    part = demo.section(0, 60)
    part = replace(part, samples=part.samples.copy())
    part.samples[3600:7200] = np.nan
    (trace,) = full_disclosure(part, [], Figure().subplots()).lines
    x, y = (np.asarray(values, float) for values in trace.get_data())
    assert np.isnan(y[(x > 10.1) & (x < 19.9)]).all()
    assert np.isfinite(y[(x < 9.9) | (x > 20.1)]).all()


def test_the_rate_trend_draws_every_interval_s_rate_and_where_one_looks(demo):
    verdicts = [Verdict(5.0 * k, 5.0 * k + 5, "normal", 0.1, 60.0 + k, 1.0, 5, 0, "", (), (), "m") for k in range(4)]
    ax = rate_trend(verdicts, Figure().subplots(), at_s=7.0)
    assert np.asarray(ax.lines[0].get_ydata()).tolist() == [60, 61, 62, 63]
    assert [np.asarray(line.get_xdata())[0] for line in ax.lines if line.get_gid() == "here"] == [7.0]


def test_a_labelled_strip_stands_at_its_own_time(demo):
    part = demo.section(20, 30)
    figure, ax = strip_figure(part)
    labelled_strip(part, [(21.0, "V*", "V"), (40.0, "N", "N")], ax, "a title", at_s=20.0)
    assert [text.get_text() for text in ax.texts if text.get_gid() == "beat"] == ["V*"]
    assert ax.get_xlim() == pytest.approx((19.6, 30.0))
    width, height = figure.get_size_inches() * 25.4
    box = ax.get_position()
    assert box.width * width == pytest.approx(10.4 * 25) and 0 < box.height * height < height
