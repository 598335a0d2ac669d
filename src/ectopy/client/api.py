"""`Client`: the service's routes as typed calls."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from ectopy.client.alarms import AlarmCalls
from ectopy.client.annotations import AnnotationCalls
from ectopy.client.answers import refusal
from ectopy.client.calls import given, json_of, path_of
from ectopy.client.events import events
from ectopy.client.watching import Feed, Watched
from ectopy.client.writer import Writer
from ectopy.errors import EctopyError, RecordError, ServiceError, SignalError
from ectopy.verdict import Word
from ectopy.wire import (
    ID,
    Ack,
    AlarmOut,
    AnalysisOut,
    AnalysisRequest,
    BeatOut,
    Beats,
    Choice,
    Chunk,
    End,
    Epoch,
    EpochRequest,
    Gap,
    Job,
    ModelOut,
    RebuiltOut,
    Samples,
    Stream,
    Ticket,
    VerdictOut,
    Verdicts,
    What,
    pack,
)

_EPOCHS = TypeAdapter(list[Epoch])
_GAPS = TypeAdapter(list[Gap])
_MODELS = TypeAdapter(list[ModelOut])
_STREAMS = TypeAdapter(list[Stream])

_PAGE_SAMPLES = 50_000
_POLL_S = 0.5


class Client(AlarmCalls, AnnotationCalls):
    """A service at a URL, as http://127.0.0.1:8700.

    Each call raises the `EctopyError` of the status that the service answers, with its reason, and `ServiceError`
    where there is no service. Nothing is tried twice, but by `writer`, `watch` and `events`.
    """

    def writer(self, stream: str, request: EpochRequest, *, say: Callable[[str], None] | None = None) -> Writer:
        """For a device: `async with` opens an epoch, and closes the one before. `say` is told of outages in a line.

        Raises
        ------
        SignalError
            If `stream` is no id.
        """
        if not re.fullmatch(ID, stream):
            raise SignalError(f"stream '{stream}': expected up to 64 letters, digits, '.', '_' and '-', as bed-7")
        return Writer(self, stream, request, say)

    def watch(
        self,
        stream: str,
        what: Sequence[What] = ("verdicts", "samples"),
        *,
        epoch: int | None = None,
        after: int | None = None,
    ) -> AsyncGenerator[Watched, None]:
        """What a stream says from now on: verdicts, findings, changes of its alarms, chunks of samples, gaps; goes on
        over outages.

        After an outage, or where this watcher was too slow (`Skipped`), the verdicts, findings and changes of alarms
        that it missed come first, those named first in `what` before the others; of each kind, each comes once, in
        order. Samples that it missed do not come: `samples` has them.

        epoch : this one only, its verdicts, findings and alarms from the first on, and with them earlier alarms that
            are still on; no alarms without an epoch, as `stream silent`
        after : id of a verdict: those behind it come first; if neither is given, the newest there is
        """
        return Feed(self, stream, what, epoch, after).messages()

    def events(self, after: tuple[int, int] | None = None) -> AsyncGenerator[VerdictOut | AlarmOut, None]:
        """Verdicts and changes of alarms of all streams; each once, over outages.

        after : id of a verdict and `change` of an alarm: those behind them come first; if left out, only new ones come
        """
        return events(self._http, after)

    async def open_epoch(self, stream: str, request: EpochRequest) -> Epoch:
        """Begin a run of a device; makes the stream where it is new, and ends the run before."""
        return await self._ask(Epoch.model_validate_json, "POST", path_of(stream, "epochs"), **json_of(request))

    async def epochs(self, stream: str) -> list[Epoch]:
        """The oldest first."""
        found = await self._ask(_EPOCHS.validate_json, "GET", path_of(stream, "epochs"))
        return sorted(found, key=lambda epoch: epoch.epoch)

    async def streams(self, *, after: str | None = None, limit: int | None = None) -> list[Stream]:
        """Streams by id, a page of them: behind `after`, `limit` at most."""
        return await self._ask(_STREAMS.validate_json, "GET", "/v1/streams", params=given(after=after, limit=limit))

    async def stream(self, stream: str) -> Stream:
        return await self._ask(Stream.model_validate_json, "GET", path_of(stream))

    async def choose(self, stream: str, choice: Choice) -> Stream:
        """What judges the stream from its next epoch on."""
        return await self._ask(Stream.model_validate_json, "PUT", path_of(stream, "choice"), **json_of(choice))

    async def offset(self, stream: str, epoch: int | None = None) -> Ack:
        """Where to go on with an epoch, the newest if none is named."""
        params = given(epoch=epoch)
        return await self._ask(Ack.model_validate_json, "GET", path_of(stream, "offset"), params=params)

    async def rebuilt(self, stream: str, epoch: int, sample: int) -> RebuiltOut:
        """A beat, and the same as an autoencoder rebuilds it."""
        params = {"epoch": epoch, "sample": sample}
        return await self._ask(RebuiltOut.model_validate_json, "GET", path_of(stream, "rebuilt"), params=params)

    async def push(self, stream: str, samples: Chunk | Samples) -> Ack:
        """Samples by HTTP, on disk once it returns; without `first` they go behind all that has come, and sending
        them twice puts them there twice."""
        if isinstance(samples, Chunk):
            body: dict[str, Any] = {"content": pack([samples]), "headers": {"Content-Type": "application/octet-stream"}}
        else:
            body = json_of(samples) | ({"params": {"append": "true"}} if samples.first is None else {})
        return await self._ask(Ack.model_validate_json, "POST", path_of(stream, "samples"), **body)

    async def samples(
        self, stream: str, epoch: int | None = None, first: int = 0, n: int | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """What is on disk of an epoch, the newest if none is named, in its stored form; gaps come as missing."""
        if epoch is None:
            epoch = (await self.offset(stream)).epoch
        end = math.inf if n is None else first + n
        while first < end:
            params = {"epoch": epoch, "first": first, "n": int(min(end - first, _PAGE_SAMPLES))}
            response = await self._request("GET", path_of(stream, "samples"), params=params)
            try:
                begin, count = (int(response.headers[name]) for name in ("Ectopy-First", "Ectopy-N"))
            except (KeyError, ValueError):
                raise ServiceError(f"{response.request.url}: no samples; is this an Ectopy service?") from None
            if not count:
                return
            yield Chunk(stream, epoch, begin, count, response.content)
            first = begin + count

    def verdicts(
        self,
        stream: str,
        epoch: int | None = None,
        *,
        after: int | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
        verdict: Word | None = None,
    ) -> AsyncGenerator[VerdictOut, None]:
        """Those that are kept, by their ids; of all epochs if none is named, of one word only if one is."""
        wanted: dict[str, Any] = {"epoch": epoch, "start_s": start_s, "end_s": end_s, "verdict": verdict}
        return self._pages(Verdicts.model_validate_json, path_of(stream, "verdicts"), after=after, **wanted)

    def beats(
        self, stream: str, epoch: int | None = None, *, start_s: float | None = None, end_s: float | None = None
    ) -> AsyncGenerator[BeatOut, None]:
        """Those of the verdicts that are kept."""
        path = path_of(stream, "beats")
        return self._pages(Beats.model_validate_json, path, epoch=epoch, start_s=start_s, end_s=end_s)

    async def gaps(self, stream: str, epoch: int | None = None) -> list[Gap]:
        return await self._ask(_GAPS.validate_json, "GET", path_of(stream, "gaps"), params=given(epoch=epoch))

    async def declare(self, stream: str, gap: Gap) -> Ack:
        """Samples that will not come."""
        return await self._ask(Ack.model_validate_json, "POST", path_of(stream, "gaps"), **json_of(gap))

    async def end(self, stream: str, epoch: int, n: int) -> Epoch:
        """The run is over after `n` samples; the verdicts still owed are given."""
        return await self._ask(
            Epoch.model_validate_json, "POST", path_of(stream, "end"), **json_of(End(epoch=epoch, n=n))
        )

    async def analyze(
        self,
        source: AnalysisRequest | Path | Sequence[Path],
        *,
        model: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> AnalysisOut:
        """Samples, or a file with those that belong to it (a WFDB header and its signals).

        model : that judges a file; a request names its own
        progress : called with the share done, 0 to 1, where it takes long
        """
        if isinstance(source, AnalysisRequest):
            response = await self._request("POST", "/v1/analyze", **json_of(source))
        else:
            paths = [source] if isinstance(source, Path) else source
            with ExitStack() as files:
                parts = [("file", (path.name, files.enter_context(_readable(path)))) for path in paths]
                response = await self._request("POST", "/v1/analyze", files=parts, data=given(model=model))
        if response.status_code != 202:
            return self._read(AnalysisOut.model_validate_json, response)
        return await self._result(self._read(Job.model_validate_json, response), progress)

    async def job(self, job: str) -> Job:
        """How far a long analysis is."""
        return await self._ask(Job.model_validate_json, "GET", f"/v1/jobs/{quote(job, safe='')}")

    async def cancel(self, job: str) -> None:
        await self._request("DELETE", f"/v1/jobs/{quote(job, safe='')}")

    async def models(self) -> list[ModelOut]:
        return await self._ask(_MODELS.validate_json, "GET", "/v1/models")

    async def ticket(self) -> Ticket:
        """For a browser's WebSocket."""
        return await self._ask(Ticket.model_validate_json, "POST", "/v1/tickets")

    async def _result(self, job: Job, progress: Callable[[float], None] | None) -> AnalysisOut:
        """What a job comes to; it is cancelled where waiting is."""
        try:
            while job.state in ("waiting", "running"):
                await asyncio.sleep(_POLL_S)
                job = await self.job(job.id)
                if progress:
                    progress(job.progress)
        except asyncio.CancelledError:
            with suppress(EctopyError, TimeoutError):  # then it ends by itself
                await asyncio.wait_for(self.cancel(job.id), 2.0)
            raise
        if job.result is None:
            raise refusal(400, job.reason or f"{self.url}: the analysis was {job.state}")
        return job.result


def _readable(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise RecordError(f"{path}: can't be read ({error.strerror}); expected a recording's file") from None
