"""What is kept of an analysis: whole files, or none."""

import io
import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb
from rich.console import Console

from ectopy.analysis import Analysis
from ectopy.errors import OutputError
from ectopy.reports import check_folder, save, show, stretches
from ectopy.verdict import Beat, Finding, Verdict

SUFFIXES = [".beats.csv", ".ectopy", ".episodes.csv", ".findings.csv", ".intervals.csv", ".json", ".worst.png"]


def beat(time_s, aami, fs):
    odds = dict.fromkeys("NSVFQ", 0.02) | {aami: 0.92} if aami else dict.fromkeys("NSVFQ", math.nan)
    return Beat(round(time_s * fs), time_s, aami, **odds, rr_s=math.nan, anomaly=0.5)


def interval(start_s, word, beats=(), reason="for a reason"):
    readable = word != "unreadable"
    return Verdict(
        start_s=start_s,
        end_s=start_s + 5,
        verdict=word,
        score=0.5 if readable else None,
        heart_rate=75.0 if readable else None,
        quality=0.9,
        n_beats=len(beats),
        n_abnormal=sum(b.aami in ("S", "V", "F") for b in beats),
        reason=reason,
        beats=tuple(beats),
        findings=(Finding("run", start_s, start_s + 1, True, start_s + 3),) if word == "abnormal" else (),
        model="made up 1",
    )


@pytest.fixture
def analysis(demo):
    classes = "NSVFQN"
    verdicts = [
        interval(0.0, "abnormal", [beat(0.5 + 0.7 * i, aami, 360) for i, aami in enumerate(classes)]),
        interval(5.0, "abnormal", [beat(6.0, "V", 360)]),
        interval(10.0, "unreadable"),
        interval(15.0, "normal", [beat(16.0, "N", 360)]),
        interval(20.0, "unreadable"),
    ]
    found = [*told("pause", 3.5, 7.0), *told("tachycardia", 20.0, 50.0, value=130), *told("asystole", 200.0, 206.0)]
    return Analysis(demo, verdicts, "made up 1", ("a note",), found)


def told(name, start_s, end_s, value=None):
    """A finding as it begins, 3 s later, and as it ends."""
    return Finding(name, start_s, None, True, start_s + 3, value), Finding(name, start_s, end_s, True, end_s + 3, value)


def test_saving_writes_seven_files_and_nothing_else(analysis, tmp_path):
    written = save(analysis, tmp_path / "new" / "folder")
    assert written == [tmp_path / "new" / "folder" / f"demo{suffix}" for suffix in SUFFIXES]
    assert sorted((tmp_path / "new" / "folder").iterdir()) == written
    assert all(path.stat().st_size for path in written)


def test_the_annotations_are_read_back_by_wfdb(analysis, tmp_path):
    save(analysis, tmp_path)
    marks = wfdb.rdann(str(tmp_path / "demo"), "ectopy")
    assert marks.sample.tolist() == analysis.beats["sample"].tolist()
    assert "".join(marks.symbol) == "NSVFQNVN"
    assert marks.fs == 360


def test_annotations_keep_a_fractional_rate_and_times_of_24_hours(analysis, tmp_path):
    late = [beat(86_399.0, "V", 359.97), beat(86_399.5, None, 359.97)]
    day = np.broadcast_to(np.float32(0), (86_400 * 360, 1))
    recording = replace(analysis.recording, samples=day, fs=Fraction(35997, 100), name="dir/late one.hea")
    save(Analysis(recording, [interval(86_395.0, "abnormal", late)], "made up 1"), tmp_path)
    (written,) = tmp_path.glob("late_one_hea-????????.ectopy")
    marks = wfdb.rdann(str(written.with_suffix("")), "ectopy")
    assert marks.fs == 359.97
    assert marks.sample.tolist() == [b.sample for b in late]
    assert marks.symbol == ["V", "?"]


def test_beats_of_a_model_without_classes_are_marked_as_unclassified(demo, tmp_path):
    save(Analysis(demo, [interval(0.0, "normal", [beat(1.0, None, 360)])], "made up 1"), tmp_path)
    assert wfdb.rdann(str(tmp_path / "demo"), "ectopy").symbol == ["?"]


def test_an_analysis_without_beats_is_saved_too(demo, tmp_path):
    save(Analysis(demo, [interval(0.0, "unreadable")], "made up 1"), tmp_path)
    assert len(wfdb.rdann(str(tmp_path / "demo"), "ectopy").sample) == 0
    assert pd.read_csv(tmp_path / "demo.beats.csv").empty


