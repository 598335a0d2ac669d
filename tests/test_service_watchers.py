"""A slow watcher holds nobody up: it misses what it can't take, is told so, and is given up in the end."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from tests.serving import serving
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ectopy.service.hub import Watcher
from ectopy.wire import Chunk, Form, pack

STALLED = 50
FORM = Form(16, "float32", "mV")
SECOND = 360


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path, credit_s="60") as url:
        yield url


@contextmanager
def stalled(url: str) -> Iterator[ClientConnection]:
    """A watcher of everything that reads nothing: its own side takes a few KB, then the service's fills."""
    at = urlsplit(url)
    mine = socket.socket()
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert at.hostname and at.port
    mine.connect((at.hostname, at.port))
    with (
        suppress(ConnectionClosed),
        connect(
            f"ws://{at.netloc}/v1/streams/busy", sock=mine, max_queue=1, ping_interval=None, close_timeout=0.1
        ) as watcher,
    ):
        watcher.send('{"type": "watch", "what": ["verdicts", "samples"]}')
        yield watcher


def played(url: str, begin: int, end: int) -> list[dict]:
    """The verdicts that a watcher who keeps up is told, while a device sends these seconds of signal."""
    rng = np.random.default_rng(begin)
    told: list[dict] = []
    with connect(f"{url.replace('http', 'ws')}/v1/streams/busy") as device:
        device.send('{"type": "write", "epoch": 1}')
        device.send('{"type": "watch", "what": ["verdicts"]}')
        reached, credit, sent = begin * SECOND, 0, begin * SECOND
        while reached < end * SECOND or not told or told[-1]["end_s"] < (end - 2) // 5 * 5:
            while sent < end * SECOND and sent + SECOND <= reached + credit:
                device.send(pack([Chunk("", 1, sent, SECOND, FORM.encode(rng.normal(size=(SECOND, 16))))]))
                sent += SECOND
            said = json.loads(device.recv(timeout=60))
            if said["type"] == "ack":
                reached, credit = said["next"], said["credit"]
            elif said["type"] == "verdict":
                told.append(said)
        return told


def test_fifty_stalled_watchers_change_nothing_for_the_rest(url: str) -> None:
    request = {"fs": SECOND, "leads": [f"L{n}" for n in range(16)], "kind": "float32"}
    httpx.post(f"{url}/v1/streams/busy/epochs", json=request).raise_for_status()
    with ExitStack() as stack:
        for _ in range(STALLED):
            stack.enter_context(stalled(url))
        told = played(url, 0, 300)
        starts = [verdict["start_sample"] for verdict in told]
        assert starts == [5 * SECOND * k for k in range(len(starts))] and len(starts) > 50
        kept = httpx.get(f"{url}/v1/streams/busy/verdicts", params={"limit": 1000}).json()["items"]
        assert [verdict["id"] for verdict in kept[: len(told)]] == [verdict["id"] for verdict in told]
        assert httpx.get(f"{url}/readyz").status_code == 200


def test_a_watcher_that_falls_behind_is_told_how_much_it_missed_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watcher = Watcher()
    for _ in range(3):
        watcher.put(b"x" * 100_000)
    skipped, *rest = asyncio.run(watcher.take())
    assert json.loads(skipped) == {"type": "skipped", "n": 2} and len(rest) == 1
    for _ in range(5):
        watcher.put(b"x" * 100_000)
    assert not watcher.lost
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    for _ in range(5):
        watcher.put(b"x" * 100_000)
    assert watcher.lost  # it took nothing since it was told
