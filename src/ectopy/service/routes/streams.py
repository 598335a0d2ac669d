"""Streams, their epochs, samples and gaps."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from ectopy.errors import ConflictError, FrameError, SignalError
from ectopy.service.bodies import MAX_BODY
from ectopy.service.child import check_model
from ectopy.service.live import Live, gap_of
from ectopy.service.routes._common import StreamId, StreamsDep, epoch_of, problems
from ectopy.service.streams import Streams
from ectopy.service.uploads import body
from ectopy.wire import Ack, Choice, Chunk, End, Epoch, EpochRequest, Gap, Samples, Stream, unpack

_MOST = 16 * 1024 * 1024  # bytes of samples in one answer
_STREAMS = 10_000  # on a page
_BINARY = "application/octet-stream"

router = APIRouter(prefix="/v1/streams", tags=["streams"])

_BODIES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": Samples.model_json_schema(),
                "example": {"epoch": 1, "first": 0, "samples": [0.01, None, 0.02]},
            },
            _BINARY: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_RAW: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}},
        "description": "In the epoch's stored form; gaps come as missing",
    }
}
EpochOrNewest = Annotated[int | None, Query(ge=1, lt=2**31, description="The newest if left out")]


@router.get("")
async def list_streams(
    streams: StreamsDep,
    after: Annotated[str, Query(max_length=64, description="Id of the last one seen: the page begins behind it")] = "",
    limit: Annotated[int, Query(ge=1, le=_STREAMS, description="How many on a page")] = _STREAMS,
) -> list[Stream]:
    """Streams by id."""
    return streams.page(after, limit)


@router.get("/{stream_id}", responses=problems(404))
async def get_stream(stream_id: StreamId, streams: StreamsDep) -> Stream:
    """One stream, with its newest epoch."""
    return streams.stream(stream_id)


@router.put("/{stream_id}/choice", responses=problems(400, 404, 429, 503))
async def choose(stream_id: StreamId, choice: Choice, streams: StreamsDep) -> Stream:
    """What judges the stream from its next epoch on; the epoch that runs keeps what judges it."""
    if choice.model is not None:
        check_model(choice.model)
    return await streams.choose(stream_id, choice)


@router.post("/{stream_id}/epochs", status_code=201, responses=problems(400, 429, 503))
async def begin_epoch(stream_id: StreamId, request: EpochRequest, streams: StreamsDep) -> Epoch:
    """A run of the device begins: the server gives it a number, its samples count from 0. One that runs is ended."""
    return await streams.begin(stream_id, request)


@router.get("/{stream_id}/epochs", responses=problems(404))
async def list_epochs(stream_id: StreamId, streams: StreamsDep) -> list[Epoch]:
    """Every run of the device, the oldest first."""
    newest = streams.live(stream_id)
    rows = await asyncio.to_thread(streams.reader.epochs, stream_id)
    return [
        streams.told(newest) if row.key == newest.epoch.key else await asyncio.to_thread(streams.past, row)
        for row in rows
    ]


@router.get("/{stream_id}/offset", responses=problems(404))
async def get_offset(stream_id: StreamId, streams: StreamsDep, epoch: EpochOrNewest = None) -> Ack:
    """Where to go on: the sample index that is wanted next."""
    row = await epoch_of(streams, stream_id, epoch)
    live = streams.live(stream_id)
    if row.key == live.epoch.key:
        return live.ack()
    end = await asyncio.to_thread(streams.reader.end, row.key)
    return Ack(stream=stream_id, epoch=row.number, next=end, credit=0)


@router.post("/{stream_id}/samples", responses=problems(400, 404, 408, 409, 413, 415, 429, 503), openapi_extra=_BODIES)
async def push_samples(
    stream_id: StreamId,
    request: Request,
    streams: StreamsDep,
    append: Annotated[
        bool, Query(description="JSON without `first`: put behind all that has come; not idempotent")
    ] = False,
) -> Ack:
    """Add samples, as JSON or as one binary frame. The answer comes when they are on disk, and names the next sample
    index wanted: all before it is kept, and a chunk that is sent again changes nothing."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = b"".join([piece async for piece in body(request, MAX_BODY)])
    if kind == _BINARY:
        chunks = unpack(content)
        if any(chunk.stream not in ("", stream_id) for chunk in chunks):
            raise FrameError(f"a chunk of another stream than '{stream_id}'; a gateway's socket takes them")
        if len({chunk.epoch for chunk in chunks}) != 1:
            raise FrameError("expected a frame with chunks of one epoch")
        live = streams.live(stream_id, chunks[0].epoch)
        return await _offered(streams, live, chunks)
    if kind not in ("application/json", ""):
        raise SignalError(f"content type '{kind}'; expected application/json or {_BINARY}")
    samples = Samples.model_validate_json(content)
    live = streams.live(stream_id, samples.epoch)
    if (samples.first is None) != append:
        raise SignalError("samples need 'first', or append=true and no 'first'")
    first = live.log.reach if samples.first is None else samples.first
    stored = live.epoch.form.encode_values(samples.samples)
    return await _offered(streams, live, [Chunk("", samples.epoch, first, len(samples.samples), stored)])


