"""Training on little data, for real: from records to a model that runs. Needs the `train` extra."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
import wfdb

import ectopy
from ectopy import signal, zoo
from ectopy.data import hand_held, patient, read, split, training
from ectopy.errors import ModelError, OutputError, RecordError

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from ectopy.models import instant, sequence  # noqa: E402
from ectopy.training import RECIPES, SeriesSettings, Settings, ablate, train_model, tune  # noqa: E402
from ectopy.training.ablate import ABLATIONS  # noqa: E402
from ectopy.training.baselines import fit_boosting  # noqa: E402
from ectopy.training.beat_model import find_beats, find_finders  # noqa: E402
from ectopy.training.calibration import Rescaled  # noqa: E402
from ectopy.training.card import write_model  # noqa: E402
from ectopy.training.data import Example, cold_starts, example, folds  # noqa: E402
from ectopy.training.export import to_onnx  # noqa: E402
from ectopy.training.fit import read_history  # noqa: E402
from ectopy.training.instant import train  # noqa: E402
from ectopy.training.operating import DOUBTS  # noqa: E402
from ectopy.training.quality import fit_quality  # noqa: E402
from ectopy.training.rhythm import fit_rhythm  # noqa: E402
from ectopy.training.runs import Plan, open_run, progress  # noqa: E402
from ectopy.training.series import Beats  # noqa: E402
from ectopy.training.windows import Windows  # noqa: E402

LITTLE = Settings(epochs=2, steps=3, batch=4, seconds=8)
SMALL = instant.InstantConfig(width=16, ahead=(1,), back=(2,))
SHORT = SeriesSettings(epochs=1, steps=2, batch=4, length=16)
RECORDS, MINUTES = ["mitdb/106", "mitdb/119", "mitdb/208"], 8
OPTIONS: dict[str, Any] = {"records": RECORDS, "protocol": "ds1"}
QUIET = {"report": lambda done, total, row: None}


@pytest.fixture(scope="module")
def few(tmp_path_factory, mitdb, nstdb):
    """A folder of databases with the first minutes of `RECORDS`: scores begin at 5:00."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "mitdb").mkdir()
    (folder / "nstdb").symlink_to(nstdb)
    for name in RECORDS:
        path, stop = str(mitdb.parent / name), MINUTES * 60 * 360
        record, notes = wfdb.rdrecord(path, sampto=stop, physical=False), wfdb.rdann(path, "atr", sampto=stop)
        record.wrsamp(write_dir=str(folder / "mitdb"))
        notes.wrann(write_fs=True, write_dir=str(folder / "mitdb"))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, few):
    folder = tmp_path_factory.mktemp("training")
    place = train_model(
        "instant", data_dir=few, out=folder / "zoo", runs=folder / "runs", n_folds=2, settings=LITTLE, **OPTIONS
    )
    return folder, place


@pytest.fixture(scope="module")
def examples(mitdb):
    return [example(name, patient(name), ectopy.read(name).section(0, 300)) for name in RECORDS]


@pytest.fixture(scope="module")
def cold(mitdb):
    return [one for name in RECORDS for one in cold_starts(name, patient(name), ectopy.read(name).section(0, 300))]


def noise():
    return np.random.default_rng(0).normal(size=(2, 128 * 60)).astype(np.float32)


def test_training_writes_a_model_that_analyses(run, demo):
    _, place = run
    model = zoo.load(str(place))
    assert len(ectopy.analyze(demo, model=model).verdicts) == 60
    assert model.card["records"] == RECORDS
    assert len(model.card["training"]["best_epoch_of_each_fold"]) == 2
    assert set(model.card["figures"]["table"]) >= {"beat.detection.se", "beat.V.f1", "interval.abnormal.f1"}


