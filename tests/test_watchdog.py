"""`ectopy watchdog` tells when the service is gone and when it is back, and makes no storm."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.sinks import HttpSink, alone

from ectopy.service.notify.watching import Watching


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    alone(monkeypatch, tmp_path)


def told(looks: str, after: int = 3, every_s: float = 10.0) -> list[tuple[int, str]]:
    """What is told after which look, of looks as "..xx": well, well, not, not."""
    watching = Watching(after)
    changes: list[tuple[int, str]] = []
    for n, look in enumerate(looks):
        if change := watching.looked(look == ".", n * every_s):
            changes.append((n, change))
    return changes


def test_it_is_gone_after_three_looks_in_a_row_and_back_after_three():
    assert told("...xx.xx....") == []
    assert told("..xxxx..x...") == [(4, "gone"), (11, "back")]


def test_it_is_told_again_every_ten_minutes():
    assert told("x" * 130) == [(2, "gone"), (62, "still gone"), (122, "still gone")]


def test_one_that_comes_and_goes_makes_no_storm():
    changes = told("xxx..." * 60)  # an hour
    assert changes[:3] == [(2, "gone"), (5, "back"), (8, "gone")]
    assert [change for _, change in changes[3:]] == ["still gone"] * 5
    assert told("xxx..." * 60 + "." * 70)[-1] == (360 + 60 - 3, "back")


def test_a_later_outage_is_told_at_once():
    assert told("xxx..." + "." * 70 + "xxx...")[2:] == [(78, "gone"), (81, "back")]


def test_it_tells_when_a_real_service_dies_and_when_it_is_back(tmp_path):
    with HttpSink() as sink:
        service = HttpSink()
        with _watchdog(
            tmp_path, f"http://127.0.0.1:{service.port}", f"json://u:geheim@{sink.place}/", sink.place
        ) as process:
            _until(lambda: len(service.requests) > 3)
            assert not sink.posts
            service.close()
            _until(lambda: len(sink.posts) == 1)
            time.sleep(0.5)
            with HttpSink(503, port=service.port) as again:
                _until(lambda: len(sink.posts) == 2)
                assert again.requests[0] == "GET /readyz"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
    assert process.returncode == 0, err
    assert [post["title"] for post in sink.posts] == ["Ectopy's service is gone", "Ectopy's service is back"]
    assert "Research software" in sink.posts[0]["message"]
    assert sink.posts[0]["key"] != sink.posts[1]["key"]
    lines = out.splitlines()
    assert len(lines) == 3
    assert "is gone: no answer" in lines[1]
    assert lines[2].endswith("is back")
    assert "geheim" not in out + err


def test_a_service_whose_name_is_none_is_gone(tmp_path):
    with HttpSink() as sink, _watchdog(tmp_path, "http://a..b", f"json://{sink.place}/", sink.place) as process:
        _until(lambda: sink.posts or process.poll() is not None)
    assert [post["title"] for post in sink.posts] == ["Ectopy's service is gone"]


def test_without_anybody_to_tell_it_says_how_to_name_one(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "ectopy", "watchdog"], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert run.returncode == 2
    assert run.stderr.startswith("ectopy: nobody to tell: set notify in ectopy.toml or ECTOPY_SERVICE_NOTIFY")


@contextmanager
def _watchdog(folder: Path, url: str, notify: str, inside: str) -> Iterator[subprocess.Popen]:
    env = os.environ | {"ECTOPY_SERVICE_NOTIFY": notify, "ECTOPY_SERVICE_NOTIFY_INSIDE": inside}
    command = [sys.executable, "-m", "ectopy", "watchdog", "--url", url]
    process = subprocess.Popen(
        [*command, "--every", "0.1", "--after", "2"],
        cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _until(true) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it didn't come to pass"
        time.sleep(0.02)
