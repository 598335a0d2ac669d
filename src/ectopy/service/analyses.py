"""Analyses asked for over the API: strips go to `Workers`, files become jobs, each with a folder and a child."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal
from uuid import uuid4

from ectopy.errors import BusyError, RecordError
from ectopy.service.child import REQUEST, RESULT, UPLOAD, Task
from ectopy.service.limits import AnalysisLimits, RefusedError
from ectopy.service.workers import Workers, end, spawn

_log = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(eq=False)
class Job:
    """One upload.

    folder : of its own; holds the files until they are analysed, and then the result
    progress : share done, 0 to 1
    reason, status : why there is no result
    """

    folder: Path
    id: str = field(default_factory=lambda: uuid4().hex)
    state: State = "waiting"
    progress: float = 0.0
    reason: str | None = None
    status: int = 200
    work: asyncio.Task[None] | None = None

    def open_result(self) -> BinaryIO:
        """Of a job that is done: an `AnalysisOut` as JSON. It can be read even if the job is dropped meanwhile."""
        return (self.folder / RESULT).open("rb")

    @property
    def ended(self) -> bool:
        return self.state not in ("waiting", "running")


class Analyses:
    """All that is analysed beside the streams.

    limits : of them
    model, operating_point : where a request names no model
    folder : for uploads and results; emptied at the start of what a crash left. A temporary one if not given
    """

    def __init__(
        self, limits: AnalysisLimits, model: str, operating_point: str = "balanced", folder: Path | None = None
    ):
        self.limits = limits
        self.model = model
        self._task = Task(limits, model, operating_point)
        self._given = folder
        self._workers = Workers(limits, self._task)
        self._children = asyncio.Semaphore(limits.workers)
        self._jobs: dict[str, Job] = {}  # in the order in which they came

    async def start(self) -> None:
        if self._given is not None:
            shutil.rmtree(self._given, ignore_errors=True)
            self._given.mkdir(parents=True)
        self._folder = self._given or Path(tempfile.mkdtemp(prefix="ectopy-"))
        await self._workers.start()

    async def stop(self) -> None:
        for job in [*self._jobs.values()]:
            await self.drop(job)
        await self._workers.stop()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def strip(self, body: bytes) -> bytes:
        """From an `AnalysisRequest` to an `AnalysisOut`, both JSON; see `Workers.analyze`."""
        return await self._workers.analyze(body)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Job]:
        """A job with an empty folder for what comes in; `begin` follows. It is dropped where that fails.

        Raises
        ------
        BusyError
            If too many wait.
        """
        under_way = sum(not job.ended for job in self._jobs.values())
        if under_way >= self.limits.workers + self.limits.waiting:
            raise BusyError(f"{under_way} files are being analysed; send it again in half a minute", retry_after_s=30)
        job = Job(self._folder)
        job.folder /= job.id
        (job.folder / UPLOAD).mkdir(parents=True)
        self._jobs[job.id] = job
        try:
            yield job
        except BaseException:
            await self.drop(job)
            raise

    def begin(self, job: Job, model: str | None = None) -> asyncio.Task[None]:
        """Let a child analyse what lies in its folder, once one may; the task ends with the job.

        Raises
        ------
        RefusedError
            If there is no such model.
        """
        task = replace(self._task.naming(model), folder=str(job.folder))
        job.work = asyncio.create_task(self._work(job, task))
        return job.work

    def find(self, job_id: str) -> Job:
        """Raises RecordError if there is none of this id, or no more."""
        if job_id not in self._jobs:
            minutes = self.limits.kept_s / 60
            raise RecordError(f"no analysis {job_id[:64]!r}; it was taken or cancelled, or ended {minutes:.0f} min ago")
        return self._jobs[job_id]

    async def drop(self, job: Job) -> None:
        """Cancel it, where it hasn't ended, and forget it with all that it left."""
        self._jobs.pop(job.id, None)
        if job.work and not job.work.done():
            job.work.cancel()
            await asyncio.wait([job.work])
        if not job.ended:
            job.state, job.reason, job.status = "cancelled", "cancelled before its end", 503
        await asyncio.to_thread(shutil.rmtree, job.folder, ignore_errors=True)

    async def _work(self, job: Job, task: Task) -> None:
        try:
            async with self._children:
                job.state = "running"
                await self._run(job, task)
            job.state, job.progress = "done", 1.0
        except RefusedError as refusal:
            job.state, job.reason, job.status = "failed", str(refusal), refusal.status
        except Exception:  # no process, or no memory for one
            _log.exception("an analysis could not be run")
            job.state, job.reason, job.status = "failed", "the service can't run the analysis; try again later", 500
        await asyncio.to_thread(_clear, job.folder)
        self._keep(job)

    async def _run(self, job: Job, task: Task) -> None:
        """Raises RefusedError if the child says so, or does not end well."""
        process = await spawn(task)
        try:
            assert process.stdout is not None
            last: dict[str, Any] = {}
            while line := await process.stdout.readline():
                last = json.loads(line)
                job.progress = float(last.get("progress", job.progress))
            code = await process.wait()
            if "reason" in last:
                raise RefusedError(str(last["reason"]), int(last["status"]))
            if code or not (job.folder / RESULT).is_file():
                raise RefusedError(*_broken_off(code, self.limits))
        except (ValueError, TypeError, KeyError, AttributeError):  # these lines are not from its code
            raise RefusedError(
                "the analysis lost its way, and was ended; the file is damaged, or Ectopy is", 500
            ) from None
        finally:
            await end(process)

    def _keep(self, job: Job) -> None:
        """For a while, and not too many."""
        ended = [job for job in self._jobs.values() if job.ended]
        for old in ended[: max(0, len(ended) - self.limits.kept)]:
            self._forget(old)
        asyncio.get_running_loop().call_later(self.limits.kept_s, self._forget, job)

    def _forget(self, job: Job) -> None:
        if self._jobs.pop(job.id, None):
            asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, job.folder, True)


def _clear(folder: Path) -> None:
    """Leave the result alone."""
    shutil.rmtree(folder / UPLOAD, ignore_errors=True)
    (folder / REQUEST).unlink(missing_ok=True)


def _broken_off(code: int, limits: AnalysisLimits) -> tuple[str, int]:
    """Reason and status for a child that ended without a word."""
    if code == -signal.SIGXCPU:
        return f"more than {limits.cpu_s} s of processor time needed; analyse it in parts", 413
    if code == -signal.SIGKILL:
        return "the analysis was killed, perhaps for want of memory; try again later, or in parts", 500
    return f"the analysis broke off (it ended with {code}); the file is damaged, or shows a fault of Ectopy", 500
