"""What people say of a stream's beats."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from ectopy.service.routes._common import After, EpochNumber, Limit, StreamId, StreamsDep, epoch_of, problems
from ectopy.service.rows import AnnotationRow, utc
from ectopy.wire import Annotate, AnnotationOut, AnnotationsOut

router = APIRouter(prefix="/v1/streams", tags=["annotations"])


@router.post("/{stream_id}/annotations", status_code=201, responses=problems(400, 404, 429, 503))
async def annotate(stream_id: StreamId, said: Annotate, streams: StreamsDep) -> AnnotationOut:
    """Say of which class a beat is. Verdicts stay as they were given; nothing said is changed or removed, and the
    newest of a sample holds."""
    epoch = await epoch_of(streams, stream_id, said.epoch)
    return _told(await streams.annotate(epoch, said), stream_id, epoch.number)


@router.get("/{stream_id}/annotations", responses=problems(404))
async def list_annotations(
    stream_id: StreamId, streams: StreamsDep, epoch: EpochNumber = None, after: After = 0, limit: Limit = 100
) -> AnnotationsOut:
    """What was said, in that order."""
    streams.live(stream_id)
    rows = await asyncio.to_thread(streams.reader.epochs, stream_id)
    numbers = {row.key: row.number for row in rows if epoch in (None, row.number)}
    found = await asyncio.to_thread(streams.reader.annotations, [*numbers], after=after, limit=limit)
    following = found[-1].id if len(found) == limit else None
    return AnnotationsOut(items=[_told(row, stream_id, numbers[row.epoch]) for row in found], next=following)


def _told(row: AnnotationRow, stream: str, epoch: int) -> AnnotationOut:
    return AnnotationOut(
        id=row.id,
        stream=stream,
        epoch=epoch,
        sample=row.sample,
        aami=row.aami,
        replaced=row.replaced,
        author=row.author,
        note=row.note,
        at=utc(row.at_us),
    )
