"""A service that is started again and again on the same data, and killed wherever a test says.

Run as a program it is the launcher: everything is imported once, then each life is a child of its own, the real
server on a loopback port, so that three hundred of them take minutes. Faults are put in from here: the service itself
knows nothing of them.
"""

from __future__ import annotations

import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import httpx

Step = Callable[..., None]  # come to; given what is done first where something happens


@dataclass(frozen=True)
class Fault:
    """What happens at a step of the store.

    step : one of STEPS
    at : it happens when the step is come to for the `at`-th time
    what : the process dies, or the step fails as on a full disk, `times` times, or hangs for 2 s each time
    """

    step: str
    at: int = 1
    what: Literal["die", "fail", "hang"] = "die"
    times: int = 1


class Lives:
    """One life after the other.

    Parameters
    ----------
    data : the service's folder; its log lies in there too
    settings : fields of `Settings`
    """

    def __init__(self, data: Path, **settings: object):
        self.data = data
        self.settings: dict[str, object] = {"port": _free_port(), **settings}
        self.url = f"http://127.0.0.1:{self.settings['port']}"
        self._log = (data / "log").open("a")
        self._launcher: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=data,
            text=True,
            bufsize=1,
        )
        assert self._launcher.stdin and self._launcher.stdout
        self._orders, self._answers = self._launcher.stdin, self._launcher.stdout
        self.pid: int | None = None

    def __enter__(self) -> Lives:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._orders.close()
        self._launcher.wait(30)
        self._answers.close()
        self._log.close()

    def begin(self, fault: Fault | None = None, **settings: object) -> None:
        """The next life; `settings` are of this one only. It may not be ready yet."""
        assert self.pid is None
        order = {"settings": {**self.settings, "data": str(self.data), **settings}}
        print(json.dumps({**order, "fault": asdict(fault) if fault else None}), file=self._orders)
        self.pid = self._answer(60)

    def ready(self, timeout: float = 60) -> float:
        """Wait until it is; how many seconds that took."""
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return time.monotonic() - began
            except httpx.TransportError:
                time.sleep(0.005)
                if select.select([self._answers], [], [], 0)[0]:
                    break
        raise AssertionError(self.log())

    def survives(self) -> bool:
        """Whether it comes to be ready; its end is waited for if not."""
        try:
            self.ready()
        except AssertionError:
            assert self.ended() == -signal.SIGKILL, self.log()
            return False
        return True

    def stop(self) -> tuple[int, float]:
        """Tell it to stop; its exit code, and how many seconds it took."""
        assert self.pid is not None
        began = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        return self.ended(), time.monotonic() - began

    def kill(self) -> None:
        """kill -9, wherever it is."""
        if self.pid is not None:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(self.pid, signal.SIGKILL)
            self.ended()

    def ended(self, timeout: float = 60) -> int:
        """Wait for the end of this life; its exit code, or minus the signal that ended it."""
        code = self._answer(timeout)
        self.pid = None
        return code

    def log(self) -> str:
        return (self.data / "log").read_text()

    def free(self, n_bytes: int | None) -> None:
        """Have the disk seem to have so much room; None, as much as it has."""
        _free_of(self.data).unlink(missing_ok=True)
        if n_bytes is not None:
            _free_of(self.data).write_text(str(n_bytes))

    def set_clock(self, seconds: float) -> None:
        """Have the clock be so far ahead of what it is, or behind."""
        whole = self.data / "clock.part"
        whole.write_text(str(seconds))
        whole.replace(_clock_of(self.data))

    def _answer(self, timeout: float) -> int:
        if not select.select([self._answers], [], [], timeout)[0]:
            raise AssertionError(f"nothing for {timeout} s\n{self.log()}")
        line = self._answers.readline()
        assert line, self.log()
        return int(line)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _free_of(data: Path) -> Path:
    return data / "free"


def _clock_of(data: Path) -> Path:
    return data / "clock"


# The launcher: steps of the store, and what a fault does there.


