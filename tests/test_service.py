"""The service by example: everything on docs/api.md runs, and what goes in comes out again."""

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.serving import serving
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import ectopy
from ectopy.client import Client
from ectopy.wire import Chunk, Form, pack

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
FORM = Form(1, "int16", "mV", 200)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("service")) as url:
        yield url


@pytest.fixture
def api(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        yield api


def begin(api: httpx.Client, stream: str, **more: object) -> int:
    request = {"fs": 360, "leads": ["II"], "kind": "int16", "gain": 200, **more}
    return api.post(f"/streams/{stream}/epochs", json=request).raise_for_status().json()["epoch"]


def socket(url: str, stream: str, **more) -> ClientConnection:
    return connect(f"{url.replace('http', 'ws')}/v1/streams/{stream}", **more)


def test_every_command_of_the_page_runs(url: str, tmp_path: Path, demo: ectopy.Recording) -> None:
    samples = demo.section(0, 60).samples.astype(float)
    wfdb.wrsamp("demo", 360, ["mV"], ["II"], samples[:, :1], fmt=["16"], write_dir=str(tmp_path))
    blocks = re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.DOTALL)
    assert {kind for kind, _ in blocks} == {"sh", "python"}
    said = []
    for kind, block in blocks:
        shell = ["bash", "-euo", "pipefail", "-c"] if kind == "sh" else [sys.executable, "-c"]
        block = block.replace("http://127.0.0.1:8700", url)
        done = subprocess.run([*shell, block], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        assert '{"reason"' not in done.stdout, done.stdout
        said.append(done.stdout)
    assert len(json.loads((tmp_path / "demo.json").read_text())["intervals"]) == 12
    assert '"next":4' in said[2] and '"label":"Bed 7"' in said[2]
    assert "event: verdict" in said[3] or "id: 0" in said[3]
    assert said[4].count('"note":"wide and early"') == 2
    assert '"chosen":{"model":"sequence"' in said[5] and '"chosen":{"model":null' in said[5]
    assert len(re.findall(r"^20\d\d-.* (normal|abnormal|unreadable) ", said[6], re.MULTILINE)) == 6
    assert len(json.loads(said[7])["rebuilt"]) == 64


def test_a_stream_s_verdicts_are_those_of_the_offline_analysis(api: httpx.Client, demo: ectopy.Recording) -> None:
    stored = FORM.encode(demo.section(0, 47).samples[:, :1])
    begin(api, "whole")
    for first in range(0, len(stored) // 2, 777):
        part = stored[2 * first : 2 * (first + 777)]
        frame = pack([Chunk("", 1, first, len(part) // 2, part)])
        headers = {"Content-Type": "application/octet-stream"}
        ack = api.post("/streams/whole/samples", content=frame, headers=headers).raise_for_status().json()
        assert ack["next"] == first + len(part) // 2
    api.post("/streams/whole/end", json={"epoch": 1, "n": len(stored) // 2}).raise_for_status()
    items = api.get("/streams/whole/verdicts").json()["items"]
    wanted = ectopy.analyze(ectopy.Recording(FORM.decode(stored), demo.fs, ("II",))).verdicts
    kept = [{name: item[name] for name in verdict.to_dict()} for item, verdict in zip(items, wanted, strict=True)]
    assert kept == [json.loads(json.dumps(verdict.to_dict())) for verdict in wanted]
    assert [item["start_sample"] for item in items] == [1800 * k for k in range(10)]
    assert items[-1]["end_sample"] == len(stored) // 2
    assert api.get("/streams/whole/samples", params={"n": 10**6}).content == stored
    assert [v["start_s"] for v in verdicts_in(api, 12, 15.1)] == [10, 15]
    assert [v["start_s"] for v in verdicts_in(api, 47, 60)] == []
    beats = [beat["time_s"] for verdict in items for beat in verdict["beats"]]
    told = api.get("/streams/whole/beats", params={"start_s": 12, "end_s": 15.1}).json()["items"]
    assert [beat["time_s"] for beat in told] == [time_s for time_s in beats if 12 <= time_s < 15.1] != []


def verdicts_in(api: httpx.Client, start_s: float, end_s: float) -> list[dict]:
    return api.get("/streams/whole/verdicts", params={"start_s": start_s, "end_s": end_s}).json()["items"]


def test_events_behind_a_place_that_is_not_reached_yet_are_the_next(
    api: httpx.Client, url: str, demo: ectopy.Recording
) -> None:
    begin(api, "future")
    stored = FORM.encode(demo.section(0, 60).samples[:, :1])

    async def next_one() -> None:
        async with Client(url) as client, aclosing(client.events((10**9, 10**9))) as events:
            told = asyncio.ensure_future(anext(events))
            for first in range(0, len(stored) // 2, 360):
                await client.push("future", Chunk("", 1, first, 360, stored[2 * first : 2 * first + 720]))
                await asyncio.wait([told], timeout=0.1)  # where it begins to listen, another verdict is to come
            await asyncio.wait_for(told, 10)

    asyncio.run(next_one())


def test_a_newer_writer_takes_over_and_the_older_is_told_why(api: httpx.Client, url: str) -> None:
    begin(api, "two")
    with socket(url, "two") as first, socket(url, "two") as second:
        for one in (first, second):
            one.send('{"type": "write", "epoch": 1}')
            assert json.loads(one.recv(timeout=10))["type"] == "ack"
        with pytest.raises(Exception, match="4409"):
            first.recv(timeout=10)
        second.send(pack([Chunk("", 1, 0, 2, b"\0\0\1\0")]))
        assert json.loads(second.recv(timeout=10))["next"] == 2


def test_a_watcher_gets_samples_verdicts_and_gaps_as_they_come(
    api: httpx.Client, url: str, demo: ectopy.Recording
) -> None:
    begin(api, "seen")
    stored = FORM.encode(demo.section(0, 9).samples[:, :1])
    with socket(url, "seen") as watcher:
        watcher.send('{"type": "watch", "what": ["verdicts", "samples"]}')
        assert json.loads(watcher.recv(timeout=10))["type"] == "ack"
        body = {"epoch": 1, "first": 0, "samples": FORM.decode(stored)[:, 0].round(4).tolist()}
        api.post("/streams/seen/samples", json=body).raise_for_status()
        api.post("/streams/seen/gaps", json={"epoch": 1, "first": len(stored) // 2, "n": 100}).raise_for_status()
        told = [watcher.recv(timeout=10) for _ in range(3)]
    assert [one for one in told if isinstance(one, bytes)] == [pack([Chunk("seen", 1, 0, len(stored) // 2, stored)])]
    others = [json.loads(one) for one in told if isinstance(one, str)]
    assert {one["type"] for one in others} == {"verdict", "gap"}


def test_a_gateway_writes_many_streams_with_one_frame(api: httpx.Client, url: str) -> None:
    names = [f"ward-{n}" for n in range(5)]
    for name in names:
        begin(api, name)
    with connect(f"{url.replace('http', 'ws')}/v1/gateway") as gateway:
        for name in names:
            gateway.send(json.dumps({"type": "write", "stream": name, "epoch": 1}))
        gateway.send(pack(Chunk(name, 1, 0, 3, b"\1\0\2\0\3\0") for name in names))
        reached: dict[str, int] = {}
        while len(reached) < len(names) or set(reached.values()) != {3}:
            ack = json.loads(gateway.recv(timeout=10))
            reached[ack["stream"]] = ack["next"]
    assert sorted(reached) == names


def test_a_chunk_of_a_name_that_no_stream_has_leaves_a_gateway_to_the_others(api: httpx.Client, url: str) -> None:
    begin(api, "named")
    with connect(f"{url.replace('http', 'ws')}/v1/gateway") as gateway:
        gateway.send('{"type": "write", "stream": "named", "epoch": 1}')
        gateway.send(pack([Chunk(name, 1, 0, 1, b"\1\0") for name in ("bed 7", "named")]))
        told = [json.loads(gateway.recv(timeout=10))]
        while told[-1].get("next") != 1:
            told.append(json.loads(gateway.recv(timeout=10)))
    assert [one["status"] for one in told if one["type"] == "error"] == [409]


def test_what_is_missing_for_too_long_becomes_a_gap(tmp_path: Path) -> None:
    with serving(tmp_path, late_s="0.5") as url, httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        begin(api, "holes")
        for first, values in ((0, [0.1, 0.2]), (5, [0.3])):
            api.post("/streams/holes/samples", json={"epoch": 1, "first": first, "samples": values}).raise_for_status()
        while api.get("/streams/holes/offset").json()["next"] < 6:
            pass
        late = {"epoch": 1, "first": 3, "samples": [0.5]}
        assert api.post("/streams/holes/samples", json=late).json()["next"] == 6
        (gap,) = api.get("/streams/holes/gaps").json()
        assert (gap["first"], gap["n"], gap["reason"]) == (2, 3, "never came")
        kept = FORM.decode(api.get("/streams/holes/samples").content)[:, 0]
        np.testing.assert_allclose(kept, [0.1, 0.2, np.nan, np.nan, np.nan, 0.3], atol=0.003)


@pytest.mark.parametrize("chunk_s", [2, 9])
def test_a_device_that_was_held_back_hears_that_it_may_go_on_whoever_asks_meanwhile(
    api: httpx.Client, url: str, chunk_s: int
) -> None:
    """It sends as fast as it may, up to its whole credit at once, while others are told the credit too."""
    stream, n, over = f"fast-{chunk_s}", chunk_s * 360, threading.Event()
    begin(api, stream)

    def look() -> None:
        while not over.is_set():
            with socket(url, stream) as watcher:
                watcher.send('{"type": "watch", "what": []}')
                watcher.recv(timeout=10)
            httpx.get(f"{url}/v1/streams/{stream}/offset", timeout=10)

    with socket(url, stream) as device:
        device.send('{"type": "write", "epoch": 1}')
        ack = json.loads(device.recv(timeout=10))
        asking = threading.Thread(target=look)
        asking.start()
        try:
            for first in range(0, 1200 * 360, n):
                while ack["next"] + ack["credit"] < first + n:
                    ack = json.loads(device.recv(timeout=20))
                device.send(pack([Chunk(stream, 1, first, n, bytes(2 * n))]))
        finally:
            over.set()
            asking.join()


def test_what_comes_late_is_kept_once_however_often_and_in_whatever_pieces_it_is_sent(tmp_path: Path) -> None:
    def kept() -> list[tuple[int, int]]:
        with closing(sqlite3.connect(tmp_path / "ectopy.db")) as database:
            return database.execute("SELECT first, n FROM late ORDER BY key").fetchall()

    with serving(tmp_path) as url, httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        begin(api, "late")

        def send(first: int, *values: float) -> int:
            said = {"epoch": 1, "first": first, "samples": values}
            return api.post("/streams/late/samples", json=said).status_code

        send(0, 0.1, 0.2)
        for first in (2, 7, 9):
            api.post("/streams/late/gaps", json={"epoch": 1, "first": first, "n": 1}).raise_for_status()
        send(10, 0.3)
        assert api.get("/streams/late/offset").json()["next"] == 11
        for _ in range(3):
            assert send(0, 0.1, 0.2, 0.5) == 200
        assert kept() == [(2, 1)]
        with socket(url, "late") as device:
            device.send('{"type": "write", "epoch": 1}')
            for _ in range(50):
                device.send(pack([Chunk("late", 1, 3, 5, bytes(10)), Chunk("late", 1, 2, 3, b"\x64\0\0\0\0\0")]))
                device.send('{"type": "end", "epoch": 1, "n": 11}')
            assert {json.loads(device.recv(timeout=10))["type"] for _ in range(20)} == {"ack"}
        assert send(4, 0.0, 0.0) == 200  # a part
        assert sorted(kept()) == [(2, 1), (3, 5)]
        for _ in range(2):  # others are kept too
            assert send(2, 0.6, 0.0) == 200
        assert sorted(kept()) == [(2, 1), (2, 2), (3, 5)]
        assert send(2, 0.6) == send(2, 0.5) == 200
        assert send(1, 0.7, 0.8) == 409  # beside samples that differ from those that are there nothing is
        assert len(kept()) == 3
        assert [file.stat().st_size for file in (tmp_path / "samples").iterdir()] == [2 * (3 + 1 + 5 + 2)]


def test_of_samples_that_wait_ahead_the_first_to_come_are_kept_and_the_sender_of_others_is_told(api) -> None:
    begin(api, "ahead")

    def send(first: int, n: int, value: float) -> httpx.Response:
        said = {"epoch": 1, "first": first, "samples": [value] * n}
        return api.post("/streams/ahead/samples", json=said)

    assert send(100, 100, 0.1).json()["next"] == 0
    for first, n in ((100, 100), (150, 100), (0, 101)):
        refused = send(first, n, 0.2)
        assert refused.status_code == 409 and "other samples are there already" in refused.json()["reason"]
        assert api.get("/streams/ahead/offset").json()["next"] == 0
    assert send(150, 100, 0.1).json()["next"] == 0
    assert send(0, 120, 0.1).json()["next"] == 250
    np.testing.assert_allclose(FORM.decode(api.get("/streams/ahead/samples").content)[:, 0], [0.1] * 250, atol=0.003)


def test_so_many_chunks_may_wait_ahead_and_no_more(api: httpx.Client, url: str) -> None:
    begin(api, "crowd")
    with socket(url, "crowd") as device:
        device.send('{"type": "write", "epoch": 1}')
        device.send(pack(Chunk("", 1, first, 1, b"\1\0") for first in range(1, 1100, 2)))
        told = json.loads(device.recv(timeout=10))
        while told["type"] == "ack":
            told = json.loads(device.recv(timeout=10))
        assert told["status"] == 429 and "send these first" in told["reason"]
    every = {"epoch": 1, "first": 0, "samples": [1 / 200] * 1000}
    assert api.post("/streams/crowd/samples", json=every).json()["next"] == 1000


def test_what_is_appended_comes_behind_what_waits_ahead(api: httpx.Client) -> None:
    begin(api, "append")
    for said, query in (({"first": 2, "samples": [0.3]}, ""), ({"samples": [0.4]}, "?append=true")):
        assert api.post(f"/streams/append/samples{query}", json={"epoch": 1, **said}).json()["next"] == 0
    assert api.post("/streams/append/samples", json={"epoch": 1, "first": 0, "samples": [0.1, 0.2]}).json()["next"] == 4
    kept = FORM.decode(api.get("/streams/append/samples").content)[:, 0]
    np.testing.assert_allclose(kept, [0.1, 0.2, 0.3, 0.4], atol=0.003)


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/streams/none/samples", {"epoch": 1, "first": 0, "samples": [1]}, 404, "no stream 'none'"),
        ("/streams/odd/samples", {"epoch": 9, "first": 0, "samples": [1]}, 404, "no epoch 9 that runs"),
        ("/streams/odd/samples", {"epoch": 1, "samples": [1]}, 400, "append=true"),
        ("/streams/odd/samples", {"epoch": 1, "first": 0, "samples": ["x"]}, 422, "samples"),
        ("/streams/odd/samples", {"epoch": 1, "first": 0, "samples": [[1, 2]]}, 400, "expected (n, 1)"),
        ("/streams/odd/samples", {"epoch": 1, "first": 10**6, "samples": [1]}, 429, "beyond the credit"),
        ("/streams/odd/epochs", {"fs": 50, "leads": ["I"]}, 422, "100 to 1000"),
        ("/streams/odd/epochs", {"fs": 500, "leads": ["I", "I"]}, 422, "two leads of one name"),
        ("/streams/odd/epochs", {"fs": 500, "leads": ["I"], "device_time": "2026-01-01T00:00:00"}, 422, "zone"),
        *(
            ("/streams/odd/epochs", {"fs": 500, "leads": ["I"], "device_time": time}, 422, "no device's clock")
            for time in ("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-23:59")
        ),
        ("/streams/../epochs", {"fs": 500, "leads": ["I"]}, 404, "Not Found"),
        ("/streams/odd/gaps", {"epoch": 1, "first": 0, "n": 10**9}, 409, "24 h"),
        ("/streams/odd/end", {"epoch": 1, "n": 1, "stream": "even"}, 409, "names stream"),
    ],
)
def test_what_can_t_be_done_is_answered_with_the_reason(api, path, body, status, reason) -> None:
    begin(api, "odd") if api.get("/streams/odd").status_code == 404 else None
    answer = api.post(path, json=body)
    assert answer.status_code == status and reason in answer.json()["reason"]


@pytest.mark.parametrize(
    ("path", "allowed"), [("/streams/any/samples", "GET, POST"), ("/jobs/7", "DELETE, GET"), ("/tickets", "POST")]
)
def test_a_method_that_a_path_has_not_is_answered_with_those_it_has(api: httpx.Client, path: str, allowed: str) -> None:
    answer = api.put(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("sent", [bytes, lambda body: iter([body[:1000], body[1000:]])], ids=["whole", "in pieces"])
@pytest.mark.parametrize("path", ["/streams/large/epochs", "/streams/large/samples", "/pauses"])
def test_a_body_of_more_than_a_mib_is_refused_before_it_is_read(api: httpx.Client, path: str, sent) -> None:
    body = b'{"fs": 360, "leads": ["II"], "unknown": [' + b"0," * 2**19 + b"0]}"
    answer = api.post(path, content=sent(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413 and answer.json()["reason"].startswith("body larger than 1 MiB")


@pytest.mark.parametrize(
    ("stream", "origin", "code"),
    [("кровать у окна 12 б " * 4, None, 4404), ("bed-7", "http://" + "é" * 90, 4403)],
    ids=["stream", "origin"],
)
def test_a_reason_of_any_letters_fits_into_the_close_of_a_socket(url: str, stream: str, origin, code: int) -> None:
    headers = {} if origin is None else {"Origin": origin}
    with socket(url, quote(stream), additional_headers=headers) as device, pytest.raises(ConnectionClosed) as closed:
        device.recv(timeout=10)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == code


def test_a_damaged_frame_closes_the_connection_and_nothing_of_it_is_kept(api: httpx.Client, url: str) -> None:
    begin(api, "frames")
    frame = bytearray(pack([Chunk("", 1, 0, 2, b"\0\0\1\0")]))
    frame[-1] ^= 1
    answer = api.post(
        "/streams/frames/samples", content=bytes(frame), headers={"Content-Type": "application/octet-stream"}
    )
    assert answer.status_code == 400 and "CRC" in answer.json()["reason"]
    with socket(url, "frames") as device:
        device.send('{"type": "write", "epoch": 1}')
        device.recv(timeout=10)
        device.send(bytes(frame))
        with pytest.raises(Exception, match="4400"):
            device.recv(timeout=10)
    assert api.get("/streams/frames/offset").json()["next"] == 0


def test_pages_of_other_sites_are_refused_and_a_ticket_is_good_once(api: httpx.Client, url: str) -> None:
    begin(api, "page")
    assert api.get("/streams", headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert api.get("/streams", headers={"Host": "elsewhere.example"}).status_code == 403
    assert api.get("/streams", headers={"Origin": "http://localhost:8501"}).status_code == 200
    for origin in ("https://elsewhere.example", "http://localhost:8501"):
        with (
            socket(url, "page", origin=origin) as page,
            pytest.raises(Exception, match="4403"),
        ):
            page.recv(timeout=10)
    ticket = [f"ectopy.ticket.{api.post('/tickets').json()['ticket']}"]
    with socket(url, "page", origin="http://localhost:8501", subprotocols=ticket) as page:
        page.send('{"type": "watch", "what": ["verdicts"]}')
        assert json.loads(page.recv(timeout=10))["type"] == "ack"
    with (
        socket(url, "page", origin="http://localhost:8501", subprotocols=ticket) as page,
        pytest.raises(Exception, match="4403"),
    ):
        page.recv(timeout=10)


def test_a_label_is_taken_away_by_an_empty_one_and_kept_by_none(api: httpx.Client) -> None:
    for label, shown in (("Bed 7", "Bed 7"), (None, "Bed 7"), ("", "")):
        begin(api, "labelled", label=label)
        assert api.get("/streams/labelled").json()["label"] == shown


def test_metrics_name_no_stream(api: httpx.Client, url: str) -> None:
    begin(api, "secret-name", label="Secret Label")
    text = httpx.get(f"{url}/metrics").text
    assert "ectopy_verdicts_total" in text and "ecret" not in text
    assert httpx.get(f"{url}/readyz").status_code == httpx.get(f"{url}/healthz").status_code == 200


def test_logs_have_neither_labels_nor_samples(tmp_path: Path) -> None:
    with serving(tmp_path, log_level="debug") as url, httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        about = {"fs": 360, "leads": ["II"], "kind": "float32", "label": "Secret Person"}
        api.post("/streams/bed-1/epochs", json=about).raise_for_status()
        told = {"epoch": 1, "first": 0, "samples": [0.123456] * 1800}
        api.post("/streams/bed-1/samples", json=told).raise_for_status()
        for wrong in ([7.654321] * 360, [7.654321, "Secret"]):  # a conflict, and what is no signal
            answer = api.post("/streams/bed-1/samples", json={**told, "samples": wrong})
            assert answer.status_code in (409, 422)
            assert "7.654321" not in answer.text
    log = (tmp_path / "log").read_text()
    assert log and not any(word in log for word in ("Secret", "0.123456", "7.654321"))


_SENT = st.binary(min_size=1, max_size=200) | st.text(max_size=100) | st.sampled_from(['{"type": "end"}', "[]", "{}"])


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(message=_SENT)
def test_whatever_is_sent_to_a_socket_closes_it_with_a_reason(url: str, message: bytes | str) -> None:
    with connect(f"{url.replace('http', 'ws')}/v1/gateway") as device, pytest.raises(ConnectionClosed) as closed:
        device.send(message)
        device.recv(timeout=10)
    assert closed.value.rcvd.code == 4400 and closed.value.rcvd.reason
