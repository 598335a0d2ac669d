"""A beat beside what an autoencoder makes of it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from ectopy.analysis import AFTER_S, LEARNED_S, Rebuilt, rebuilt
from ectopy.errors import RecordError
from ectopy.service.reading import Reader
from ectopy.service.routes._common import StreamId, StreamsDep, epoch_of, problems
from ectopy.service.rows import EpochRow
from ectopy.wire import RebuiltOut

router = APIRouter(prefix="/v1/streams", tags=["verdicts"])
_one_by_one = asyncio.Semaphore(1)  # each takes some 10 ms, which verdicts should not wait for in a row


@router.get("/{stream_id}/rebuilt", responses=problems(404))
async def get_rebuilt(
    stream_id: StreamId,
    streams: StreamsDep,
    epoch: Annotated[int, Query(ge=1, lt=2**31)],
    sample: Annotated[int, Query(ge=0, lt=2**53, description="Of a beat, as its verdict has it")],
) -> RebuiltOut:
    """Where a beat is unlike a normal one of this patient, whose usual beat is learned from the minute before it."""
    row = await epoch_of(streams, stream_id, epoch)
    async with _one_by_one:
        first, found = await asyncio.to_thread(_rebuilt, streams.reader, row, sample)
    return RebuiltOut(
        stream=stream_id,
        epoch=epoch,
        sample=first + found.sample,
        lead=found.lead,
        model=found.model,
        anomaly=found.anomaly,
        beat=found.beat.tolist(),
        rebuilt=found.rebuilt.tolist(),
    )


def _rebuilt(reader: Reader, epoch: EpochRow, sample: int) -> tuple[int, Rebuilt]:
    """The sample that the stretch begins with, and the beat in it."""
    first = max(sample - round(LEARNED_S * epoch.fs), 0)
    stored = reader.stored(epoch, first, sample - first + round(AFTER_S * epoch.fs))
    try:
        return first, rebuilt(epoch.form.decode(stored), epoch.fs, epoch.leads, sample - first)
    except RecordError:
        raise RecordError(
            f"stream '{epoch.stream}', epoch {epoch.number} has no beat at sample {sample}, or it came just now; "
            "GET .../beats has them"
        ) from None