def _segment_call(name: str, half: bool = False) -> Callable[[Step], None]:
    """A step before a call of the operating system in `segments`, or within it."""

    def put(step: Step) -> None:
        from ectopy.service import segments

        call = getattr(os, name)

        def stepped(file: int, *content: memoryview) -> Any:
            step(lambda: os.write(file, content[0][: len(content[0]) // 2]) if half else None)
            return call(file, *content)

        own = {known: getattr(os, known) for known in dir(os)}
        vars(segments)["os"] = SimpleNamespace(**{**own, name: stepped})

    return put


def _commit(step: Step) -> None:
    from sqlalchemy import Engine, event

    def stepped(_: object) -> None:
        if threading.current_thread().name == "store":
            step()

    event.listen(Engine, "commit", stepped)


def _schema(step: Step) -> None:
    from sqlalchemy import Engine, event

    def stepped(*_: object) -> None:
        if threading.current_thread().name != "store":
            step()

    event.listen(Engine, "after_cursor_execute", stepped)


def _around(owner: str, name: str, when: Literal["before", "after"]) -> Callable[[Step], None]:
    """A step before or after a method: `module:Class`, `method`."""

    def put(step: Step) -> None:
        from importlib import import_module

        module, _, class_ = owner.partition(":")
        kind = getattr(import_module(module), class_)
        method = getattr(kind, name)

        def stepped(*given: Any, **named: Any) -> Any:
            if when == "before":
                step()
            result = method(*given, **named)
            if when == "after":
                step()
            return result

        setattr(kind, name, stepped)

    return put


def _snapshot_half(step: Step) -> None:
    write = Path.write_bytes

    def stepped(self: Path, content: bytes) -> int:
        if self.suffix == ".part":
            step(lambda: write(self, content[: len(content) // 2]))
        return write(self, content)

    Path.write_bytes = stepped  # type: ignore[method-assign,assignment]


def _snapshot_move(step: Step) -> None:
    replace = Path.replace

    def stepped(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            step()
        return replace(self, target)

    Path.replace = stepped  # type: ignore[method-assign,assignment]


_SEGMENTS = "ectopy.service.segments:Segments"
_STORE, _SNAPSHOTS = "ectopy.service.store:Store", "ectopy.service.snapshots:Snapshots"
_STREAMS = "ectopy.service.streams:Streams"

STEPS: dict[str, Callable[[Step], None]] = {
    "the database's schema is half made": _schema,
    "nothing is written yet": _around(_SEGMENTS, "append", "before"),
    "a segment is begun": _segment_call("fsync"),
    "half of the samples are written": _segment_call("write", half=True),
    "samples are written, not synced": _segment_call("fdatasync"),
    "samples are synced, without rows": _around(_SEGMENTS, "append", "after"),
    "rows are written, not committed": _commit,
    "rows are committed, without the snapshot": _around(_SNAPSHOTS, "write", "before"),
    "half of the snapshot is written": _snapshot_half,
    "the snapshot is not in its place": _snapshot_move,
    "the snapshot is in its place": _around(_SNAPSHOTS, "write", "after"),
    "an epoch is judged, its snapshot is still there": _around(_SNAPSHOTS, "drop", "before"),
    "all is kept, and nobody told": _around(_STORE, "_write", "after"),
    "all are told": _around(_STREAMS, "_told", "after"),
    "verdicts are given, not kept": _around(_STREAMS, "_turned", "before"),
}

RARE = {"a segment is begun": 2, "an epoch is judged, its snapshot is still there": 1}  # come to so often only


def _live(order: dict[str, Any]) -> None:
    """A life, in the child."""
    from ectopy.service.server import bind, serve
    from ectopy.service.settings import load_settings

    if order["fault"]:
        fault, come = Fault(**order["fault"]), iter(range(1, sys.maxsize))

        def step(first: Callable[[], object] = lambda: None) -> None:
            if not fault.at <= next(come) < fault.at + fault.times:
                return
            first()
            if fault.what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if fault.what == "hang":
                time.sleep(2)
                return
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        STEPS[fault.step](step)
    settings = load_settings(**order["settings"])
    usage, free = shutil.disk_usage, _free_of(settings.data)

    def disk_usage(path: Any) -> Any:
        found = usage(path)
        return found._replace(free=int(free.read_text())) if free.exists() else found

    shutil.disk_usage = disk_usage
    clock = _clock_of(settings.data)
    if clock.exists():
        time_s, time_ns = time.time, time.time_ns
        time.time = lambda: time_s() + float(clock.read_text())
        time.time_ns = lambda: time_ns() + int(float(clock.read_text()) * 1e9)
    serve(settings, bind(settings))


def _launch() -> None:
    import alembic.command  # noqa: F401  # once for all lives

    import ectopy.service.server  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            os.dup2(2, 1)  # stdout is the launcher's own
            try:
                _live(json.loads(line))
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _launch()
