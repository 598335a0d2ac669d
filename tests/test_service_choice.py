"""A stream is judged by the model that was chosen for it, from its next epoch on, whatever crashes."""

from pathlib import Path

import httpx
import numpy as np
from tests.crash import Lives
from tests.serving import post

import ectopy
from ectopy.wire import Form

FORM = Form(1, "int16", "mV", 200.0)
CHOICE = {"model": "sequence", "operating_point": "few-alarms", "author": "Ruth"}
EPOCH = {"fs": 360, "leads": ["II"], "gain": 200}


def play(api: httpx.Client, epoch: int, samples: list[float], first: int, upto: int) -> None:
    while first < upto:
        body = {"epoch": epoch, "first": first, "samples": samples[first : min(first + 1800, upto)]}
        first = post(api, "/streams/bed-1/samples", json=body).json()["next"]


def judged(api: httpx.Client, epoch: int, n: int) -> list[tuple[float, str, float | None, str]]:
    """The epoch's verdicts, once it has ended after `n` samples."""
    api.post("/streams/bed-1/end", json={"epoch": epoch, "n": n}).raise_for_status()
    items = api.get("/streams/bed-1/verdicts", params={"epoch": epoch}).json()["items"]
    return [(v["start_s"], v["verdict"], v["score"], v["model"]) for v in items]


def offline(
    samples: list[float], model: str = "instant", operating_point: str = "balanced"
) -> list[tuple[float, str, float | None, str]]:
    values = FORM.decode(FORM.encode(np.array(samples, np.float32)[:, None]))
    verdicts = ectopy.analyze(values, fs=360, model=model, operating_point=operating_point).verdicts
    return [(v.start_s, v.verdict, v.score, v.model) for v in verdicts]


def test_the_next_epoch_is_judged_by_what_was_chosen(tmp_path: Path, demo: ectopy.Recording) -> None:
    samples = demo.samples[: 40 * 360, 0].tolist()
    with Lives(tmp_path, snapshot_s=5) as lives, httpx.Client(base_url=f"{lives.url}/v1", timeout=30) as api:
        lives.begin()
        lives.ready()
        assert api.put("/streams/bed-1/choice", json=CHOICE).status_code == 404
        first = api.post("/streams/bed-1/epochs", json=EPOCH).raise_for_status().json()
        wrong = api.put("/streams/bed-1/choice", json={"model": "../instant"})
        assert (wrong.status_code, wrong.json()["reason"].split(";")[0]) == (422, "no model '../instant'")
        assert api.put("/streams/bed-1/choice", json={"model": "instant", "operating_point": "loud"}).status_code == 422
        play(api, 1, samples, 0, 3600)
        assert api.put("/streams/bed-1/choice", json=CHOICE).raise_for_status().json()["chosen"] == CHOICE
        play(api, 1, samples, 3600, 7200)
        assert judged(api, 1, 7200) == offline(samples[:7200])  # as it began

        second = api.post("/streams/bed-1/epochs", json=EPOCH).raise_for_status().json()
        assert first["model"].startswith("instant ") and second["model"].startswith("sequence ")
        assert second["model"].endswith(", few-alarms")
        play(api, 2, samples, 0, 9000)
        lives.kill()
        lives.begin()
        lives.ready()
        stream = api.get("/streams/bed-1").json()
        assert (stream["chosen"], stream["epoch"]["model"]) == (CHOICE, second["model"])
        play(api, 2, samples, api.get("/streams/bed-1/offset").json()["next"], len(samples))
        assert judged(api, 2, len(samples)) == offline(samples, model="sequence", operating_point="few-alarms")

        assert api.put("/streams/bed-1/choice", json={"operating_point": "balanced"}).status_code == 422
        back = api.put("/streams/bed-1/choice", json={"model": None, "author": "Li"}).raise_for_status().json()
        assert (back["chosen"]["model"], back["chosen"]["author"]) == (None, "Li")
        assert api.post("/streams/bed-1/epochs", json=EPOCH).json()["model"] == first["model"]


def test_streams_come_in_pages(tmp_path: Path) -> None:
    with Lives(tmp_path) as lives, httpx.Client(base_url=f"{lives.url}/v1", timeout=30) as api:
        lives.begin()
        lives.ready()
        for name in ("b", "c", "a"):
            api.post(f"/streams/{name}/epochs", json=EPOCH).raise_for_status()
        pages = [api.get(f"/streams?{query}").json() for query in ("", "limit=2", "after=b&limit=2")]
    assert [[stream["id"] for stream in page] for page in pages] == [["a", "b", "c"], ["a", "b"], ["c"]]
