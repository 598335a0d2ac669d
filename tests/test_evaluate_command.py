"""`ectopy evaluate`, on six minutes of two training patients that stand under the names of test records.

So the command does all it does on a test split, and no test record is looked at.
"""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import ectopy
from ectopy.cli import app
from ectopy.zoo import load

SECONDS = 360


def evaluate(*words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *words])


def test_a_look_at_a_test_split_is_printed_written_and_recorded_in_the_checkout(here: Path) -> None:
    (here / "src" / "ectopy").mkdir(parents=True)
    commit_all(here)
    result = evaluate("instant", "--on", "DS2", "--leads", "all", "--out", "scores")
    assert result.exit_code == 0, result.output
    assert "only 2 of its 22 records are on this machine" in result.stderr
    heading = next(line for line in result.stdout.splitlines() if line.startswith("| level"))
    names = [cell.strip() for cell in heading.strip("|").split("|")][3:]
    assert names == ["from 5:00 [95 %]", "without 232 [95 %]", "whole record [95 %]"]

    written = json.loads((here / "scores" / "instant-DS2.json").read_text())["first lead"]
    assert result.stdout.index("## first lead") < result.stdout.index("## all leads")
    assert [written["from 5:00"][k] for k in ("n_records", "start_s")] == [2, 300.0]
    assert written["without 232"]["records"].keys() == {"mitdb/100"}
    beats = written["whole record"]["records"]
    assert beats["mitdb/100"]["matched"] > 0.9 * SECONDS
    assert "### first lead, whole record" in (here / "scores" / "instant-DS2.md").read_text()

    with (here / "benchmarks" / "test_runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    looks = [(row["commit"], row["split"], row["records"], row["leads"]) for row in rows]
    assert looks == [(head, "DS2", "2", "first"), (head, "DS2", "2", "all")]
    value = written["from 5:00"]["figures"]["beat.V.f1"]["value"]
    assert float(rows[0]["beat.V.f1"]) == pytest.approx(value, abs=1e-4)
    assert rows[0]["without 232 beat.abnormal.f1"] != rows[0]["beat.abnormal.f1"]


def test_what_each_threshold_gives_is_kept_with_the_model(here: Path) -> None:
    shutil.copytree(Path(ectopy.__file__).parent / "zoo" / "instant", here / "mine")
    result = evaluate("mine", "--out", "scores", "--trade")
    assert result.exit_code == 0, result.output
    trade = load("mine").trade
    assert trade is not None
    assert (trade["made_by"], trade["of"]) == (
        "ectopy evaluate instant --on DS2 --trade",
        "DS2, records: 2, first lead, from 300 s on",
    )
    assert len(trade["threshold"]) == len(trade["sensitivity"]) == 99
    assert sorted(trade["sensitivity"], reverse=True) == trade["sensitivity"]
    at = trade["threshold"].index(0.5)
    found = json.loads((here / "scores" / "instant-DS2.json").read_text())["first lead"]["from 5:00"]["figures"]
    assert trade["sensitivity"][at] == pytest.approx(found["interval.abnormal.recall"]["value"], abs=1e-4)
    assert trade["false_alarms_per_hour"][at] == pytest.approx(
        found["interval.false_alarms.per_hour"]["value"], abs=1e-3
    )
    (here / "mine" / "trade.json").write_text(json.dumps({**trade, "sha256": "another's"}))
    assert load("mine").trade is None


def test_outside_a_checkout_it_is_said_that_the_look_is_not_recorded(
    here: Path, stand_ins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "one" / "mitdb").mkdir(parents=True)
    for file in (stand_ins / "mitdb").glob("100.*"):
        (here / "one" / "mitdb" / file.name).symlink_to(file)
    monkeypatch.setenv("ECTOPY_DATA", str(here / "one"))
    result = evaluate()
    assert result.exit_code == 0, result.output
    assert "this look at a test split is not recorded" in result.stderr
    assert "on DS2, end to end, records: 1" in result.stdout
    assert not (here / "benchmarks").exists()


def test_scores_are_kept_though_their_reader_has_gone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def echo(message: object, *, err: bool = False) -> None:
        if not err:
            raise BrokenPipeError

    monkeypatch.setattr("typer.echo", echo)
    result = evaluate("instant", "--out", "scores")
    assert result.exit_code == 0, result.output
    assert (here / "scores" / "instant-DS2.md").exists()


def test_scores_are_printed_though_their_files_have_no_place(here: Path) -> None:
    (here / "scores" / "instant-DS2.json.part").mkdir(parents=True)
    result = evaluate("instant", "--out", "scores")
    assert result.exit_code == 2
    assert "scores: can't be written (Is a directory)" in result.stderr
    assert "on DS2, end to end, records: 2" in result.stdout


def test_what_cannot_be_evaluated_is_refused_in_one_line(here: Path) -> None:
    for words, message in {
        (
            "instant",
            "--on",
            "DS3",
        ): "DS3: no split of that name; expected one of DS1, DS2, svdb-even, svdb-odd",
        ("instant", "--on", "svdb-odd"): "none of its records is on this machine; 'ectopy data get svdb'",
        ("nobody", "--on", "DS2"): "no model 'nobody'",
        ("instant", "--on", "DS2", "--out", "file"): "file: can't be written as a folder",
    }.items():
        (here / "file").touch()
        result = evaluate(*words)
        assert result.exit_code == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1


def commit_all(folder: Path) -> None:
    (folder / "src" / "ectopy" / "__init__.py").touch()
    who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for words in (["init", "-q"], ["add", "src"], [*who, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", "-C", folder, *words], check=True)