@router.get("/{stream_id}/samples", response_class=Response, responses={**_RAW, **problems(404, 422)})
async def get_samples(
    stream_id: StreamId,
    streams: StreamsDep,
    epoch: EpochOrNewest = None,
    first: Annotated[int, Query(ge=0, lt=2**53)] = 0,
    n: Annotated[int, Query(ge=0, lt=2**53)] = 36_000,
) -> Response:
    """Samples as they are stored, from `first` on, 16 MiB at most; `Ectopy-First` and `Ectopy-N` say which."""
    row = await epoch_of(streams, stream_id, epoch)
    end = await asyncio.to_thread(streams.reader.end, row.key)
    n = max(min(n, end - first, _MOST // row.form.width), 0)
    content = await asyncio.to_thread(streams.reader.stored, row, first, n)
    return Response(content, media_type=_BINARY, headers={"Ectopy-First": str(first), "Ectopy-N": str(n)})


@router.post("/{stream_id}/gaps", responses=problems(400, 404, 409, 429, 503))
async def declare_gap(stream_id: StreamId, gap: Gap, streams: StreamsDep) -> Ack:
    """Samples that will not come: nobody waits for them, and they are never judged."""
    live = _named(streams, stream_id, gap)
    kept = streams.intake.declare(live, gap.first, gap.n)
    if kept is not None:
        await kept
    return live.ack()


@router.get("/{stream_id}/gaps", responses=problems(404))
async def list_gaps(stream_id: StreamId, streams: StreamsDep, epoch: EpochOrNewest = None) -> list[Gap]:
    """The gaps of an epoch, in order."""
    row = await epoch_of(streams, stream_id, epoch)
    return [gap_of(row, gap) for gap in await asyncio.to_thread(streams.reader.gaps, row.key)]


@router.post("/{stream_id}/end", responses=problems(400, 404, 409, 429, 503))
async def end_epoch(stream_id: StreamId, end: End, streams: StreamsDep) -> Epoch:
    """The run is over after `n` samples; the intervals still owed are given."""
    live = _named(streams, stream_id, end)
    await streams.intake.end(live, end.n)
    return streams.told(live)


def _named(streams: Streams, name: str, said: Gap | End) -> Live:
    if said.stream not in (None, name):
        raise ConflictError(f"the path names stream '{name}', the body '{said.stream}'; leave it out there")
    return streams.live(name, said.epoch)


async def _offered(streams: Streams, live: Live, chunks: list[Chunk]) -> Ack:
    for chunk in chunks:
        kept = await streams.intake.offer(live, chunk)
        if kept is not None:
            await kept
    return live.ack()
