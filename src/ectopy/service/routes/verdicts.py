"""Verdicts and beats: pages of them, and all of them as they come."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from ectopy.service.hub import Watcher
from ectopy.service.routes._common import StreamId, StreamsDep, problems
from ectopy.service.streams import Streams
from ectopy.wire import Beats, Verdicts

_PAGE = 1000
_VERDICT = re.compile(r'{"type":"verdict","id":(\d+),')  # as the judge writes it
_ALIVE_S = 15.0  # a comment as often as this keeps proxies from closing a silent connection

router = APIRouter(prefix="/v1", tags=["verdicts"])

After = Annotated[int, Query(ge=0, lt=2**53, description="Id of the last verdict seen: the page begins behind it")]
Limit = Annotated[int, Query(ge=1, le=_PAGE, description="Verdicts on a page")]
Seconds = Annotated[float | None, Query(ge=0, description="Of the epoch, from its first sample")]
EpochNumber = Annotated[int | None, Query(ge=1, lt=2**31, description="All epochs if left out")]


async def _page(
    stream_id: StreamId,
    streams: StreamsDep,
    epoch: EpochNumber = None,
    after: After = 0,
    limit: Limit = 100,
    start_s: Seconds = None,
    end_s: Seconds = None,
) -> tuple[list[str], int | None]:
    """Verdicts as they are kept, and where the next page begins."""
    streams.live(stream_id)
    rows = await asyncio.to_thread(streams.reader.epochs, stream_id)
    keys = [row.key for row in rows if epoch in (None, row.number)]
    found = await asyncio.to_thread(
        streams.reader.verdicts, epochs=keys, after=after, limit=limit, start_s=start_s, end_s=end_s
    )
    return [body for _, body in found], found[-1][0] if len(found) == limit else None


PageDep = Annotated[tuple[list[str], int | None], Depends(_page)]


@router.get("/streams/{stream_id}/verdicts", response_model=Verdicts, responses=problems(404))
async def list_verdicts(page: PageDep) -> Response:
    """Verdicts in the order in which they were given, with their beats."""
    bodies, following = page
    content = f'{{"next":{json.dumps(following)},"items":[{",".join(bodies)}]}}'
    return Response(content, media_type="application/json")


@router.get("/streams/{stream_id}/beats", responses=problems(404))
async def list_beats(page: PageDep) -> Beats:
    """The beats of a page of verdicts."""
    bodies, following = page
    return Beats(items=[beat for body in bodies for beat in json.loads(body)["beats"]], next=following)


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Server-sent events"}
}


@router.get("/events", response_class=StreamingResponse, responses=_EVENTS)
async def events(
    request: Request,
    streams: StreamsDep,
    after: Annotated[
        int | None, Query(ge=0, lt=2**53, description="Id of the last verdict seen; only new ones if left out")
    ] = None,
    last_event_id: Annotated[str | None, Header(description="As `after`: browsers send it by themselves")] = None,
) -> StreamingResponse:
    """All streams' verdicts as server-sent events: `id`, `event: verdict`, `data`."""
    if last_event_id is not None and last_event_id.isdecimal() and len(last_event_id) < 16:
        after = int(last_event_id)
    return StreamingResponse(_events(request, streams, after), media_type="text/event-stream")


async def _events(request: Request, streams: Streams, after: int | None) -> AsyncIterator[str]:
    watcher = Watcher()
    streams.listeners.add(watcher)  # before the past is read: nothing falls between
    try:
        seen = after or 0
        while after is not None:
            found = await asyncio.to_thread(streams.reader.verdicts, after=seen, limit=_PAGE)
            for seen, body in found:
                yield _event(seen, body)
            if len(found) < _PAGE:
                break
        if after is None:
            seen = await asyncio.to_thread(streams.reader.newest_verdict)
        yield f"id: {seen}\n\n"  # no event: where a browser goes on from
        while not watcher.lost:
            try:
                messages = await asyncio.wait_for(watcher.take(), _ALIVE_S)
            except TimeoutError:
                yield ": alive\n\n"
                continue
            told = []
            for message in map(str, messages):
                verdict = _VERDICT.match(message)
                if verdict is None:
                    told.append(f"event: skipped\ndata: {message}\n\n")
                elif int(verdict[1]) > seen:
                    told.append(_event(int(verdict[1]), message))
            if told:
                yield "".join(told)
    finally:
        streams.listeners.discard(watcher)


def _event(number: int, body: str) -> str:
    return f"id: {number}\nevent: verdict\ndata: {body}\n\n"