def test_a_finished_run_is_not_trained_again_and_gives_the_same_model(run, few):
    folder, place = run
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*/last.keras")}
    assert before
    again = train_model(
        "instant", data_dir=few, out=folder / "again", runs=folder / "runs", n_folds=2, settings=LITTLE, **OPTIONS
    )
    assert before == {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*/last.keras")}
    assert json.loads((again / "card.json").read_text()) == json.loads((place / "card.json").read_text())


@pytest.mark.parametrize("name", ["sequence", "autoencoder", "hybrid"])
def test_a_beat_model_is_trained_on_the_beats_of_the_beat_finder(run, few, demo, name, monkeypatch):
    folder, _ = run
    eagerly = partialmethod(keras.Model.compile, run_eagerly=True)  # tracing takes minutes, two steps are soon done
    monkeypatch.setattr(keras.Model, "compile", eagerly)
    inside = replace(RECIPES["autoencoder-adaptive"], settings=SHORT)  # what hybrid builds on
    monkeypatch.setitem(RECIPES, "autoencoder-adaptive", inside)
    options = {"out": folder / "zoo", "runs": folder / "runs", "data_dir": few, **OPTIONS}
    place = train_model(name, settings=SHORT, **options)
    model = zoo.load(str(place))
    assert model.finder is not None
    assert model.finder.hash == zoo.load(str(folder / "zoo" / "instant")).hash
    result = ectopy.analyze(demo, model=model)
    assert len(result.verdicts) == 60
    found = ectopy.analyze(demo, model=model.finder).beats
    assert result.beats["sample"].tolist() == found["sample"].tolist()
    assert not np.allclose(result.beats["anomaly"], found["anomaly"])


@pytest.mark.usefixtures("cinc2017")
def test_the_normal_beats_of_hand_held_recordings_train_a_beat_model_that_ships(run, mitdb, nstdb):
    folder, _ = run
    finders = find_finders(folder / "zoo", folder / "runs" / "instant-ds1-seed0", "ds1")
    plan = Plan("shipped", None, None, folder, 0, True, ())
    with progress() as bar:
        beats = find_beats({}, plan, finders, bar)
        assert find_beats({}, replace(plan, protocol="ds1"), finders, bar) == {}
    known = {name for name, label in hand_held("training") if label == "N"}
    assert beats and set(beats) <= known
    assert {label for leads in beats.values() for one in leads for label in one.label} <= {-1, 0}


def test_a_recording_in_which_no_beat_is_found_says_nothing_and_ends_no_training():
    shape, rhythm = np.zeros((0, 128), np.float32), np.zeros((0, len(signal.RHYTHM)), np.float32)
    nothing = Beats("nobody", shape, shape, rhythm, np.zeros(0, int))
    for recipe in RECIPES.values():
        model = recipe.build(recipe.config)
        assert [len(said) for said in recipe.evidence(model, recipe.config, [nothing])] == [0]


def test_a_beat_model_without_a_run_of_the_beat_finder_is_refused(tmp_path, mitdb, nstdb):
    with pytest.raises(ModelError, match="run 'ectopy train instant --protocol shipped"):
        train_model("sequence", runs=tmp_path, records=RECORDS)


def test_where_the_disk_is_full_the_model_that_was_there_stays_whole(run, demo, tmp_path, monkeypatch):
    _, place = run
    copy = Path(shutil.copytree(place, tmp_path / "instant"))
    write = Path.write_bytes

    def full(self, content):
        write(self, content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched, pytest.raises(OutputError, match="No space left"):
        patched.setattr(Path, "write_bytes", full)
        write_model(copy, b"another model", zoo.load(str(place)).card)
    assert zoo.load(str(copy)).hash == zoo.load(str(place)).hash
    assert sorted(path.name for path in copy.iterdir()) == ["card.json", "card.md", "model.onnx"]


def test_a_run_with_other_settings_is_not_gone_on_with(run, few):
    folder, _ = run
    with pytest.raises(ModelError, match="other settings"):
        train_model("instant", runs=folder / "runs", n_folds=3, settings=LITTLE, data_dir=few, **OPTIONS)


def test_a_beat_model_is_not_built_on_half_a_run_of_the_beat_finder(run, few, tmp_path):
    folder, _ = run
    runs = Path(shutil.copytree(folder / "runs", tmp_path / "runs"))
    (runs / "instant-ds1-seed0" / "fold1" / "card.json").unlink()
    with pytest.raises(ModelError, match="no finished run of instant"):
        train_model("sequence", out=folder / "zoo", runs=runs, data_dir=few, settings=SHORT, **OPTIONS)


def test_a_run_whose_note_is_damaged_or_gone_is_not_gone_on_with(tmp_path):
    folder, wanted = tmp_path / "runs" / "a", {"settings": 1}
    open_run(folder, True, wanted)
    (folder / "history.csv").write_text("epoch")
    open_run(folder, True, wanted)
    assert (folder / "history.csv").is_file(), "the same run goes on"
    (folder / "run.json").write_text("{")
    with pytest.raises(ModelError, match="--no-resume"):
        open_run(folder, True, wanted)
    (folder / "run.json").unlink()
    open_run(folder, True, wanted)
    assert not (folder / "history.csv").exists(), "nobody knows by what settings it came about"


def test_two_do_not_work_on_one_run_at_once(tmp_path):
    code = f"from ectopy.training.runs import open_run; open_run(Path({str(tmp_path / 'a')!r}), True, {{}}); input()"
    command = [sys.executable, "-c", f"from pathlib import Path; {code}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as other:
        while not (tmp_path / "a" / "run.json").is_file():
            assert other.poll() is None
            time.sleep(0.1)
        for resume in (True, False):
            with pytest.raises(ModelError, match="another process works on that run"):
                open_run(tmp_path / "a", resume, {})
        other.kill()
        other.wait()
        open_run(tmp_path / "a", True, {})  # whoever was killed holds nothing


def test_a_row_of_an_ablation_that_was_cut_off_is_made_again(tmp_path, monkeypatch):
    truth = np.tile([0, 2, 0, 1], 8)
    said = pd.DataFrame({"truth": truth, "anomaly": (truth > 0) * 0.9, "fold": np.arange(32) % 2})
    said = said.assign(record="mitdb/" + said["fold"].map(str), patient=said["fold"].map(str))
    module = sys.modules["ectopy.training.ablate"]
    monkeypatch.setattr(module, "opened", lambda *given, **options: ({}, None))
    monkeypatch.setattr(module, "_row", lambda *given: said)
    whole = ablate("sequence", runs=tmp_path / "whole", say=lambda row: None)
    to_csv = pd.DataFrame.to_csv

    def killed(self, path, **options):
        to_csv(self, path, **options)
        os.truncate(path, 20)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(pd.DataFrame, "to_csv", killed)
        ablate("sequence", runs=tmp_path / "cut", say=lambda row: None)
    assert ablate("sequence", runs=tmp_path / "cut", say=lambda row: None) == whole


def test_a_search_that_was_stopped_is_summed_up_and_on_other_beats_not_gone_on_with(tmp_path, monkeypatch):
    module = sys.modules["ectopy.training.tune"]
    truth = np.tile([0, 2, 0, 1], 8)
    stopped = [True]  # Ctrl-C in the midst of the first trial

    def tried(*given):
        if stopped:
            stopped.clear()
            raise KeyboardInterrupt
        return pd.DataFrame({"truth": truth, "anomaly": (truth > 0) * 0.9})

    monkeypatch.setattr(module, "tried", tried)

    def search(samples, say=lambda line: None):
        nothing = np.zeros(samples, np.float32)
        beats = {"a": [SimpleNamespace(shape=nothing, rhythm=nothing, label=nothing)]}
        monkeypatch.setattr(module, "opened", lambda *given, **options: (beats, None))
        return tune("sequence", trials=2, runs=tmp_path, say=say).read_text()

    def stop(line):
        raise KeyboardInterrupt

    for _ in range(2):  # the second time between two trials
        with pytest.raises(KeyboardInterrupt):
            search(1, stop)
    assert "Trials run to the end: 1" in (tmp_path / "tune-sequence-shipped.md").read_text()
    summary = search(1)
    assert "Trials run to the end: 3" in summary
    assert summary.count("the settings as they were before") == summary.count("Trial 1 has") == 1
    with pytest.raises(ModelError, match=r"tune-sequence-shipped\.db: that search was on other beats"):
        search(2)


def test_an_unknown_model_and_a_missing_record_are_refused(tmp_path):
    with pytest.raises(ModelError, match="no model 'oracle'"):
        train_model("oracle", runs=tmp_path)
    with pytest.raises(RecordError):
        train_model("instant", runs=tmp_path, records=["mitdb/999"])


@pytest.fixture(scope="module")
def whole(examples, cold, tmp_path_factory):
    """Folder of a fit that nothing has stopped, and the weights that it gave."""
    folder = tmp_path_factory.mktemp("whole")
    model, _ = train(examples[1:], cold, examples[:1], noise(), SMALL, LITTLE, folder, **QUIET)
    return folder, model.get_weights()


def test_an_interrupted_fit_goes_on_to_the_same_weights(examples, cold, whole, tmp_path):
    def stop(done, total, row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(examples[1:], cold, examples[:1], noise(), SMALL, LITTLE, tmp_path / "cut", report=stop)
    assert len(read_history(tmp_path / "cut")) == 1
    resumed, _ = train(examples[1:], cold, examples[:1], noise(), SMALL, LITTLE, tmp_path / "cut", **QUIET)
    for a, b in zip(whole[1], resumed.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(("lost", "epoch"), [("last.keras", 1), ("last.keras", 2), ("history.csv", 2)])
def test_a_fit_killed_between_two_files_goes_on_to_the_same_weights(
    examples, cold, whole, tmp_path, monkeypatch, lost, epoch
):
    replace, met = Path.replace, []

    def killed(self, target):
        met.append(target.name)
        if met.count(lost) == epoch:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", killed)
        train(examples[1:], cold, examples[:1], noise(), SMALL, LITTLE, tmp_path / "cut", **QUIET)
    train(examples[1:], cold, examples[:1], noise(), SMALL, LITTLE, tmp_path / "cut", **QUIET)
    for name in ("best.keras", "last.keras"):
        one, other = (keras.saving.load_model(run / name).get_weights() for run in (whole[0], tmp_path / "cut"))
        assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(one, other, strict=True)), name
    assert len(read_history(tmp_path / "cut")) == LITTLE.epochs


def difference(model, content: bytes, lookahead: int, signal: np.ndarray) -> float:
    """Largest difference in probability between Keras over a whole window and ONNX second by second."""
    whole = model(signal, training=False).numpy()
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    state = [np.zeros((len(signal), *i.shape[1:]), np.float32) for i in session.get_inputs()[1:]]
    labels = []
    for begin in range(0, signal.shape[1], 128):
        label, *state = session.run(None, dict(zip(names, (signal[:, begin : begin + 128], *state), strict=True)))
        labels.append(label)
    stepped = np.concatenate(labels, axis=1)
    return float(np.abs(stepped[:, lookahead:] - whole[:, : whole.shape[1] - lookahead])[:, :-lookahead].max())


def test_the_stepped_model_in_onnx_equals_the_whole_one_in_keras():
    keras.utils.set_random_seed(1)
    config = instant.InstantConfig()
    model = instant.build(config)
    signal = np.random.default_rng(0).normal(size=(2, 128 * 12)).astype(np.float32)
    model(signal, training=True)  # moves the normalisation away from nothing
    content = to_onnx(model, instant.step(config))
    assert difference(model, content, config.lookahead, signal) < 1e-5


def test_the_stepped_sequence_in_onnx_equals_the_whole_one_in_keras():
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(2, 40, n)).astype(np.float32) for n in (128, 128, 15)]
    model = sequence.build()
    model(inputs, training=True)  # moves the normalisation away from nothing
    content = to_onnx(model, sequence.build(step=True))
    trained = zoo.TrainedModel({}, content)
    state, parts = trained.start(2), []
    for begin in range(0, 40, 5):
        given, state = trained.run(state, *(np.ascontiguousarray(x[:, begin : begin + 5]) for x in inputs))
        parts.append(given)
    whole = model(inputs, training=False).numpy()
    assert np.abs(np.concatenate(parts, axis=1) - whole).max() < 1e-5


@pytest.mark.parametrize("record", ["mitdb/100", "mitdb/202", "svdb/879"])
def test_every_door_to_training_refuses_a_test_record(tmp_path, record):
    def doors():
        yield lambda: train_model("instant", runs=tmp_path, records=[*RECORDS, record])
        yield lambda: tune("instant", runs=tmp_path, records=[*RECORDS, record])
        yield lambda: ablate("instant", runs=tmp_path, records=[*RECORDS, record])
        yield lambda: fit_boosting([*RECORDS, record])
        for name in RECIPES:
            yield lambda name=name: train_model(name, runs=tmp_path, records=[record])
            yield lambda name=name: tune(name, runs=tmp_path, records=[record])
            yield lambda name=name: ablate(name, runs=tmp_path, records=[record])

    for door in doors():
        with pytest.raises(RecordError, match=f"{record}: a test record"):
            door()


@pytest.mark.soak
@pytest.mark.parametrize(("name", "settings"), [("instant", LITTLE), ("sequence", SHORT)])
def test_a_search_goes_on_and_is_summed_up(run, few, name, settings):
    folder, _ = run
    said: list[str] = []
    options = {"models": folder / "zoo", "runs": folder / "runs", "data_dir": few, **OPTIONS}
    for _ in range(2):
        path = tune(name, trials=1, settings=settings, say=said.append, **options)
    assert [line.split(":")[0] for line in said] == ["trial 0", "trial 1"]
    assert "Trials run to the end: 2" in path.read_text()


@pytest.mark.soak
def test_an_ablation_is_a_table_with_a_row_for_each_choice(run, few, monkeypatch):
    folder, _ = run
    module = sys.modules[ablate.__module__]  # its name is the function's in the package
    monkeypatch.setattr(module, "ABLATIONS", ABLATIONS[:1] + ABLATIONS[-1:])
    options = {"models": folder / "zoo", "runs": folder / "runs", "data_dir": few, **OPTIONS}
    begun: list[str] = []
    table = ablate("autoencoder", settings=SHORT, say=begun.append, **options)
    assert begun == ["as it is", "patients of mitdb only"]
    assert "| as it is" in table
    assert ablate("autoencoder", settings=SHORT, say=begun.append, **options) == table
    assert len(begun) == 2, "rows that are there were made anew"


def test_what_the_doubt_of_the_beat_finder_is_worth_is_a_table_over_noise(run, few, monkeypatch):
    folder, _ = run
    monkeypatch.setattr(sys.modules["ectopy.training.doubted"], "DOUBTS", DOUBTS[::3])  # to the least and none
    options = {"models": folder / "zoo", "runs": folder / "runs", "data_dir": few, **OPTIONS, "records": RECORDS[:2]}
    with pytest.raises(ModelError, match=r"typo.instant: no trained instant there"):
        ablate("instant", **{**options, "models": folder / "typo"})
    table = ablate("instant", **options)
    card = json.loads((folder / "zoo" / "instant" / "card.json").read_text())
    doubts = sorted({*DOUBTS[::3], card["thresholds"]["doubt"]})
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    assert [row[0].partition(" ")[0] for row in rows[2:]] == [f"{doubt:g}" for doubt in doubts]
    unreadable = [float(row[1].removesuffix(" %")) for row in rows[2:]]
    assert unreadable == sorted(unreadable, reverse=True)
    kept = {path: path.stat().st_mtime_ns for path in (folder / "runs" / "ablate-instant-ds1").glob("*.csv")}
    assert len(kept) == 2
    assert ablate("instant", **options) == table
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "a record that is there was analysed anew"
    path, _ = kept
    whole = path.read_bytes()
    for damaged in (b"", b"hello", whole[: len(whole) // 2], whole.replace(b"0.5", b"oops"), b"\xff\xfe"):
        path.write_bytes(damaged)
        assert ablate("instant", **options) == table


def test_calibration_makes_probabilities_of_what_is_overconfident():
    rng = np.random.default_rng(0)
    truth = rng.choice(5, size=20_000, p=[0.8, 0.1, 0.06, 0.02, 0.02])
    logits = 2.0 * np.eye(5)[truth] + rng.normal(size=(len(truth), 5))
    overconfident = 3 * logits - np.log(np.exp(3 * logits).sum(axis=1, keepdims=True))
    p = Rescaled.fitted(overconfident, truth).apply(overconfident)
    for k in range(5):
        assert p[:, k].mean() == pytest.approx((truth == k).mean(), abs=0.005)
    sure = p.max(axis=1)
    right = p.argmax(axis=1) == truth
    for low in (0.5, 0.7, 0.9):
        within = (sure >= low) & (sure < low + 0.1)
        assert right[within].mean() == pytest.approx(sure[within].mean(), abs=0.03)


def test_no_test_patient_can_reach_training():
    test = {patient(name) for name in (*split("DS2"), *split("svdb-odd"))}
    assert not {patient(name) for name in training("shipped")} & test
    assert {patient(name) for name in training("ds1")} & test == {
        "mitdb/201"
    }  # as in the literature; 202 is the same man


def test_the_index_of_irregular_rhythm_is_fitted_on_no_test_patient(tmp_path, monkeypatch, mitdb, svdb, cinc2017):
    asked = []

    def a_minute(name, **options):
        asked.append(name)
        recording = read(name, **options)
        return recording.section(0, min(recording.duration_s, 60))

    monkeypatch.setattr("ectopy.data.read", a_minute)
    fitted = json.loads(fit_rhythm(out=tmp_path).read_text())
    assert fitted["out_of_patient"]["patients_with_fibrillation"] > 1
    assert not {patient(name) for name in asked} & {patient(name) for name in (*split("DS2"), *split("svdb-odd"))}


def test_the_index_of_quality_is_fitted_on_no_test_patient(tmp_path, monkeypatch, mitdb, nstdb, cinc2017):
    asked = []

    def noted(name, **options):
        asked.append(name)
        return read(name, **options)

    monkeypatch.setattr("ectopy.data.read", noted)
    fitted, shipped = (
        json.loads(p.read_text()) for p in (fit_quality(out=tmp_path), Path(signal.__file__).with_name("quality.json"))
    )
    assert fitted["weights"] == pytest.approx(shipped["weights"], rel=1e-3)  # other machines add otherwise
    assert len(asked) > 50
    assert not {patient(name) for name in asked} & {patient(name) for name in (*split("DS2"), *split("svdb-odd"))}


def test_folds_share_no_patient_and_leave_none_out():
    def one(name, who, abnormal):
        labels = np.full(abnormal, 3, np.int8)
        nothing = np.zeros((1, 0), np.float32)
        return Example(name, who, nothing, labels, nothing, np.arange(abnormal), labels)

    many = [one(f"r{n}", f"p{n // 2}", n * 7 % 40) for n in range(20)]
    dealt = folds(many, 4)
    assert sorted(p for fold in dealt for p in fold) == sorted({e.patient for e in many})
    load = [sum(len(e.beats) for e in many if e.patient in fold) for fold in dealt]
    assert max(load) < 2 * min(load)
    with pytest.raises(ModelError, match="11 folds of 10 patients"):
        folds(many, 11)


def test_labels_lie_where_the_beats_are(examples):
    for one in examples:
        assert set(np.unique(one.label)) <= {0, 1, 2, 3, 4, 5}
        assert (one.label[one.beats] == one.beat_labels).all()
        signal = np.abs(one.signal[0]).reshape(-1, 4).max(axis=1)
        at_beats = np.median([signal[f - 1 : f + 2].max() for f in one.beats[1:-1]])
        assert at_beats > 3 * np.median(signal), "labels are shifted against the signal"


def test_windows_are_fixed_by_seed_epoch_and_step(examples, cold):
    def windows(seed):
        return Windows(examples, cold, noise(), seconds=8, batch=6, steps=2, lookahead=30, abnormal=0.5, seed=seed)

    first, same, other = windows(0), windows(0), windows(1)
    assert all(np.array_equal(a, b) for a, b in zip(first[1], same[1], strict=True))
    assert not np.array_equal(first[1][0], other[1][0])
    same.on_epoch_end()
    assert not np.array_equal(first[1][0], same[1][0])
    signal, label, weight = first[0]
    assert signal.shape == (6, 1024)
    assert label.shape == weight.shape == (6, 256)
    assert (weight[:, -30:] == 0).all()
