"""`ectopy compare`: models, baselines and peers on the same records, and the report that is made of it."""

import base64
import csv
import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve
from tests.test_evaluate_command import commit_all
from typer.testing import CliRunner, Result

import ectopy
from ectopy.cli import app
from ectopy.errors import EctopyError, RecordError
from ectopy.evaluation import (
    Binary,
    Comparison,
    Entrant,
    Judged,
    calibration,
    calibration_error,
    compare,
    compete,
    curve,
    evaluate_record,
    model_entrants,
    other_entrants,
    parameters,
    records_of,
    stream_cost,
)
from ectopy.evaluation.said import Said
from ectopy.reports.compare import Contest, as_markdown, save
from ectopy.verdict import DEFAULT_MODEL
from ectopy.zoo import load

EASY = "mitdb/119"  # every third beat is V, and nothing else is abnormal


def baselines() -> list[Entrant]:
    """Without the peer, which may be installed and takes a minute a record."""
    return [entrant for entrant in other_entrants() if entrant.kind == "baseline"]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["compare", *words])


@pytest.fixture(scope="module")
def easy(mitdb: Path) -> Comparison:
    """The model and the baselines on one training record."""
    return compete("DS1", (EASY,), [*model_entrants(["instant"]), *baselines()])


def test_the_command_writes_a_report_that_stands_alone_and_records_each_look(here: Path) -> None:
    (here / "src" / "ectopy").mkdir(parents=True)
    commit_all(here)
    result = run("instant", "--out", "report")
    assert result.exit_code == 0, result.output
    assert "DS2: only 2 of its 22 records are on this machine" in result.stderr
    assert "boosting left out" in result.stderr
    html, text = ((here / "report" / f"compare.{kind}").read_text() for kind in ("html", "md"))
    assert text in result.stdout
    assert not re.search(r"(?:src|href)=\"(?!data:image/png;base64,|#)", html)
    pictures = re.findall(r"base64,([^\"]+)", html)
    assert len(pictures) >= 8 and all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)
    for section in re.findall(r"<section id=.*?</section>", html, re.DOTALL):
        assert re.search(r"<p>[^<]{20,}</p>", section), "a section without a sentence"

    found = json.loads((here / "report" / "compare.json").read_text())
    assert [e["name"] for e in found["entrants"]][:3] == ["instant", "instant, all leads", "always normal"]
    one = found["sets"]["DS2"]["entrants"]["instant"]
    assert list(one) == ["cpu_s_an_hour", "from 5:00", "without 232", "whole record"]
    f1 = one["from 5:00"]["figures"]["interval.abnormal.f1"]
    assert f"| {f1['value']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}]" in text
    with (here / "benchmarks" / "test_runs.csv").open(newline="") as file:
        looks = [(row["split"], row["leads"], row["interval.abnormal.f1"]) for row in csv.DictReader(file)]
    assert looks[0] == ("DS2", "first", f"{f1['value']:.4f}")
    assert [leads for _, leads, _ in looks] == ["first", "all"]


def test_a_database_with_test_patients_counts_as_a_look(here: Path) -> None:
    result = run("instant", "--on", "mitdb")
    assert result.exit_code == 0, result.output
    assert "mitdb: not in a checkout of Ectopy, so this look at test patients is not recorded" in result.stderr
    assert "## mitdb: 2 records" in result.stdout


def test_what_cannot_be_compared_is_refused_in_one_line(here: Path) -> None:
    (here / "file").touch()
    for words, message in {
        ("--on", "DS3"): "DS3: no split of that name",
        ("--on", "svdb"): "svdb: not on this machine",
        ("nobody",): "no model 'nobody'",
        ("--out", "file"): "file: can't be written as a folder",
    }.items():
        result = run(*words)
        assert result.exit_code == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_paced_records_are_in_no_set(mitdb: Path) -> None:
    names = records_of("mitdb")
    assert "mitdb/100" in names and not {"mitdb/102", "mitdb/104", "mitdb/107", "mitdb/217"} & set(names)


