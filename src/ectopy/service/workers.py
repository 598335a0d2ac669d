"""Processes beside the service: warm workers for strips, started once, and children for files, one each.

A pipe a worker and not a pool of the standard library: that one moves each request through three threads, which wait
for the interpreter while verdicts are due, and one crash breaks all of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from ectopy.errors import BusyError
from ectopy.service.child import HEAD, Task
from ectopy.service.limits import AnalysisLimits, RefusedError

_LATE_S = 60  # a strip takes a second at most
_ALONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


async def spawn(task: Task) -> Process:
    """A process for a task. A session of its own keeps Ctrl-C in a terminal from it: the service ends it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-W", "ignore", "-m", "ectopy.service.child", task.to_json()),
        stdin=DEVNULL if task.folder else PIPE,
        stdout=PIPE,
        env={**os.environ, **_ALONE},
        start_new_session=True,
    )


async def end(process: Process | None) -> None:
    """Kill it, and wait until it is gone."""
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Workers:
    """Strips, each to the worker that is free; in the order in which they came."""

    def __init__(self, limits: AnalysisLimits, task: Task):
        self._room = limits.workers + limits.waiting
        self._workers = [_Worker(task) for _ in range(limits.workers)]
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        self.taken = 0  # strips at work or waiting

    async def start(self) -> None:
        for worker in self._workers:
            await worker.start()
            self._free.put_nowait(worker)

    async def stop(self) -> None:
        for worker in self._workers:
            await end(worker.process)

    async def analyze(self, body: bytes) -> bytes:
        """From an `AnalysisRequest` to an `AnalysisOut`.

        Raises
        ------
        BusyError
            If too many wait.
        RefusedError
            What the worker says, or that it broke off.
        """
        if self.taken >= self._room:
            raise BusyError(f"{self.taken} analyses are under way; send it again in a second")
        self.taken += 1
        try:
            worker = await self._free.get()
            try:
                return await worker.analyze(body)
            finally:
                self._free.put_nowait(worker)
        finally:
            self.taken -= 1


class _Worker:
    def __init__(self, task: Task):
        self.task = task
        self.process: Process | None = None

    async def start(self) -> Process:
        self.process = await spawn(self.task)
        return self.process

    async def analyze(self, body: bytes) -> bytes:
        process = self.process
        if process is None or process.returncode is not None:
            process = await self.start()
        try:
            async with asyncio.timeout(_LATE_S):
                status, answer = await _ask(process, body)
        except BaseException as error:  # it may be within an answer: the next one gets a new process
            await end(process)
            if isinstance(error, (TimeoutError, OSError, asyncio.IncompleteReadError)):
                raise RefusedError(
                    "the analysis broke off; should it do so again, see the service's log", 500
                ) from None
            raise
        if status != 200:
            raise RefusedError(answer.decode(), status)
        return answer


async def _ask(process: Process, body: bytes) -> tuple[int, bytes]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(HEAD.pack(0, len(body)))
    process.stdin.write(body)
    await process.stdin.drain()
    status, size = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
    return status, await process.stdout.readexactly(size)
