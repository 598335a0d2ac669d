"""Scores of records, of sets of records, and of two models: hand-worked counts, then real annotations."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from ectopy import Annotations, EctopyError, Recording, read
from ectopy.data import split
from ectopy.evaluation import RecordScores, compare, evaluate_record, record_table, summarize
from ectopy.evaluation.bootstrap import draw_patients

FS = 100


def marks(*beats: tuple[int, str]) -> Annotations:
    sample, symbol = zip(*beats, strict=True)
    return Annotations(np.array(sample), np.array(symbol), np.array([""] * len(beats)))


def called(*beats: tuple[int, str | None, float]) -> pd.DataFrame:
    return pd.DataFrame(beats, columns=["sample", "aami", "anomaly"])


def intervals(n_abnormal: Sequence[int], score: Sequence[float], verdict: Sequence[str]) -> pd.DataFrame:
    start = 5.0 * np.arange(len(n_abnormal))
    return pd.DataFrame({"start_s": start, "n_abnormal": n_abnormal, "score": score, "verdict": verdict})


def quiet(n: int) -> pd.DataFrame:
    return intervals([0] * n, [0.0] * n, ["normal"] * n)


def gross(*scores: RecordScores) -> dict[str, float]:
    value: dict[str, float] = summarize(scores, draws=10).figures["value"].to_dict()
    return value


@pytest.fixture(scope="module")
def mixed() -> RecordScores:
    """Ten reference beats: eight found, of each kind of error one or more; two detections of nothing."""
    return evaluate_record(
        marks(
            *[(100, "N"), (200, "N"), (300, "A"), (400, "V"), (500, "F")],
            *[(600, "Q"), (700, "V"), (800, "N"), (900, "E"), (1000, "/")],
        ),
        FS,
        20.0,
        called(
            *[(105, "N", 0.1), (200, "V", 0.9), (300, "N", 0.3), (400, "V", 0.8), (500, "V", 0.7)],
            *[(600, "V", 0.9), (900, "S", 0.6), (1000, "S", 0.5)],
            *[(1200, "V", 0.95), (1300, "N", 0.05)],
        ),
        None,
        start_s=0.0,
        record="mixed",
    )


def test_each_beat_stands_in_its_place_of_the_confusion_matrix(mixed: RecordScores) -> None:
    expected = [  # N S V F Q, without a class, missed
        [1, 0, 1, 0, 0, 0, 1],  # N: 100 right, 200 called V, 800 missed
        [1, 0, 0, 0, 0, 0, 0],  # S: 300 called N
        [0, 1, 1, 0, 0, 0, 1],  # V: 400 right, 900 called S, 700 missed
        [0, 0, 1, 0, 0, 0, 0],  # F: 500 called V
        [0, 1, 1, 0, 0, 0, 0],  # Q: 600 called V, 1000 called S
        [1, 0, 1, 0, 0, 0, 0],  # nothing: 1200 called V, 1300 called N
    ]
    assert summarize([mixed]).confusion.to_numpy().tolist() == expected


def test_se_and_ppv_of_each_class_follow_from_the_counts(mixed: RecordScores) -> None:
    figures = gross(mixed)
    assert figures["beat.detection.se"] == figures["beat.detection.ppv"] == 8 / 10
    # V: 1 right, 2 lost (900, 700), 4 wrong (200, 500, 600, 1200)
    assert [figures[f"beat.V.{f}"] for f in ("se", "ppv", "f1")] == pytest.approx([1 / 3, 1 / 5, 2 / 8])
    # N: 1 right, 2 lost (200, 800), 2 wrong (300, 1300)
    assert [figures[f"beat.N.{f}"] for f in ("se", "ppv", "f1")] == pytest.approx([1 / 3, 1 / 3, 2 / 6])
    # S: none right, 1 lost (300), 2 wrong (900, 1000). Nothing was called F
    assert [figures[f"beat.S.{f}"] for f in ("se", "ppv", "f1")] == [0, 0, 0]
    assert figures["beat.F.se"] == 0
    assert np.isnan(figures["beat.F.ppv"])


def test_ec57_does_not_charge_f_or_q_called_v_nor_q_called_s(mixed: RecordScores) -> None:
    # V: of the 4 wrong, 500 (F) and 600 (Q) are spared. S: of the 2 wrong, 1000 (Q) is spared
    figures = gross(mixed)
    assert [figures[f"beat.V_EC57.{f}"] for f in ("se", "ppv", "f1")] == pytest.approx([1 / 3, 1 / 3, 2 / 6])
    row = record_table([mixed]).loc["mixed"]
    assert (row["S_fp"], row["S_fp_EC57"]) == (2, 1)


def test_abnormal_beats_count_misses_and_extra_beats_but_never_q(mixed: RecordScores) -> None:
    # right: 400, 500, 900. lost: 300, 700 (missed: score 0). wrong: 200, 1200. rightly left: 100, 800, 1300
    row = record_table([mixed]).loc["mixed"]
    assert [row[f"abnormal_{k}"] for k in ("tp", "fn", "fp", "tn")] == [3, 2, 2, 3]
    figures = gross(mixed)
    assert figures["beat.abnormal.f1"] == pytest.approx(6 / 10)
    # positives .3 .8 .7 .6 win 3 of 5 each against .1 .9 0 .95 .05; the missed one ties with the missed N
    assert figures["beat.abnormal.auroc"] == pytest.approx(12.5 / 25)
    # the positives come 3rd, 4th, 5th, 6th and (tied) 10th
    assert figures["beat.abnormal.auprc"] == pytest.approx((1 / 3 + 2 / 4 + 3 / 5 + 4 / 6 + 5 / 10) / 5)


def test_a_model_without_classes_is_scored_by_its_threshold_and_has_no_class_rows() -> None:
    scores = evaluate_record(
        marks((100, "N"), (200, "V"), (300, "N")),
        FS,
        10.0,
        called((100, None, 0.2), (200, None, 0.5), (300, None, 0.7)),
        None,
        start_s=0.0,
        threshold=0.5,
    )
    figures = gross(scores)
    assert figures["beat.abnormal.f1"] == pytest.approx(2 / 3)
    assert figures["beat.detection.se"] == 1
    assert not any(name.startswith("beat.V") for name in figures)
    assert summarize([scores]).confusion.loc["N", "unclassed"] == 2
    assert "V F1" not in summarize([scores]).to_markdown()


@pytest.fixture(scope="module")
def seven() -> RecordScores:
    """33 s make seven intervals, the last of 3 s.

    | interval  | 0        | 1      | 2          | 3     | 4        | 5       | 6      |
    | reference | V at the | V      | V          |       |          |         |        |
    |           | edge     |        |            |       |          |         |        |
    | program   |          | 2 V    | unreadable | V     | V at the | finding |        |
    |           |          |        |            |       | edge     |         |        |
    """
    return evaluate_record(
        marks((490, "V"), (760, "V"), (1200, "V"), (1700, "N")),
        FS,
        33.0,
        called((505, "V", 0.9), (760, "V", 0.9), (1750, "V", 0.8), (2010, "V", 0.7), (3100, "N", 0.1)),
        intervals(
            [0, 2, 0, 1, 1, 0, 0],
            [0.2, 0.9, np.nan, 0.8, 0.7, 0.0, 0.1],
            ["normal", "abnormal", "unreadable", "abnormal", "abnormal", "abnormal", "normal"],
        ),
        start_s=0.0,
        record="seven",
    )


def test_intervals_are_counted_and_an_unreadable_one_is_a_miss(seven: RecordScores) -> None:
    row = record_table([seven]).loc["seven"]
    assert [row[f"interval_{k}"] for k in ("tp", "fn", "fp", "tn")] == [1, 2, 2, 2]  # 1 | 0, 2 | 3, 4 | 5, 6
    figures = gross(seven)
    assert figures["interval.abnormal.accuracy"] == pytest.approx(3 / 7)
    assert figures["interval.abnormal.precision"] == figures["interval.abnormal.recall"] == pytest.approx(1 / 3)
    assert figures["interval.abnormal.f1"] == pytest.approx(1 / 3)
    # .2 wins against 0 and .1; .9 against all four; the unreadable one scores 0 and ties once
    assert figures["interval.abnormal.auroc"] == pytest.approx((2 + 4 + 0.5) / 12)
    assert figures["interval.unreadable.share"] == pytest.approx(1 / 7)
    assert figures["interval.readable.f1"] == pytest.approx(2 / 5)  # without the miss of interval 2
    assert figures["interval.with_findings.precision"] == pytest.approx(1 / 4)  # interval 5 is wrong too


def test_verdicts_with_findings_are_held_against_annotated_rhythms_too() -> None:
    """Fibrillation from 7 to 14 s, which touches intervals 1 and 2; a finding is told in 1 and 3."""
    sample, symbol = np.array([100, 700, 1400, 1900]), np.array(["N", "+", "+", "N"])
    reference = Annotations(sample, symbol, np.array(["", "(AFIB", "(N", ""]))
    verdicts = intervals([0] * 4, [0.1] * 4, ["normal", "abnormal", "normal", "abnormal"])
    scores = evaluate_record(reference, FS, 20.0, called((100, "N", 0.1), (1900, "N", 0.1)), verdicts, start_s=0.0)
    figures = gross(scores)
    assert figures["interval.with_findings.precision"] == figures["interval.with_findings.recall"] == 1 / 2
    assert figures["interval.false_alarms.per_hour"] == 0  # by beats alone


def test_errors_at_an_edge_and_false_alarms_an_hour_are_counted(seven: RecordScores) -> None:
    figures = gross(seven)
    assert figures["interval.errors.near_edge"] == pytest.approx(2 / 4)  # 0 and 4 of 0, 2, 3, 4
    assert figures["interval.false_alarms.per_hour"] == pytest.approx(2 * 3600 / (5 + 5 + 5 + 3))


def test_scoring_from_a_start_leaves_out_pairs_whose_reference_lies_before_it() -> None:
    reference = marks((300, "V"), (999, "N"), (1000, "V"), (1500, "N"))
    beats = called((310, "N", 0.1), (1001, "N", 0.1), (1012, "N", 0.1), (1500, "N", 0.1))
    # 999-1001 and 1000-1012 are pairs; from 10 s on, 1000 and 1500 count, and no detection is extra
    scores = evaluate_record(reference, FS, 20.0, beats, quiet(4), start_s=10.0, record="r")
    row = record_table([scores]).loc["r"]
    assert (row["matched"], row["missed"], row["extra"], row["seconds"]) == (2, 0, 0, 10.0)
    assert (row["interval_fn"], row["interval_tn"]) == (1, 1)


def test_a_rest_too_short_for_an_interval_is_not_scored_unless_beats_were_given() -> None:
    reference, beats = marks((100, "N"), (2050, "V")), called((100, "N", 0.1))
    judged = evaluate_record(reference, FS, 21.0, beats, quiet(4), start_s=0.0)
    given = evaluate_record(reference, FS, 21.0, beats, None, start_s=0.0)
    assert gross(judged)["beat.detection.se"] == 1
    assert gross(given)["beat.detection.se"] == 1 / 2


def test_ventricular_flutter_counts_for_nothing_on_either_side() -> None:
    reference = marks((200, "N"), (1000, "["), (1100, "V"), (1200, "!"), (1600, "]"), (2100, "N"))
    beats = called((200, "N", 0.1), (1050, "V", 0.9), (1400, "S", 0.9), (1700, "V", 0.9), (2100, "N", 0.1))
    table = intervals([0, 0, 2, 1, 0], [0.1, 0, 0.9, 0.9, 0.1], ["normal"] * 2 + ["abnormal"] * 2 + ["normal"])
    row = record_table([evaluate_record(reference, FS, 25.0, beats, table, start_s=0.0, record="r")]).loc["r"]
    assert (row["matched"], row["missed"], row["extra"]) == (2, 0, 1)  # 1700 is extra: the flutter is over
    assert row["interval_tn"] == 3  # intervals 2 and 3 touch it
    assert row["interval_fp"] == row["interval_tp"] == 0


def test_flutter_open_at_the_end_of_the_record_reaches_to_it() -> None:
    reference = marks((200, "N"), (500, "["))
    scores = evaluate_record(reference, FS, 20.0, called((200, "N", 0.1), (900, "V", 0.9)), None, start_s=0.0)
    assert gross(scores)["beat.detection.ppv"] == 1


def test_a_bound_between_samples_puts_the_beat_in_the_right_interval() -> None:
    # at 128.1 Hz interval 1 begins at 640.5: sample 640 is in interval 0, 641 in interval 1
    beats = called((641, "V", 0.9))
    table = intervals([0, 1], [0, 0.9], ["normal", "abnormal"])
    scores = evaluate_record(marks((641, "V")), 128.1, 10.0, beats, table, start_s=0.0)
    assert gross(scores)["interval.abnormal.accuracy"] == 1
    with pytest.raises(EctopyError, match="interval at 5 s: n_abnormal is 1, but only 0"):
        evaluate_record(marks((641, "V")), 128.1, 10.0, called((640, "V", 0.9)), table, start_s=0.0)


def test_what_does_not_fit_together_is_refused_in_one_line() -> None:
    reference, beats = marks((100, "V")), called((100, "V", 0.6))
    with pytest.raises(EctopyError, match="3 intervals do not cover the record: expected 4"):
        evaluate_record(reference, FS, 20.0, beats, quiet(3), start_s=0.0)
    with pytest.raises(EctopyError, match="give the threshold that the model was run with"):
        table = intervals([2, 0, 0, 0], [0.6, 0, 0, 0], ["abnormal", *["normal"] * 3])
        evaluate_record(reference, FS, 20.0, beats, table, start_s=0.0)
    with pytest.raises(EctopyError, match="sample 100 has no anomaly"):
        evaluate_record(reference, FS, 20.0, called((100, "V", np.nan)), None, start_s=0.0)
    with pytest.raises(EctopyError, match="0 records"):
        summarize([])


# Sets of records


def simple(record: str, right: int, wrong: int, patient: str | None = None) -> RecordScores:
    """V beats a second apart, `right` called V and `wrong` called N."""
    sample = [100 * k for k in range(1, right + wrong + 1)]
    reference = marks(*((s, "V") for s in sample))
    calls = [(s, *(("V", 0.9) if k < right else ("N", 0.1))) for k, s in enumerate(sample)]
    seconds = float(right + wrong + 2)
    return evaluate_record(reference, FS, seconds, called(*calls), None, 0.0, record=record, patient=patient)


def test_the_gross_figure_sums_counts_and_the_median_record_does_not() -> None:
    figures = summarize([simple("a", 9, 1), simple("b", 1, 1), simple("c", 0, 8)]).figures.loc["beat.V.se"]
    assert figures["value"] == 10 / 20  # not the mean of .9, .5, 0
    assert figures["median"] == 0.5


def test_the_median_record_is_one_of_those_that_hold_the_class() -> None:
    no_v = evaluate_record(marks((100, "N")), FS, 10.0, called((100, "V", 0.9)), None, 0.0, record="n")
    figures = summarize([simple("a", 9, 1), simple("b", 8, 2), no_v]).figures
    assert figures.loc["beat.V.ppv", "median"] == 1  # of a and b; n holds no V
    assert figures.loc["beat.V.ppv", "value"] == 17 / 18


def test_the_interval_is_that_of_a_bootstrap_over_patients_done_the_long_way(seven: RecordScores) -> None:
    scores = [simple("a", 9, 1), simple("b", 1, 1), simple("c", 0, 8, patient="b"), simple("d", 5, 5)]
    found = summarize(scores, draws=50, seed=3).figures
    values = []
    for times in draw_patients(3, 50, seed=3):  # of patients a, b (records b and c) and d
        drawn = [s for s in scores for _ in range(times["abd".index(s.patient)])]
        values.append(gross(*drawn))
    for name in ("beat.V.se", "beat.abnormal.f1", "beat.detection.ppv"):
        low, high = np.percentile([v[name] for v in values], [2.5, 97.5])
        assert found.loc[name, ["low", "high"]].tolist() == pytest.approx([low, high]), name
    again = summarize(scores, draws=50, seed=3).figures
    pd.testing.assert_frame_equal(found, again)


def test_one_patient_has_no_interval() -> None:
    figures = summarize([simple("a", 9, 1), simple("b", 1, 1, patient="a")]).figures
    assert figures[["low", "high"]].isna().all(axis=None)


def test_models_are_compared_patient_by_patient() -> None:
    # b is better by one beat in ten in every patient, however hard the patient is
    hardness = {"p": 1, "q": 4, "r": 8}
    a = [simple(name, 9 - n, 1 + n) for name, n in hardness.items()]
    b = [simple(name, 10 - n, n) for name, n in hardness.items()]
    row = compare(a, b[::-1]).loc["beat.V.se"]
    assert row.tolist() == pytest.approx([14 / 30, 17 / 30, 0.1, 0.1, 0.1])
    same = compare(a, a)
    assert (same["difference"].dropna() == 0).all()
    with pytest.raises(EctopyError, match="different records"):
        compare(a, b[:2])


def test_scores_become_json_and_a_markdown_table_with_intervals(seven: RecordScores) -> None:
    scores = summarize([seven, *(three_right(name) for name in "xy")])
    plain = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert plain["n_records"] == 3
    assert plain["figures"]["beat.F.f1"]["value"] is None
    assert plain["records"]["seven"]["interval_fp"] == 2
    assert plain["interval_confusion"] == {
        "abnormal": {"abnormal": 7, "normal": 1, "unreadable": 1},
        "normal": {"abnormal": 2, "normal": 2, "unreadable": 0},
    }
    text = " ".join(scores.to_markdown().split())  # columns are padded for the eye
    assert "| interval | abnormal | F1 | 0.778 [" in text  # 7 right, 2 lost, 2 wrong: 14 / 18
    assert "| beat | V EC57 | +P |" in text
    assert "| seven | 4 |" in text


def three_right(name: str) -> RecordScores:
    """Three abnormal intervals, called right."""
    beats = [(s, "V", 0.9) for s in (200, 700, 1200)]
    table = intervals([1, 1, 1], [0.9] * 3, ["abnormal"] * 3)
    return evaluate_record(marks(*((s, "V") for s, _, _ in beats)), FS, 15.0, called(*beats), table, 0.0, record=name)


# Real annotations


def own_verdict(recording: Recording) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables as of a program that says exactly what the annotations say."""
    assert recording.annotations is not None
    reference = recording.annotations.beats
    aami = reference.aami
    beats = pd.DataFrame(
        {"sample": reference.sample, "aami": aami, "anomaly": np.isin(aami, ["S", "V", "F"]).astype(float)}
    )
    return beats, intervals_of(beats, recording)


