"""Installed models: what a card says, and that a damaged file is refused."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ectopy import zoo
from ectopy.data import patient, split
from ectopy.errors import HashError, ModelError

RNG = np.random.default_rng(0)


@pytest.fixture(params=zoo.installed())
def model(request):
    return zoo.load(request.param)


@pytest.fixture
def copy(tmp_path):
    place = tmp_path / "copy"
    shutil.copytree(Path(zoo.__file__).parent / "instant", place)
    return place


def test_the_models_are_installed():
    assert zoo.installed() == ["autoencoder", "autoencoder-adaptive", "hybrid", "instant", "sequence"]


def test_a_card_says_what_it_must(model):
    card = model.card
    assert card["sha256"] == hashlib.sha256(model.content).hexdigest()
    assert model.name == f"{card['name']} {card['sha256'][:8]}"
    assert card["thresholds"].keys() == ({"abnormal"} if model.finder else {"beat", "abnormal", "doubt"})
    points = card["operating_points"]
    assert points["high-sensitivity"] <= points["balanced"] == card["thresholds"]["abnormal"] <= points["few-alarms"]
    assert "not a medical device" in card["limits"]
    for figure in card["figures"]["table"].values():
        assert figure["low"] <= figure["value"] <= figure["high"]


def test_no_test_patient_trained_a_model(model):
    trained = {patient(name) for name in model.card["records"]}
    shared = trained & {patient(name) for name in (*split("DS2"), *split("svdb-odd"))}
    assert shared == ({"mitdb/201"} if model.card["protocol"] == "ds1" else set())  # 202 is the same man


def test_the_card_for_people_agrees_with_the_one_for_programs(model):
    text = (Path(zoo.__file__).parent / model.card["name"] / "card.md").read_text(encoding="utf-8")
    assert model.hash in text
    for name, figure in model.card["figures"]["table"].items():
        assert f"| {name} | {figure['value']:.4f} |" in text


def test_a_model_is_under_a_megabyte(model):
    assert len(model.content) < 1_000_000


def inputs_of(model, n_leads, n):
    """Random input of `n` blocks, or beats; the second axis is time."""
    shapes = [(128,), (128,), (15,)] if model.finder else [()]
    length = n if model.finder else n * 128
    return [RNG.normal(size=(n_leads, length, *shape)).astype(np.float32) for shape in shapes]


def run(model, inputs, cuts):
    step = 1 if model.finder else 128
    state, scores = model.start(len(inputs[0])), []
    for parts in zip(*(np.split(x, np.cumsum(cuts)[:-1] * step, axis=1) for x in inputs), strict=True):
        given, state = model.run(state, *map(np.ascontiguousarray, parts))
        scores.append(given)
    return np.concatenate(scores, axis=1)


def test_the_cut_and_the_batch_change_no_bit(model):
    if model.card.get("one_by_one"):
        pytest.skip("it is run beat by beat whatever the cut")
    inputs = inputs_of(model, 3, 64)
    whole = run(model, inputs, [64])
    assert whole.shape == (3, 64 if model.finder else 64 * 32, len(model.card["output"]))
    assert np.array_equal(whole, run(model, inputs, [1] * 64))
    assert np.array_equal(whole, run(model, inputs, [5, 1, 30, 28]))
    alone = [run(model, [x[lead : lead + 1] for x in inputs], [3, 61]) for lead in range(3)]
    assert np.array_equal(whole, np.concatenate(alone))


def test_probabilities_are_probabilities(model):
    scores = run(model, inputs_of(model, 1, 10), [10])
    assert ((scores >= 0) & (scores <= 1)).all()
    if scores.shape[2] > 1:
        assert np.allclose(scores.sum(axis=2), 1, atol=1e-5)


def test_an_operating_point_moves_the_threshold_and_is_named(model):
    few = model.at("few-alarms")
    assert few.thresholds == {**model.thresholds, "abnormal": model.card["operating_points"]["few-alarms"]}
    assert few.name == f"{model.name}, few-alarms"
    assert model.at("balanced") is model
    with pytest.raises(ModelError, match="no operating point 'loud'; expected balanced, high-sensitivity, few-alarms"):
        model.at("loud")


def test_a_beat_model_wants_the_beat_finder_that_trained_it(copy):
    place = copy.parent / "sequence"
    shutil.copytree(Path(zoo.__file__).parent / "sequence", place)
    assert zoo.load(str(place)).finder is zoo.load("instant")
    card = json.loads((place / "card.json").read_text())
    card["finder"]["sha256"] = "0" * 64
    other = shutil.copytree(place, copy.parent / "other")
    (other / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="trained on beats of instant 00000000"):
        zoo.load(str(other))


def test_an_unknown_model_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(ModelError, match="no model 'oracle'"):
        zoo.load("oracle")


def test_a_model_in_a_folder_of_its_own_is_loaded(copy):
    assert zoo.load(str(copy)).hash == zoo.load("instant").hash


def test_a_changed_model_file_is_refused(copy):
    content = bytearray((copy / "model.onnx").read_bytes())
    content[1000] ^= 1
    (copy / "model.onnx").write_bytes(content)
    with pytest.raises(HashError, match="write it again with 'ectopy train'"):
        zoo.load(str(copy))


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"name": "instant"})])
def test_a_damaged_card_is_refused(copy, text):
    (copy / "card.json").write_text(text)
    with pytest.raises(HashError, match="write it again with 'ectopy train'"):
        zoo.load(str(copy))


def test_a_missing_model_file_is_refused(copy):
    (copy / "model.onnx").unlink()
    with pytest.raises(HashError, match="write it again with 'ectopy train'"):
        zoo.load(str(copy))