def test_the_tables_are_read_back_as_they_were(analysis, tmp_path):
    save(analysis, tmp_path)
    for name, table in (("beats", analysis.beats), ("intervals", analysis.intervals)):
        back = pd.read_csv(tmp_path / f"demo.{name}.csv")
        pd.testing.assert_frame_equal(back, table.fillna(np.nan), check_dtype=False, rtol=1e-9)
    assert ",unreadable,,,0.9,0,0," in (tmp_path / "demo.intervals.csv").read_text()


def test_the_json_has_every_verdict_and_null_for_what_is_unknown(analysis, tmp_path):
    save(analysis, tmp_path)
    text = (tmp_path / "demo.json").read_text()
    assert "NaN" not in text
    document = json.loads(text)
    assert document["verdicts"] == [verdict.to_dict() for verdict in analysis.verdicts]
    assert document["verdicts"][2]["score"] is None
    assert document["verdicts"][0]["beats"][0]["rr_s"] is None
    assert document["model"] == "made up 1"
    assert document["notes"] == ["a note"]
    assert document["counts"] == {"normal": 1, "abnormal": 2, "unreadable": 2}


def test_findings_are_saved_as_they_are_told_and_alarms_as_a_service_would_have_raised_them(analysis, tmp_path):
    save(analysis, tmp_path)
    found = pd.read_csv(tmp_path / "demo.findings.csv")
    assert [*found] == ["name", "start_s", "end_s", "abnormal", "told_s", "value"]
    back = found.astype(object).where(found.notna(), None)
    assert [Finding(*row) for row in back.itertuples(index=False)] == analysis.findings
    alarms = pd.read_csv(tmp_path / "demo.episodes.csv")
    assert [*alarms] == ["code", "priority", "start_s", "end_s", "told_s", "reason", "value"]
    assert alarms.iloc[:, :5].to_numpy().tolist() == [
        ["pause", "medium", 3.5, 7, 6.5],
        ["tachycardia", "medium", 20, 50, 30],
        ["asystole", "high", 200, 206, 203],
    ]
    assert alarms["reason"][1] == "heart rate 130 a minute or more (limit 120)"
    written = json.loads((tmp_path / "demo.json").read_text())["episodes"]
    pd.testing.assert_frame_equal(pd.DataFrame(written), alarms, check_dtype=False)


def test_an_analysis_without_findings_is_saved_with_empty_tables(demo, tmp_path):
    save(Analysis(demo, [interval(0.0, "normal")], "made up 1"), tmp_path)
    assert pd.read_csv(tmp_path / "demo.findings.csv").empty
    assert pd.read_csv(tmp_path / "demo.episodes.csv").empty


def test_saving_again_replaces_what_was_there(analysis, tmp_path):
    first = save(analysis, tmp_path)
    save(replace(analysis, verdicts=analysis.verdicts[:1]), tmp_path)
    assert sorted(tmp_path.iterdir()) == first
    assert len(pd.read_csv(tmp_path / "demo.intervals.csv")) == 1