def intervals_of(beats: pd.DataFrame, recording: Recording) -> pd.DataFrame:
    n = int(recording.duration_s // 5)
    abnormal = beats[beats["aami"].isin(["S", "V", "F"])]
    counts = np.bincount((abnormal["sample"] / float(recording.fs) // 5).astype(int), minlength=n)[:n]
    return intervals(list(counts), list((counts > 0) * 1.0), ["abnormal" if c else "normal" for c in counts])


@pytest.mark.parametrize("start_s", [0.0, 300.0])
def test_the_annotations_themselves_score_one_everywhere(mitdb: Path, start_s: float) -> None:
    scores = []
    for record in ("106", "207", "208", "223"):  # flutter in 207, F in 208, S in 207 and 223
        recording = read(mitdb / record)
        assert recording.annotations is not None
        beats, table = own_verdict(recording)
        scores.append(
            evaluate_record(
                recording.annotations,
                recording.fs,
                recording.duration_s,
                beats,
                table,
                start_s,
                record=record,
            )
        )
    figures = summarize(scores).figures["value"].drop("interval.errors.near_edge").dropna()
    zero = ["interval.unreadable.share", "interval.false_alarms.per_hour"]
    assert (figures[zero] == 0).all()
    assert (figures.drop(zero) == 1).all()
    assert len(figures) > 25


def test_a_known_corruption_of_a_real_record_gives_the_known_figures(mitdb: Path) -> None:
    # Record 106 has 1,507 N and 520 V beats. The first 52 V are called N, 20 N are called V, the last 100 of
    # the N are not found, all else is found 100 ms late.
    recording = read(mitdb / "106")
    assert recording.annotations is not None
    beats, _ = own_verdict(recording)
    n, v = (np.flatnonzero(beats["aami"] == c) for c in "NV")
    beats.loc[v[:52], ["aami", "anomaly"]] = ["N", 0.0]
    beats.loc[n[:20], ["aami", "anomaly"]] = ["V", 1.0]
    beats = beats.drop(n[-100:])
    beats["sample"] += 36
    scores = evaluate_record(recording.annotations, recording.fs, recording.duration_s, beats, None, 0.0)
    figures = gross(scores)
    assert figures["beat.detection.se"] == pytest.approx(1927 / 2027)
    assert figures["beat.detection.ppv"] == 1
    assert figures["beat.V.se"] == pytest.approx(468 / 520)
    assert figures["beat.V.ppv"] == pytest.approx(468 / 488)
    assert figures["beat.N.se"] == pytest.approx(1387 / 1507)
    assert figures["beat.N.ppv"] == pytest.approx(1387 / 1439)
    # 468 of 520 score 1, and of 1,507 N 20 do: ties count half
    wins = 468 * 1487 + 0.5 * (468 * 20 + 52 * 1487)
    assert figures["beat.abnormal.auroc"] == pytest.approx(wins / (520 * 1507))


def test_ds2_holds_the_beats_and_abnormal_intervals_known_of_it(mitdb: Path) -> None:
    given, judged = [], []
    for name in split("DS2"):
        recording = read(mitdb / Path(name).name)
        assert recording.annotations is not None
        beats, table = own_verdict(recording)
        whole = (recording.annotations, recording.fs, recording.duration_s, beats)
        given.append(evaluate_record(*whole, None, 0.0, record=name))
        judged.append(evaluate_record(*whole, table, 0.0, record=name))
    # the literature's counts for beats given; 361 intervals a record
    assert record_table(given)[[f"{c}_tp" for c in "NSVFQ"]].sum().tolist() == [44259, 1837, 3221, 388, 7]
    assert record_table(judged)[["interval_tp", "interval_tn"]].sum().tolist() == [2351, 7942 - 2351]


JUDGING = """
import signal
from time import sleep

from ectopy.evaluation import each_record

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where the tests run in the background
    try:
        print(*each_record(sleep, [0, 0, 600, 600]))
    except KeyboardInterrupt:
        print("stopped")
"""


@contextmanager
def judging(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program whose two processes judge records, or are about to; killed in the end."""
    program = folder / "judging.py"
    program.write_text(JUDGING)
    pipe = subprocess.PIPE
    usual = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    with subprocess.Popen(
        [sys.executable, program], stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=usual
    ) as parent:
        until = time.monotonic() + 60
        judges: list[psutil.Process] = []
        while len(judges) < 2 and time.monotonic() < until:
            time.sleep(0.05)
            every = psutil.Process(parent.pid).children()
            judges = [one for one in every if "spawn_main" in " ".join(one.cmdline())]
        try:
            yield parent
        finally:
            parent.kill()
    assert len(judges) == 2
    _, left = psutil.wait_procs(judges, timeout=60)
    assert not left


def test_the_processes_that_judge_records_end_with_one_that_is_killed(tmp_path: Path) -> None:
    with judging(tmp_path):
        pass


@pytest.mark.parametrize("after_s", [0, 0.5, 3])
def test_judging_records_is_interrupted_at_once_and_in_silence(tmp_path: Path, after_s: float) -> None:
    with judging(tmp_path) as parent:
        time.sleep(after_s)
        os.killpg(parent.pid, signal.SIGINT)  # as Ctrl-C does
        assert parent.communicate(timeout=30) == ("stopped\n", "")