def test_records_without_beats_are_refused(cinc2017: Path) -> None:
    name = records_of("cinc2017")[0]
    with pytest.raises(RecordError, match="no reference beats"):
        compete("cinc2017", (name,), baselines())


def test_an_entrant_is_scored_as_its_own_beats_and_intervals_are(easy: Comparison) -> None:
    recording = ectopy.read(EASY)
    first = recording.select(recording.leads[:1])
    analysis = ectopy.analyze(first)
    assert recording.annotations is not None
    score = evaluate_record(
        recording.annotations, recording.fs, recording.duration_s, analysis.beats, analysis.intervals, start_s=300.0
    )
    counts = easy.scores("instant")[0].counts()
    assert counts == score.counts()
    outcomes = easy.outcomes("instant")
    assert (outcomes["called"] == "missed").sum() == counts["missed"]
    assert (outcomes["truth"] == "extra").sum() == counts["extra"]
    assert ((outcomes["truth"] == "V") & (outcomes["called"] == "V")).sum() == counts["V_tp"]
    assert outcomes["sample"].min() >= 300 * recording.fs


def test_the_baselines_do_what_they_are_called(easy: Comparison) -> None:
    table = easy.headline("always normal").interval_confusion
    assert table is not None and table["abnormal"].sum() == 0
    for name in ("RR rule", "templates"):
        assert easy.value(name, "beat.V.se") > 0.9, name
        assert easy.value(name, "interval.abnormal.f1") > 0.95, name
    assert easy.best().name == "instant"
    paired = easy.paired().set_index(["entrant", "figure"])
    own = compare(easy.scores("instant"), easy.scores("RR rule"))
    for figure in ("interval.abnormal.f1", "beat.V.f1"):
        assert paired.loc[("RR rule", figure), "difference"] == own.loc[figure, "difference"]


def test_a_missing_stretch_stops_no_baseline(mitdb: Path) -> None:
    recording = ectopy.read(EASY).section(0, 120)
    samples = recording.samples.copy()
    samples[:1000], samples[20_000:25_000] = np.nan, np.nan
    for entrant in baselines():
        said = entrant.judge(replace(recording, samples=samples))
        assert len(said.intervals) == 24 and len(said.beats) > 60
        assert np.isfinite(said.beats["anomaly"]).all()


def test_boosting_learns_from_other_patients(mitdb: Path) -> None:
    from ectopy.training.baselines import fit_boosting

    judge = fit_boosting(["mitdb/106", "mitdb/114", "mitdb/215", "mitdb/223"])
    found = compete("DS1", (EASY,), [Entrant("boosting", "baseline", "boosting", judge)])
    assert found.value("boosting", "beat.V.f1") > 0.9
    with pytest.raises(RecordError, match="mitdb/999"):
        fit_boosting(["mitdb/999"])


def without_classes(recording: ectopy.Recording, threshold: float) -> Said:
    """What an autoencoder says: how unlike normal a beat is, and no class."""
    analysis = ectopy.analyze(recording)
    beats = analysis.beats.assign(aami=None, **dict.fromkeys("NSVFQ", np.nan))
    called = beats["anomaly"] >= threshold
    assert called.any()
    return Said(beats, analysis.intervals)


