"""Findings scored: spans and counts on small cases with known scores, made signals, and `ectopy evaluate findings`."""

import csv
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ectopy import Recording, read
from ectopy.alarms import RULES
from ectopy.cli import app
from ectopy.evaluation.findings.figures import a_day, agreement, delay_quantiles, share_of
from ectopy.evaluation.findings.heard import ToldFinding, listen
from ectopy.evaluation.findings.judge import (
    AF,
    RUNS,
    Delay,
    HighAlarm,
    JudgedRecord,
    first_told_s,
    high_alarms,
    is_true,
    judge_record,
)
from ectopy.evaluation.findings.made import KINDS, judge_made
from ectopy.evaluation.findings.reference import reference_episodes, ventricular_rows
from ectopy.evaluation.findings.spans import Match, length_s, match, merged, touches, without
from ectopy.recording import Annotations

FS = 100


def test_spans_that_overlap_or_meet_are_one() -> None:
    assert merged([(5.0, 6.0), (0.0, 2.0), (1.0, 3.0), (3.0, 4.0)]) == [(0.0, 4.0), (5.0, 6.0)]
    assert length_s(merged([(0.0, 2.0), (1.0, 3.0)])) == 3.0


def test_what_is_left_outside() -> None:
    out = [(2.0, 3.0), (5.0, 6.0)]
    assert without([(0.0, 10.0)], out) == [(0.0, 2.0), (3.0, 5.0), (6.0, 10.0)]
    assert without([(2.2, 2.8), (5.5, 7.0)], out) == [(6.0, 7.0)]
    assert without([(4.0, 4.0), (2.5, 2.5)], out) == [(4.0, 4.0)]
    assert without([(0.0, 1.0)], []) == [(0.0, 1.0)]


def test_spans_may_miss_each_other_by_the_tolerance() -> None:
    assert not touches((0.0, 1.0), [(1.1, 2.0)])
    assert touches((0.0, 1.0), [(1.1, 2.0)], 0.15)


def test_episodes_are_counted_in_both_directions_and_seconds_where_both_agree() -> None:
    reference = [(0.0, 10.0), (20.0, 30.0), (40.0, 50.0)]
    told = [(1.0, 2.0), (5.0, 12.0), (29.0, 31.0), (60.0, 61.0)]
    assert match(reference, told) == Match(
        episodes=3, found=2, told=4, true=3, reference_s=30.0, told_s=11.0, both_s=1.0 + 5.0 + 1.0
    )
    assert match([], []) == Match()


def test_what_is_left_out_counts_for_neither_side() -> None:
    scored = match([(0.0, 10.0)], [(8.0, 14.0), (15.0, 16.0), (30.0, 31.0)], left_out=[(9.0, 20.0)])
    # the first is true; the second touches only what is left out; the third is false
    assert scored == Match(episodes=1, found=1, told=2, true=1, reference_s=9.0, told_s=2.0, both_s=1.0)


def test_ventricular_rows_are_three_in_a_row_and_less_than_two_seconds_apart() -> None:
    time_s = np.array([0, 1, 2, 3, 4, 5, 6, 7, 9.5, 10, 11, 12], dtype=float)
    aami = np.array(list("NVVNVVVVVVNV"))
    assert ventricular_rows(time_s, aami) == [(4.0, 7.0)]
    assert ventricular_rows(time_s, aami, 5) == []
    assert ventricular_rows(np.array([]), np.array([], dtype=str)) == []


def annotated(marks: list[tuple[float, str, str]], seconds: float = 60) -> Recording:
    """A recording of nothing with marks: second, symbol, rhythm."""
    marks = sorted(marks)
    sample, symbol, aux = zip(*marks, strict=True)
    return Recording(
        np.zeros((round(seconds * FS), 1), np.float32),
        Fraction(FS),
        ("I",),
        annotations=Annotations(np.round(np.array(sample) * FS).astype(np.int64), np.array(symbol), np.array(aux)),
    )


def beats(symbol: str, start_s: float, n: int, rr_s: float) -> list[tuple[float, str, str]]:
    return [(start_s + k * rr_s, symbol, "") for k in range(n)]


