"""Verdicts and alarms of all streams, as server-sent events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import httpx
from pydantic import Field, TypeAdapter, ValidationError

from ectopy.client.answers import may_pass, misunderstood, refused_by, unreachable
from ectopy.client.retry import delays
from ectopy.errors import EctopyError
from ectopy.wire import AlarmOut, VerdictOut

Event = VerdictOut | AlarmOut
Place = tuple[int, int]  # of a verdict, its id; of an alarm, its change

_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_ID = re.compile(r"(\d+)-(\d+)")
_SILENCE_S = 60.0  # the service says something more often; after it the connection is taken for dead


async def events(http: httpx.AsyncClient, after: Place | None) -> AsyncGenerator[Event, None]:
    """See `Client.events`."""
    waits, met, last = delays(), False, after
    while True:
        # After a break all that is behind `last`; before the first event, whatever comes.
        headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": "{}-{}".format(*last)})
        try:
            async with aclosing(_received(http, headers)) as received:
                async for place, data in received:
                    waits, met = delays(), True
                    event = _event(http, data) if data else None
                    if event is not None and (last is None or _behind(event, last)):
                        yield event
                    last = place  # smaller than before if the service has lost its data: it goes on from there
        except EctopyError as error:
            if not met or not may_pass(error):
                raise
        await asyncio.sleep(next(waits))


def _behind(event: Event, last: Place) -> bool:
    return event.change > last[1] if isinstance(event, AlarmOut) else event.id > last[0]


async def _received(http: httpx.AsyncClient, headers: dict[str, str]) -> AsyncGenerator[tuple[Place, str], None]:
    """The place and the data of each event over one connection; one without data only tells where we are."""
    timeout = httpx.Timeout(10.0, read=_SILENCE_S)
    try:
        async with http.stream("GET", "/v1/events", headers=headers, timeout=timeout) as response:
            if response.is_error:
                await response.aread()
                raise refused_by(response)
            fields: dict[str, str] = {}
            async for line in _lines(response):
                name, _, value = line.partition(":")
                if line:
                    fields[name] = value.removeprefix(" ")
                    continue
                if fields.get("event") == "skipped":  # this reader was too slow: it asks again for what it missed
                    return
                if place := _ID.fullmatch(fields.get("id", "")):
                    yield (int(place[1]), int(place[2])), fields.get("data", "")
                fields = {}
    except httpx.TransportError as error:
        raise unreachable(str(http.base_url), error) from None


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    """By line feeds alone: other separators of Unicode may stand within JSON."""
    rest = ""
    async for text in response.aiter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line.removesuffix("\r")


def _event(http: httpx.AsyncClient, data: str) -> Event:
    try:
        return _EVENT.validate_json(data)
    except ValidationError as error:
        raise misunderstood(f"{http.base_url}v1/events", error) from None
