"""Verdicts of all streams, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
from pydantic import ValidationError

from ectopy.client.answers import may_pass, misunderstood, refused_by, unreachable
from ectopy.client.retry import delays
from ectopy.errors import EctopyError
from ectopy.wire import VerdictOut

_SILENCE_S = 60.0  # the service says something more often; after it the connection is taken for dead


async def events(http: httpx.AsyncClient, after: int | None) -> AsyncGenerator[VerdictOut, None]:
    """See `Client.events`."""
    waits, met, last = delays(), False, after
    while True:
        # After a break every verdict behind `last`; before the first one, whatever comes.
        headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": str(last)})
        try:
            async with aclosing(_received(http, headers)) as received:
                async for number, data in received:
                    waits, met = delays(), True
                    if data and (last is None or number > last):
                        yield _verdict(http, data)
                    last = number if last is None else max(last, number)
        except EctopyError as error:
            if not met or not may_pass(error):
                raise
        await asyncio.sleep(next(waits))


async def _received(http: httpx.AsyncClient, headers: dict[str, str]) -> AsyncGenerator[tuple[int, str], None]:
    """The id and the data of each event over one connection; an event without data only tells where we are."""
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
                if fields.get("id", "").isdecimal():
                    yield int(fields["id"]), fields.get("data", "")
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


def _verdict(http: httpx.AsyncClient, data: str) -> VerdictOut:
    try:
        return VerdictOut.model_validate_json(data)
    except ValidationError as error:
        raise misunderstood(f"{http.base_url}v1/events", error) from None
