"""Verdicts and beats: pages of them; verdicts and alarms of all streams as they come."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from math import inf
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from ectopy.service.hub import Watcher
from ectopy.service.routes._common import PAGE, After, EpochNumber, Limit, StreamId, StreamsDep, page_of, problems
from ectopy.service.streams import Streams
from ectopy.verdict import Word
from ectopy.wire import Beats, Verdicts

_NUMBERED = re.compile(
    r'{"type":"(verdict)","id":(\d+),|{"type":"(alarm)","id":\d+,"change":(\d+),'
)  # as they are kept
_PLACE = r"^\d{1,15}(-\d{1,15})?$"
_ALIVE_S = 15.0  # a comment as often as this keeps proxies from closing a silent connection

router = APIRouter(prefix="/v1", tags=["verdicts"])

Seconds = Annotated[float | None, Query(ge=0, description="Of the epoch, from its first sample")]


async def _page(
    stream_id: StreamId,
    streams: StreamsDep,
    epoch: EpochNumber = None,
    after: After = 0,
    limit: Limit = 100,
    start_s: Seconds = None,
    end_s: Seconds = None,
    verdict: Annotated[Word | None, Query(description="These only")] = None,
) -> list[tuple[int, str]]:
    """Ids of verdicts, and the verdicts as they are kept."""
    streams.live(stream_id)
    rows = await asyncio.to_thread(streams.reader.epochs, stream_id)
    rows = [row for row in rows if epoch in (None, row.number)]
    return await asyncio.to_thread(
        streams.reader.verdicts, epochs=rows, after=after, limit=limit, start_s=start_s, end_s=end_s, word=verdict
    )


PageDep = Annotated[list[tuple[int, str]], Depends(_page)]


@router.get("/streams/{stream_id}/verdicts", response_model=Verdicts, responses=problems(404))
async def list_verdicts(page: PageDep, limit: Limit = 100) -> Response:
    """Verdicts in the order in which they were given, with their beats: those that reach into the range of time."""
    return page_of(page, limit)


@router.get("/streams/{stream_id}/beats", responses=problems(404))
async def list_beats(page: PageDep, limit: Limit = 100, start_s: Seconds = None, end_s: Seconds = None) -> Beats:
    """The beats of a page of verdicts, those in the range of time."""
    following = page[-1][0] if len(page) == limit else None
    begin_s, stop_s = start_s or 0.0, inf if end_s is None else end_s
    beats = [beat for _, body in page for beat in json.loads(body)["beats"]]
    return Beats(items=[beat for beat in beats if begin_s <= beat["time_s"] < stop_s], next=following)


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Server-sent events"}
}


@router.get("/events", response_class=StreamingResponse, responses=_EVENTS)
async def events(
    request: Request,
    streams: StreamsDep,
    after: Annotated[
        str | None,
        Query(pattern=_PLACE, description="`id` of the last event seen; only new ones if left out", examples=["17-4"]),
    ] = None,
    last_event_id: Annotated[str | None, Header(description="As `after`: browsers send it by themselves")] = None,
) -> StreamingResponse:
    """All streams' verdicts and alarms as server-sent events: `id`, `event: verdict` or `event: alarm`, `data`. An id
    tells the last verdict and the last change of an alarm."""
    if last_event_id is not None and re.fullmatch(_PLACE, last_event_id):
        after = last_event_id
    return StreamingResponse(_events(request, streams, after), media_type="text/event-stream")


async def _events(request: Request, streams: Streams, after: str | None) -> AsyncIterator[str]:
    watcher = Watcher()
    streams.listeners.add(watcher)  # before the past is read: nothing falls between
    reader = streams.reader
    try:
        seen = {
            "verdict": await asyncio.to_thread(reader.newest_verdict),
            "alarm": await asyncio.to_thread(reader.newest_change),
        }
        if after is not None:
            verdict, _, alarm = after.partition("-")  # beyond the newest if the service has lost its data since
            seen = {"verdict": min(int(verdict), seen["verdict"]), "alarm": min(int(alarm or 0), seen["alarm"])}
            for kind, past in (("verdict", reader.verdicts), ("alarm", reader.alarm_changes)):
                while True:
                    found = await asyncio.to_thread(past, after=seen[kind], limit=PAGE)
                    for seen[kind], body in found:
                        yield _event(kind, seen, body)
                    if len(found) < PAGE:
                        break
        yield f"id: {_place(seen)}\n\n"  # no event: where a browser goes on from
        while not watcher.lost:
            try:
                messages = await asyncio.wait_for(watcher.take(), _ALIVE_S)
            except TimeoutError:
                yield ": alive\n\n"
                continue
            told = []
            for message in map(str, messages):
                numbered = _NUMBERED.match(message)
                if numbered is None:
                    told.append(f"event: skipped\ndata: {message}\n\n")
                    continue
                kind, number = (part for part in numbered.groups() if part is not None)
                if int(number) > seen[kind]:
                    seen[kind] = int(number)
                    told.append(_event(kind, seen, message))
            if told:
                yield "".join(told)
    finally:
        streams.listeners.discard(watcher)


def _place(seen: dict[str, int]) -> str:
    return f"{seen['verdict']}-{seen['alarm']}"


def _event(kind: str, seen: dict[str, int], body: str) -> str:
    return f"id: {_place(seen)}\nevent: {kind}\ndata: {body}\n\n"
