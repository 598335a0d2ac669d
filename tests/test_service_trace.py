"""What the operating system is asked to do: nothing is acknowledged that is not on disk."""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.service_check import Judged
from tests.service_load import Device, Ward

import ectopy

SYNCS = ("fdatasync", "fsync")
CALLS = ",".join(["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", *SYNCS])
WIDTH = 2  # bytes of a sample of these devices
_CALL = re.compile(r"(\d+) +(\w+)\((\d+)<(.*?)>(.*)")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ACK = re.compile(rb'"stream":"([^"]+)","epoch":(\d+),"next":(\d+)')


@dataclass(frozen=True)
class Call:
    """A system call as it begins, or as it has ended.

    path : the file, or the socket
    result : None as it begins
    """

    name: str
    path: str
    content: bytes
    result: int | None


def calls(trace: Path) -> Iterator[Call]:
    """From strace's lines, in their order: a call begins before it ends, and another thread's may lie between."""
    waiting: dict[str, Call] = {}
    with trace.open() as lines:
        for line in lines:
            if found := _CALL.match(line):
                process, name, _, path, rest = found.groups()
                content = b"".join(map(_plain, _TEXT.findall(rest)))
                begun = Call(name, path if path.startswith("TCP") else _plain(path).decode(), content, None)
                yield begun
                if "<unfinished ...>" in rest:
                    waiting[process] = begun
                    continue
            elif found := _RESUMED.match(line):
                process, _, rest = found.groups()
                if process not in waiting:
                    continue
                begun = waiting.pop(process)
            else:
                continue
            if result := re.search(r"\) += (-?\d+)", rest):
                yield Call(begun.name, begun.path, begun.content, int(result[1]))


def _plain(text: str) -> bytes:
    """Bytes that strace shows as \\x2f\\x74, each of them; what it shows otherwise is no file of ours."""
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()


@dataclass
class Disk:
    """How much of each segment the disk has confirmed, and then its rows.

    written, synced, kept : bytes of each segment that were written, that a sync covers, and whose rows are synced too
    """

    written: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    synced: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    _covered: dict[str, int] = field(default_factory=dict)  # by syncs that have begun
    _rows: dict[str, int] = field(default_factory=dict)  # synced when rows were last written
    _covered_rows: dict[str, int] = field(default_factory=dict)

    def see(self, call: Call) -> None:
        sync = call.name in SYNCS
        if call.path.endswith(".seg"):
            if not sync:
                self.written[call.path] += call.result or 0
            elif call.result is None:
                self._covered[call.path] = self.written[call.path]
            elif call.result == 0:
                self.synced[call.path] = self._covered[call.path]
        elif call.path.endswith("ectopy.db-wal"):
            if not sync:
                self._rows = dict(self.synced) if call.result is None else self._rows
            elif call.result is None:
                self._covered_rows = self._rows
            elif call.result == 0:
                self.kept = self._covered_rows


def unproven(trace: Path, data: Path, blind: str = "nothing") -> tuple[int, list[str]]:
    """How many acknowledgements there are in a trace, and those of samples not on disk, or without their rows.

    blind : syncs of files that end so are not seen
    """
    with closing(sqlite3.connect(data / "ectopy.db")) as database:
        keys = {
            (stream, number): key for key, stream, number in database.execute("SELECT key, stream, number FROM epochs")
        }
        chunks = defaultdict(list)
        for epoch, *place in database.execute("SELECT epoch, first, n, segment, at FROM chunks ORDER BY first"):
            chunks[epoch].append(place)
    disk, count, wrong = Disk(), 0, []
    for call in calls(trace):
        if not (call.name in SYNCS and call.path.endswith(blind)):
            disk.see(call)
        if not call.path.startswith("TCP") or call.result is not None:
            continue
        for stream, number, following in _ACK.findall(call.content):
            count += int(following) > 0
            for first, n, segment, at in chunks[keys[stream.decode(), int(number)]]:
                n = min(n, int(following) - first)
                path = str(data / "samples" / f"{segment:08d}.seg")
                if n > 0 and disk.kept.get(path, 0) < at + n * WIDTH:
                    wrong.append(f"{stream!r}: {following.decode()}, but {first}+{n} are not kept")
    return count, wrong


@pytest.fixture
def tracer(tmp_path: Path) -> list[str]:
    """The command that traces what follows it."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace on this machine")
    tried = subprocess.run([strace, "-o", os.devnull, sys.executable, "-c", ""], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"strace is not permitted here: {tried.stderr.strip()}")
    return [strace, "-f", "-yy", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-e", "signal=none"]


def test_each_acknowledgement_follows_a_sync_that_covers_its_samples_and_one_that_covers_their_rows(
    tmp_path: Path, demo: ectopy.Recording, tracer: list[str]
) -> None:
    data, trace, log = tmp_path / "data", tmp_path / "trace", tmp_path / "log"
    serve = [sys.executable, "-m", "ectopy", "serve", "--port", "0", "--data", str(data)]
    with log.open("w") as lines:
        process = subprocess.Popen([*tracer, "-o", str(trace), *serve], stderr=lines, cwd=tmp_path)
        try:
            asyncio.run(_load(_address(process, log), demo))
        finally:
            if server := re.search(r"server process \[(\d+)\]", log.read_text()):
                os.kill(int(server[1]), signal.SIGTERM)
            assert process.wait(60) == 0
    count, wrong = unproven(trace, data)
    assert count > 100
    assert not wrong
    for blind in (".seg", "-wal"):  # the proof itself would notice
        assert unproven(trace, data, blind)[1]


async def _load(url: str, demo: ectopy.Recording) -> None:
    ecg = demo.samples[:, 0]
    ward = Ward(
        url,
        [
            ("socket", [Device("alone", ecg, holes=False)]),
            ("gateway", [Device(f"gate-{n}", ecg, holes=False) for n in range(3)]),
            ("frame", [Device("frames", ecg, holes=False)]),
            ("json", [Device("json", ecg, holes=False)]),
        ],
    )
    playing = asyncio.create_task(ward.play())
    await asyncio.sleep(4)
    ward.stop()
    await asyncio.wait_for(playing, 60)
    await Judged(ward).check()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(1200):
        text = log.read_text()
        if "startup complete" in text and (found := re.search(r"http://[\d.:]+", text)):
            return found[0]
        assert process.poll() is None, text
        time.sleep(0.05)
    raise AssertionError(log.read_text())
