"""A beat beside what the autoencoder makes of it."""

from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.serving import post, serving

import ectopy
from ectopy.wire import Chunk, EpochRequest, Form, pack

FORM = Form(1, "int16", "mV", 200.0)
BINARY = {"Content-Type": "application/octet-stream"}


def test_a_ventricular_beat_is_rebuilt_less_well_than_normal_ones(tmp_path: Path, demo: ectopy.Recording) -> None:
    raw = FORM.encode(demo.samples[: 100 * 360, :1])
    request = EpochRequest(fs=360, leads=["II"], gain=200).model_dump(mode="json")
    with serving(tmp_path) as url, httpx.Client(base_url=f"{url}/v1/streams/bed-1", timeout=30) as api:
        api.post("/epochs", json=request).raise_for_status()
        for first in range(0, 36_000, 3600):
            frame = pack([Chunk("bed-1", 1, first, 3600, raw[2 * first : 2 * (first + 3600)])])
            post(api, "/samples", content=frame, headers=BINARY)
        api.post("/end", json={"epoch": 1, "n": 36_000}).raise_for_status()
        beats = api.get("/beats?limit=20").json()["items"]
        unlike: dict[str, list[float]] = {"N": [], "V": []}
        for beat in beats[30:60]:
            found = api.get("/rebuilt", params={"epoch": 1, "sample": beat["sample"]}).raise_for_status().json()
            assert (found["sample"], found["lead"]) == (beat["sample"], "II")
            assert found["model"].startswith("autoencoder-adaptive ")
            difference = np.subtract(found["beat"], found["rebuilt"])
            assert difference.shape == (64,)
            unlike[beat["aami"]].append(float(np.sqrt(np.square(difference).mean())))
        assert len(unlike["V"]) > 2
        assert np.median(unlike["V"]) > 2 * np.median(unlike["N"])
        for sample in (beats[40]["sample"] + 100, 10**9):
            answer = api.get("/rebuilt", params={"epoch": 1, "sample": sample})
            assert answer.status_code == 404
            assert f"no beat at sample {sample}" in answer.json()["reason"]


@pytest.mark.parametrize("name", ["autoencoder", "autoencoder-adaptive"])
def test_what_rebuilds_is_a_part_of_the_model_that_ships(name: str) -> None:
    from ectopy.training.export import rebuilding

    folder = Path(ectopy.__file__).parent / "zoo" / name
    assert rebuilding((folder / "model.onnx").read_bytes()) == (folder / "rebuild.onnx").read_bytes()
