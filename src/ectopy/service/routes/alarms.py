"""Alarms, what people do about them, and the rules that raise them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from ectopy.alarms import Acknowledged, AlarmPaused, AudioPaused, Resumed, RulesChanged, Viewed
from ectopy.service.alarming import Alarming
from ectopy.service.notify import utc_us
from ectopy.service.routes._common import After, EpochNumber, Limit, StreamId, StreamsDep, page_of, problems
from ectopy.wire import (
    Acknowledge,
    AlarmOut,
    Alarms,
    Findings,
    Id,
    Pause,
    PauseOut,
    Resume,
    RuleChanges,
    RuleOut,
)

router = APIRouter(prefix="/v1", tags=["alarms"])

AlarmId = Annotated[int, Path(ge=1, lt=2**53)]
Newest = Annotated[bool, Query(description="Only the newest one: whoever looks on from now on begins behind it")]


@router.get("/alarms", response_model=Alarms)
async def list_alarms(
    streams: StreamsDep,
    state: Annotated[Literal["open", "all"], Query(description="open: on or latched")] = "open",
    stream: Annotated[Id | None, Query(description="Of one stream only")] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Response:
    """Alarms as they stand, in the order in which they were raised."""
    only_open = state == "open"
    found = await asyncio.to_thread(streams.reader.alarms, only_open=only_open, stream=stream, after=after, limit=limit)
    return page_of(found, limit)


@router.get("/alarms/{alarm_id}", responses=problems(404))
async def get_alarm(alarm_id: AlarmId, streams: StreamsDep) -> AlarmOut:
    """One alarm as it stands."""
    return await asyncio.to_thread(streams.reader.alarm, alarm_id)


@router.post("/alarms/{alarm_id}/acknowledge", responses=problems(400, 404, 429, 503))
async def acknowledge(alarm_id: AlarmId, act: Acknowledge, streams: StreamsDep) -> AlarmOut:
    """Somebody has seen to it: no reminder any more, and a latched alarm is off."""
    await _alarming(streams).act(Acknowledged(utc_us(), alarm_id, act.author))
    return await asyncio.to_thread(streams.reader.alarm, alarm_id)


@router.get("/pauses")
async def list_pauses(streams: StreamsDep) -> list[PauseOut]:
    """Audio and alarm pauses that last."""
    return streams.alarming.desk.pauses()


@router.post("/pauses", status_code=201, responses=problems(400, 404, 429, 503))
async def pause(act: Pause, streams: StreamsDep) -> list[PauseOut]:
    """Pause the audio, or the alarms, of a stream or of all; for two hours at most. The answer lists all pauses."""
    if act.stream is not None:
        streams.live(act.stream)
    now_us = utc_us()
    kind = AudioPaused if act.what == "audio" else AlarmPaused
    await _alarming(streams).act(kind(now_us, act.stream, act.author, act.reason, now_us + act.seconds * 1_000_000))
    return streams.alarming.desk.pauses()


@router.post("/pauses/end", responses=problems(400, 404, 429, 503))
async def resume(act: Resume, streams: StreamsDep) -> list[PauseOut]:
    """End a pause before its time."""
    if act.stream is not None:
        streams.live(act.stream)
    await _alarming(streams).act(Resumed(utc_us(), act.stream, act.what, act.author))
    return streams.alarming.desk.pauses()


@router.post("/viewers", status_code=204, responses=problems(429, 503))
async def viewed(streams: StreamsDep) -> None:
    """Somebody watches: say so every 30 s. Once they stop for a minute, high alarms are escalated at once."""
    await _alarming(streams).act(Viewed(utc_us()))


@router.get("/rules", tags=["rules"])
async def list_rules(streams: StreamsDep) -> list[RuleOut]:
    """The rules that hold where a stream has none of its own."""
    return streams.alarming.desk.rules(None)


@router.get("/streams/{stream_id}/rules", tags=["rules"], responses=problems(404))
async def get_rules(stream_id: StreamId, streams: StreamsDep) -> list[RuleOut]:
    """The rules that hold for a stream."""
    streams.live(stream_id)
    return streams.alarming.desk.rules(stream_id)


@router.put("/streams/{stream_id}/rules", tags=["rules"], responses=problems(400, 404, 429, 503))
async def set_rules(stream_id: StreamId, act: RuleChanges, streams: StreamsDep) -> list[RuleOut]:
    """A stream's own rules, in place of earlier changes; they hold at once."""
    streams.live(stream_id)
    changes = {code: change.model_dump(exclude_none=True) for code, change in act.changes.items()}
    await _alarming(streams).act(RulesChanged(utc_us(), stream_id, act.author, changes))
    return streams.alarming.desk.rules(stream_id)


@router.get("/streams/{stream_id}/alarms", response_model=Alarms, responses=problems(404))
async def list_changes(
    stream_id: StreamId, streams: StreamsDep, after: After = 0, limit: Limit = 100, newest: Newest = False
) -> Response:
    """What changed of a stream's alarms, in that order: each time the alarm as it stood then. `after` is a `change`."""
    streams.live(stream_id)
    found = await asyncio.to_thread(
        streams.reader.alarm_changes, stream=stream_id, after=after, limit=limit, newest=newest
    )
    return page_of(found, limit)


@router.get("/streams/{stream_id}/findings", response_model=Findings, responses=problems(404))
async def list_findings(
    stream_id: StreamId,
    streams: StreamsDep,
    epoch: EpochNumber = None,
    after: After = 0,
    limit: Limit = 100,
    newest: Newest = False,
) -> Response:
    """What was found, in the order told: a finding when it begins, and again when it ends."""
    streams.live(stream_id)
    found = await asyncio.to_thread(
        streams.reader.findings, stream_id, epoch=epoch, after=after, limit=limit, newest=newest
    )
    return page_of(found, limit)


def _alarming(streams: StreamsDep) -> Alarming:
    """Where acts go, while the store writes."""
    streams.intake.check_act()
    return streams.alarming
