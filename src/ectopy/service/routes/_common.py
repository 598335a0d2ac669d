"""What the routes share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from ectopy.errors import RecordError
from ectopy.service.rows import EpochRow
from ectopy.service.streams import Streams
from ectopy.wire import ID

StreamId = Annotated[str, Path(pattern=ID, description="The stream's id", examples=["bed-7"])]

PAGE = 1000
After = Annotated[int, Query(ge=0, lt=2**53, description="Id of the last one seen: the page begins behind it")]
Limit = Annotated[int, Query(ge=1, le=PAGE, description="How many on a page")]
EpochNumber = Annotated[int | None, Query(ge=1, lt=2**31, description="All epochs if left out")]


class Problem(BaseModel):
    """Why not: what was wrong, where, and what to do."""

    model_config = ConfigDict(extra="forbid")

    reason: str


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Declared error answers."""
    return {code: {"model": Problem} for code in codes}


async def _streams(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


StreamsDep = Annotated[Streams, Depends(_streams)]


def page_of(found: Sequence[tuple[int, str]], limit: int) -> Response:
    """Ids and bodies as a page."""
    following = found[-1][0] if len(found) == limit else None
    content = f'{{"next":{json.dumps(following)},"items":[{",".join(body for _, body in found)}]}}'
    return Response(content, media_type="application/json")


async def epoch_of(streams: Streams, name: str, number: int | None) -> EpochRow:
    """Any epoch of a stream, ended ones too; the newest if no number is given."""
    newest = streams.live(name).epoch
    if number in (None, newest.number):
        return newest
    rows = await asyncio.to_thread(streams.reader.epochs, name)
    row = next((row for row in rows if row.number == number), None)
    if row is None:
        raise RecordError(f"stream '{name}' has no epoch {number}; the newest is {newest.number}")
    return row
