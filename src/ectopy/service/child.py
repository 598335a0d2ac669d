"""A process that analyses, so that the service's own never does; started with a `Task` as JSON.

Without a folder it is a worker: requests come in by stdin and answers go out by stdout, each behind a `HEAD`. With one
it is the child of one upload: it says how far it is in lines of JSON, leaves `RESULT` in the folder, and ends. What it
reads came from anybody: limits hold whatever a file does to its decoder.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from errno import ENOSPC
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from ectopy.errors import EctopyError, OutputError
from ectopy.service.limits import MIB, AnalysisLimits, RefusedError, size

HEAD = struct.Struct("<HI")  # status (0 of a request), bytes
UPLOAD, REQUEST, RESULT = "upload", "request.json", "result.json"  # in the folder: files, or samples; the answer
_LONGEST = 1000  # letters of a reason


@dataclass(frozen=True)
class Task:
    """What a process is for.

    model, operating_point : a name, or the folder of a model of one's own; and where it judges
    folder : of one upload; None for a worker
    """

    limits: AnalysisLimits
    model: str
    operating_point: str
    folder: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def naming(self, model: str | None) -> Task:
        """The same for a request that names a model, or none: one that is named judges where most is right.

        Raises
        ------
        RefusedError
            If it isn't installed.
        """
        from ectopy.zoo import BALANCED

        if model is None:
            return self
        if model != self.model:
            check_model(model)
        return replace(self, model=model, operating_point=BALANCED)

    @classmethod
    def from_json(cls, text: str) -> Task:
        fields = json.loads(text)
        return cls(**{**fields, "limits": AnalysisLimits(**fields["limits"])})


def check_model(name: str) -> None:
    """People name installed models; only settings may name a folder.

    Raises
    ------
    RefusedError
        If it isn't installed.
    """
    if name not in _installed():
        raise RefusedError(f"no model {name[:64]!r}; expected one of {', '.join(_installed())}", 422)


@cache
def _installed() -> list[str]:
    from ectopy.zoo import installed

    return installed()


def main() -> None:
    task = Task.from_json(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints belongs to no answer
    os.nice(10)  # live streams go first
    _limit(task)
    if task.folder is None:
        _serve(task, sys.stdin.buffer, answers)
    else:
        _analyse(task, Path(task.folder), answers)


def _limit(task: Task) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if task.folder is not None:  # a worker stays; the service kills it where it answers too late
        resource.setrlimit(resource.RLIMIT_CPU, (task.limits.cpu_s, task.limits.cpu_s + 1))
    if sys.platform == "linux":  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (task.limits.memory_bytes, task.limits.memory_bytes))


def _serve(task: Task, requests: BinaryIO, answers: BinaryIO) -> None:
    from ectopy.analysis import analyze
    from ectopy.service.strips import encode, parse
    from ectopy.zoo import load

    def answer(body: bytes) -> tuple[int, bytes]:
        try:
            recording, named = parse(body)
            chosen = task.naming(named)
            model = load(chosen.model)
            return 200, b"".join(encode(analyze(recording, model=model, operating_point=chosen.operating_point)))
        except Exception as error:
            reason, status = _said(error, task)
            return status, reason.encode()

    with suppress(EctopyError):  # each request will say so
        load(task.model)  # before the first one waits for it
    while head := requests.read(HEAD.size):
        status, body = answer(requests.read(HEAD.unpack(head)[1]))
        answers.write(HEAD.pack(status, len(body)) + body)
        answers.flush()


def _analyse(task: Task, folder: Path, answers: BinaryIO) -> None:
    def tell(**fields: Any) -> None:
        try:
            answers.write(json.dumps(fields).encode() + b"\n")
            answers.flush()
        except BrokenPipeError:
            os._exit(1)  # the service is gone, and nobody waits for the rest

    try:
        _keep(task, folder, lambda share: tell(progress=round(share, 3)))
        tell(done=True)
    except Exception as error:
        reason, status = _said(error, task)
        tell(reason=reason.replace(f"{folder / UPLOAD}{os.sep}", "")[:_LONGEST], status=status)


def _keep(task: Task, folder: Path, progress: Callable[[float], None]) -> None:
    from ectopy.analysis import analyze
    from ectopy.formats import read, record_in
    from ectopy.service.strips import encode, parse

    request, limits = folder / REQUEST, task.limits
    if request.exists():
        recording, named = parse(request.read_bytes())
        task = task.naming(named)
    else:
        sent = sum(file.stat().st_size for file in (folder / UPLOAD).iterdir())
        most = min(limits.upload_bytes, limits.expansion * sent)
        room = max(shutil.disk_usage(folder).free - limits.spare_bytes, 0)
        record = record_in(folder / UPLOAD, most_files=limits.members, most_bytes=most, room=room)
        recording = read(record, remedy="upload it again")
    analysis = analyze(recording, model=task.model, operating_point=task.operating_point, progress=progress)
    _write(folder / RESULT, encode(analysis), limits.spare_bytes)


def _write(path: Path, pieces: Iterable[bytes], spare: int) -> None:
    """Pieces to a new file, while the disk keeps so many bytes free.

    Raises
    ------
    OutputError
        If it has no room for them: nothing of them stays.
    """
    room = 0  # that may be taken before the disk is looked at again
    try:
        with path.open("xb") as file:
            for piece in pieces:
                if len(piece) > room:
                    room = min(shutil.disk_usage(path.parent).free - spare, max(MIB, len(piece)))
                    if len(piece) > room:
                        raise OSError(ENOSPC, f"less than {size(spare)} would be left")
                room -= len(piece)
                file.write(piece)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(f"no room for the result on the service's disk ({error.strerror or error})") from None


def _said(error: Exception, task: Task) -> tuple[str, int]:
    """What the user is told, and the status."""
    if isinstance(error, OutputError):
        return f"{error}; try again later", 503
    if isinstance(error, EctopyError):
        # 404 would say that there is no such address
        return str(error), 422 if error.status == 404 else error.status
    if isinstance(error, MemoryError):
        return f"more than {size(task.limits.memory_bytes)} of memory needed; analyse it in parts", 413
    frames = "".join(traceback.format_tb(error.__traceback__))  # without its message, which may quote the file
    print(f"{frames}{type(error).__name__}", file=sys.stderr, flush=True)
    return "the analysis failed; the service's log says where", 500


if __name__ == "__main__":
    main()