def test_names_that_wfdb_does_not_take_do_not_become_one(analysis, tmp_path):
    for name in ("Müller", "Möller", "M_ller"):
        save(replace(analysis, recording=replace(analysis.recording, name=name)), tmp_path)
    saved = [json.loads(path.read_text())["recording"] for path in tmp_path.glob("*.json")]
    assert sorted(saved) == ["M_ller", "Möller", "Müller"]
    assert all(path.name.isascii() for path in tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(analysis, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    for folder in (file, file / "below"):
        with pytest.raises(OutputError, match=f"^{folder}: can't be written"):
            save(analysis, folder)
        with pytest.raises(OutputError, match=f"^{folder}: can't be written"):
            check_folder(folder)
    assert file.read_text() == "mine"
    (tmp_path / "taken" / "demo.json").mkdir(parents=True)
    with pytest.raises(OutputError, match="can't be written"):
        save(analysis, tmp_path / "taken")
    assert not list((tmp_path / "taken").glob(".ectopy-*"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, which even root can't write")
def test_a_folder_without_permission_is_named(analysis):
    with pytest.raises(OutputError, match=r"^/proc/ectopy: can't be written"):
        save(analysis, "/proc/ectopy")


def test_checking_a_folder_makes_nothing(tmp_path):
    check_folder(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


def test_intervals_of_one_verdict_in_a_row_are_one_stretch(analysis):
    found = stretches(analysis.verdicts)
    assert [(s.start_s, s.end_s, s.worst.verdict) for s in found] == [
        (0, 10, "abnormal"),
        (10, 15, "unreadable"),
        (20, 25, "unreadable"),
    ]
    assert [s.abnormal_beats for s in found] == ["1 S, 2 V, 1 F", "", ""]


def test_a_beat_in_two_overlapping_intervals_is_one_beat(demo):
    twice = [beat(3.0, "V", 360)]
    analysis = Analysis(demo, [interval(0.0, "abnormal", twice), interval(1.0, "abnormal", twice)], "")
    assert len(analysis.beats) == 1
    assert analysis.summary.beats == {"V": 1}
    assert stretches(analysis.verdicts)[0].abnormal_beats == "1 V"


def test_the_summary_counts_what_the_tables_hold(analysis):
    summary = analysis.summary
    assert summary.duration_s == 300
    assert summary.verdicts == analysis.intervals["verdict"].value_counts().to_dict()
    assert summary.beats == analysis.beats["aami"].value_counts().to_dict()
    assert summary.heart_rate == analysis.intervals["heart_rate"].median()
    assert summary.unreadable_share == 0.4
    assert summary.notes == ("a note",)


def test_an_analysis_without_a_readable_interval_has_no_heart_rate(demo):
    summary = Analysis(demo, [interval(0.0, "unreadable")], "").summary
    assert summary.heart_rate is None
    assert summary.unreadable_share == 1


def shown(analysis):
    screen = io.StringIO()
    show(analysis, Console(file=screen, width=120))
    return screen.getvalue()


def test_showing_lists_the_stretches_with_their_reasons(analysis):
    text = shown(analysis)
    assert "1 normal, 2 abnormal, 2 unreadable" in text
    assert "a note" in text
    rows = [line.split() for line in text.splitlines() if "for a reason" in line]
    assert [row[:3] for row in rows] == [
        ["0:00", "0:10", "abnormal"],
        ["0:10", "0:15", "unreadable"],
        ["0:20", "0:25", "unreadable"],
    ]


def test_showing_lists_the_alarms_the_most_urgent_first(analysis):
    rows = [line.split(maxsplit=5) for line in shown(analysis).splitlines() if " medium " in line or " high " in line]
    assert [row[:5] for row in rows] == [
        ["3:20", "3:26", "3:23", "high", "asystole"],
        ["0:03", "0:07", "0:06", "medium", "pause"],
        ["0:20", "0:50", "0:30", "medium", "tachycardia"],
    ]
    assert rows[2][5].strip() == "heart rate 130 a minute or more (limit 120)"


def test_showing_many_alarms_says_that_the_list_is_cut(demo):
    found = [one for k in range(60) for one in told("asystole" if k > 50 else "pause", 20.0 * k, 20.0 * k + 5)]
    day = replace(demo, samples=np.broadcast_to(np.float32(0), (1300 * 360, 1)))
    text = shown(Analysis(day, [interval(0.0, "normal")], "", findings=found))
    assert (text.count(" high "), text.count(" medium ")) == (9, 31)
    assert "The 40 most urgent of 60 alarms; with '--out DIR' NAME.episodes.csv has them all." in text


def test_showing_a_quiet_recording_says_that_nothing_was_found(demo):
    text = shown(Analysis(demo, [interval(0.0, "normal")], ""))
    assert "No abnormal or unreadable stretch" in text
    assert "No alarm" in text


def test_showing_a_long_list_says_that_it_is_cut(demo):
    words = ["abnormal", "normal"] * 60
    text = shown(Analysis(demo, [interval(5.0 * i, word) for i, word in enumerate(words)], ""))
    assert text.count("for a reason") == 40
    assert "40 longest of 60 stretches; with '--out DIR' NAME.intervals.csv has every interval." in text


def test_square_brackets_in_names_and_reasons_are_printed(demo):
    verdict = interval(0.0, "abnormal", reason="lead [red]V1[/red] off")
    text = shown(Analysis(replace(demo, name="[bold]me"), [verdict], ""))
    assert "[bold]me" in text
    assert "lead [red]V1[/red] off" in text


def test_24_hours_are_saved(demo, tmp_path):
    fs, n = 360, 17_280
    verdicts = [
        interval(
            5.0 * i,
            "abnormal" if i % 9 == 0 else "normal",
            [beat(5.0 * i + t, "N", fs) for t in (1, 2, 3, 4)],
        )
        for i in range(n)
    ]
    long = replace(demo, samples=np.resize(demo.samples, (24 * 3600 * fs, 1)))
    save(Analysis(long, verdicts, "made up 1"), tmp_path)
    assert len(wfdb.rdann(str(tmp_path / "demo"), "ectopy").sample) == 4 * n
    assert len(json.loads((tmp_path / "demo.json").read_text())["verdicts"]) == n