def test_the_reference_of_a_record_joins_rhythms_and_rows_and_leaves_flutter_out() -> None:
    recording = annotated(
        [
            (0.0, "+", "(N"),
            *beats("N", 0.5, 10, 1.0),  # to 9.5
            *beats("V", 10.2, 3, 1.0),  # slow at first: 10.2, 11.2, 12.2
            *beats("V", 12.7, 6, 0.5),  # then fast: to 15.2
            (10.0, "+", "(VT"),
            (15.4, "+", "(N"),
            *beats("N", 16.0, 4, 1.0),  # to 19
            *beats("N", 23.5, 2, 1.0),  # after 4.5 s
            (26.0, "+", "(VFL"),
            (26.0, "[", ""),
            (32.0, "]", ""),
            (32.0, "+", "(AFIB"),
            *beats("N", 33.0, 40, 0.35),
        ]
    )
    reference = reference_episodes(recording)
    assert reference.runs == [(10.0, 15.4)]
    assert reference.fast_runs == [(12.2, 15.4)]  # five beats in 2.4 s
    assert reference.long_runs == [(10.0, 15.4)]
    assert reference.flutter == [(26.0, 32.0)]
    assert reference.rhythms["AFIB"] == [(32.0, 60.0)]
    assert reference.still == [(19.0, 23.5)]  # and not across flutter
    assert len(reference.fast) == 1 and reference.fast[0][1] == pytest.approx(33.0 + 39 * 0.35)
    assert not reference.slow
    assert is_true("ventricular run", (15.5, 17.0), reference)
    assert is_true("ventricular run", (27.0, 28.0), reference)
    assert not is_true("ventricular run", (15.6, 17.0), reference)
    assert is_true("no organised rhythm", (31.0, 40.0), reference)
    assert not is_true("no organised rhythm", (12.0, 14.0), reference)
    assert is_true("asystole", (19.0, 23.0), reference)
    assert not is_true("asystole", (28.0, 30.0), reference)
    assert is_true("extreme tachycardia", (40.0, 45.0), reference)
    assert not is_true("extreme bradycardia", (40.0, 45.0), reference)


def test_a_delay_runs_from_the_onset_to_the_first_telling() -> None:
    told = [
        ToldFinding("ventricular run", 10.1, 12.0, None, 14.0),
        ToldFinding("ventricular run", 12.5, 13.0, None, 16.0),
        ToldFinding("triplet", 9.9, 11.0, None, 13.0),
    ]
    assert first_told_s(told, ["ventricular run"], (10.0, 13.0)) == 4.0
    assert first_told_s(told, ["asystole"], (10.0, 13.0)) is None
    assert first_told_s(told, ["ventricular run"], (20.0, 23.0)) is None
    delays = [Delay("x", "r", 0.0, s) for s in (1.0, 2.0, 3.0, None)]
    assert delay_quantiles(delays) == (2.0, pytest.approx(2.9), 3.0)
    assert np.isnan(delay_quantiles([])).all()


def judged(patient: str, runs: Match, alarms: list[HighAlarm] | None = None) -> JudgedRecord:
    return JudgedRecord(patient, patient, 0.5, {RUNS: runs, AF: Match()}, [], alarms or [], 0, 0, {})


def test_figures_are_gross_and_patients_are_drawn() -> None:
    records = [
        judged("a", Match(episodes=3, found=3, told=4, true=2, reference_s=10, told_s=8, both_s=6)),
        judged("b", Match(episodes=1, found=0, told=0, true=0, reference_s=2, told_s=0, both_s=0)),
        judged("c", Match()),
    ]
    found = agreement(records, RUNS)
    assert (found.se.value, found.ppv.value) == (0.75, 0.5)
    assert (found.duration_se.value, found.duration_ppv.value) == (0.5, 0.75)
    assert found.duration_f1.value == pytest.approx(2 * 6 / (12 + 8))
    assert found.records == 2
    assert (found.se.low, found.se.high) == (0.0, 1.0)
    assert np.isnan(found.ppv.low)  # only one patient has any: there is nothing to draw from
    assert np.isnan(agreement(records, AF).se.value)
    assert share_of([True, False, False, False]).value == 0.25
    assert np.isnan(share_of([]).value)


def test_alarms_a_day_carry_the_exact_poisson_interval() -> None:
    none, one = a_day(0, 24), a_day(1, 12)
    assert (none.value, none.low, none.high) == (0.0, 0.0, pytest.approx(3.689, abs=1e-3))
    assert (one.value, one.low, one.high) == (2.0, pytest.approx(0.0506, abs=1e-4), pytest.approx(11.143, abs=1e-3))
    assert np.isnan(a_day(0, 0).value)