def test_a_model_without_classes_stands_in_binary_rows_only(mitdb: Path, tmp_path: Path) -> None:
    classed = model_entrants(["instant"])[0]
    judge = partial(without_classes, threshold=0.5)
    bare = replace(classed, name="autoencoder", judge=judge, threshold=0.5)
    found = compete("DS1", (EASY,), [classed, bare])
    for figure in ("beat.abnormal.f1", "beat.abnormal.auroc", "interval.abnormal.f1", "beat.detection.se"):
        assert found.value("autoencoder", figure) == found.value("instant", figure)
    assert not [name for name in found.headline("autoencoder").figures.index if re.match(r"beat\.[NSVFQ]", name)]
    model = load("instant")
    cost = stream_cost(model, ectopy.read("demo"))
    contest = Contest((found,), {"instant": cost, "autoencoder": cost}, {}, "", "today", ())
    row = next(line for line in as_markdown(contest).splitlines() if line.startswith("| autoencoder"))
    assert [cell.strip() for cell in row.split("|")][6:8] == ["–", "–"]
    html = next(path for path in save(contest, tmp_path) if path.suffix == ".html").read_text()
    assert "in binary figures only: autoencoder" in html


def test_the_default_is_the_best_out_of_fold_of_those_that_are_fast_enough(easy: Comparison) -> None:
    model = load("instant")

    def trained(name: str, f1: float) -> Entrant:
        card = {**model.card, "figures": {"table": {"interval.abnormal.f1": {"value": f1}}}}
        return replace(easy.entrants[0], name=name, model=replace(model, card=card))

    some = [trained("slow", 0.95), trained("good", 0.93), trained("poor", 0.90)]
    cost = replace(stream_cost(model, ectopy.read("demo").section(0, 20)), stream_us=200.0)
    costs = {"slow": replace(cost, stream_us=301.0), "good": cost, "poor": cost}
    judged: list[Judged] = easy.judged["instant"]
    comparison = Comparison("DS1", easy.records, tuple(some), {e.name: judged for e in some})
    contest = Contest((comparison,), costs, {}, "", "today", ())
    table = contest.choice()
    assert list(table.index) == ["slow", "good", "poor"]
    assert table["chosen"].to_dict() == {"slow": False, "good": True, "poor": False}
    assert "Default model by this machine: good" in as_markdown(contest) and "Too slow: slow" in as_markdown(contest)
    assert f"Installed as the default: {DEFAULT_MODEL}" in as_markdown(contest)
    none = replace(contest, costs=dict.fromkeys(costs, costs["slow"]))
    assert "No model can be chosen" in as_markdown(none) and "poor (0.900, 301 µs)" in as_markdown(none)


def test_a_stream_costs_something_and_waits_two_seconds(demo: ectopy.Recording) -> None:
    model = load("instant")
    cost = stream_cost(model, demo.section(0, 30))
    assert 0 < cost.stream_us < 1e6 * cost.verdict_ms / 1000
    assert cost.wait_s == 2
    assert 50_000 < (parameters(model) or 0) < len(model.content)


def test_curves_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(500) < 0.3
    score = np.round(np.clip(truth * 0.3 + rng.random(500) * 0.7, 0, 1), 2)  # with ties
    found = curve(
        [Binary(truth[:200], score[:200], score[:200] > 0.5), Binary(truth[200:], score[200:], score[200:] > 0.5)]
    )
    false_positive_rate, recall, _ = roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.false_positive_rate, false_positive_rate)
    precision, _, _ = precision_recall_curve(truth, score)
    np.testing.assert_allclose(found.precision[1:], precision[-2::-1])
    assert found.at[0] == (truth & (score > 0.5)).sum() / truth.sum()


def test_calibration_counts_what_was_found_and_leaves_q_out() -> None:
    rows = [("V", 0.9), ("N", 0.95), ("extra", 0.92), ("Q", 0.99), ("N", 0.0), ("S", np.nan)]
    table = calibration(pd.DataFrame(rows, columns=["truth", "anomaly"]))
    assert table["n"].tolist() == [1, 3]
    assert table["true"].tolist() == [0, 1 / 3]
    assert calibration_error(table) == pytest.approx((3 * (2.77 / 3 - 1 / 3) + 0) / 4)


def test_a_folder_that_cannot_be_written_is_refused(easy: Comparison, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EctopyError, match="can't be written"):
        save(Contest((easy,), {}, {}, "", "today", ()), tmp_path / "file")