def test_no_rule_of_high_priority_waits_so_that_a_finding_told_is_an_alarm() -> None:
    high = [rule for rule in RULES if rule.type == "physiological" and rule.priority == "high"]
    assert len(high) == 5
    assert {rule.on_s for rule in high} == {0}


def test_what_a_stream_tells_is_listed_whole_with_the_second_in_which_it_was_told(demo: Recording) -> None:
    heard = listen(demo.section(0, 60), "instant")
    assert heard.told
    assert heard.disagree == 0
    assert all(one.start_s <= one.end_s <= 60 and one.start_s < one.at_s <= 60 for one in heard.told)
    assert heard.spans("tachycardia", "trigeminy")
    assert len(heard.analysis.verdicts) == 12
    assert not [code for code, _ in high_alarms(heard.findings, 60) if code == "asystole"]


@pytest.mark.parametrize("what", list(KINDS))
def test_made_signals_are_real_signal_up_to_a_known_onset(mitdb: Path, what: str) -> None:
    kind = KINDS[what]
    for name, from_s in kind.sources:
        x, onset_s = kind.make(read(name), from_s, 10.0)
        assert onset_s == pytest.approx(10.0, abs=0.01)
        assert x.dtype == np.float32 and np.isfinite(x).all()
        assert len(x) / 360 == pytest.approx(35, abs=2)
    after = x[round((onset_s + 1) * 360) : round((onset_s + 9) * 360)]
    assert np.ptp(after) < 0.25 if what == "asystole" else np.ptp(after) > 0.5


def test_a_heart_that_stops_is_told_within_ten_seconds_wherever_in_the_grid(mitdb: Path) -> None:
    delays = judge_made("asystole of mitdb/115", "instant")
    assert len(delays) == 20
    assert all(delay.seconds is not None and 4 <= delay.seconds <= 10 for delay in delays)


def test_a_record_is_judged_as_its_annotations_have_it(mitdb: Path) -> None:
    one = judge_record("mitdb/205", "instant")
    assert one.matches[RUNS].episodes == 6
    assert one.disagree == 0
    assert one.matches[RUNS].found >= 3
    assert [delay.what for delay in one.delays] == ["ventricular run"] * 4


@pytest.fixture
def little(mitdb: Path, cinc2017: Path, stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stand-ins for DS2, one record of DS1, two of `cinc2017`, and a folder to work in."""
    for folder, files in (
        ("mitdb", [*stand_ins.glob("mitdb/*"), *mitdb.glob("207.*")]),
        ("cinc2017", [file for n in (1, 7) for file in cinc2017.glob(f"A0000{n}.*")]),
    ):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for file in files:
            (tmp_path / "data" / folder / file.name).symlink_to(file)
    (tmp_path / "data" / "cinc2017" / "REFERENCE.csv").write_text("A00001,N\nA00007,A\n")
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluate(*words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *words])


def test_the_table_of_aims_comes_first_with_training_patients_beside_the_test_ones(little: Path) -> None:
    (little / "src" / "ectopy").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", little], check=True)
    result = evaluate("findings", "--model", "instant", "--out", "scores")
    assert result.exit_code == 0, result.output
    head, aims = result.stdout.split("\n\n")[:2]
    assert head.startswith("# Findings and alarms of instant")
    assert [cell.strip() for cell in aims.splitlines()[0].strip("|").split("|")] == [
        "figure",
        "highest known",
        "aim",
        "DS2 [95 %]",
        "DS1 [95 %]",
    ]
    assert "(20 of 20 told; records: 1)" in aims
    assert "## By record: DS2" in result.stdout and "| mitdb/232 " in result.stdout
    assert (little / "scores" / "instant-DS2-findings.md").read_text().startswith(head)
    with (little / "benchmarks" / "test_runs.csv").open(newline="") as file:
        assert [(row["split"], row["records"]) for row in csv.DictReader(file)] == [("DS2 findings", "2")]


def test_findings_are_scored_where_rhythms_are_annotated_and_a_model_is_named_once(little: Path) -> None:
    for words, message in {
        ("findings", "--on", "svdb-even"): "findings are scored on DS1 or DS2",
        ("instant", "--model", "sequence"): "name the model alone",
        ("findings", "--model", "nobody", "--on", "DS1"): "no model 'nobody'",
    }.items():
        result = evaluate(*words)
        assert result.exit_code == 2
        assert message in result.stderr
