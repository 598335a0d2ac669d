"""What people say of a stream's beats: kept for good, and the newest of a beat holds."""

import asyncio
from pathlib import Path

import httpx
import pytest
from tests.serving import serving

from ectopy.client import Client
from ectopy.errors import RecordError
from ectopy.wire import Annotate

FORM = {"fs": 250, "leads": ["I"]}


def test_what_is_said_is_kept_in_order_over_a_restart_and_told_by_epoch(tmp_path: Path) -> None:
    async def say(url: str) -> list[int]:
        async with Client(url) as client:
            said = [
                Annotate(epoch=1, sample=1, aami="V", replaced="N", author="Ruth", note="wide"),
                Annotate(epoch=2, sample=1, aami="N", author="Ruth"),
                Annotate(epoch=1, sample=1, aami="S", replaced="V", author="Tom"),
            ]
            return [(await client.annotate("bed-1", one)).id for one in said]

    async def told(url: str, epoch: int | None, after: int | None = None) -> list[tuple[int, str, str | None, str]]:
        async with Client(url) as client:
            found = client.annotations("bed-1", epoch, after=after)
            return [(one.epoch, one.aami, one.replaced, one.author) async for one in found]

    with serving(tmp_path) as url:
        for epoch in (1, 2):
            httpx.post(f"{url}/v1/streams/bed-1/epochs", json=FORM).raise_for_status()
            samples = {"epoch": epoch, "first": 0, "samples": [0.0, 0.1]}
            httpx.post(f"{url}/v1/streams/bed-1/samples", json=samples).raise_for_status()
        ids = asyncio.run(say(url))
    assert ids == [1, 2, 3]
    with serving(tmp_path) as url:
        assert asyncio.run(told(url, 1)) == [(1, "V", "N", "Ruth"), (1, "S", "V", "Tom")]
        assert asyncio.run(told(url, None, after=1)) == [(2, "N", None, "Ruth"), (1, "S", "V", "Tom")]
        assert asyncio.run(say(url)) == [4, 5, 6]


def test_only_a_beat_that_can_be_is_spoken_of(tmp_path: Path) -> None:
    async def say(url: str, stream: str, epoch: int, sample: int) -> None:
        async with Client(url) as client:
            await client.annotate(stream, Annotate(epoch=epoch, sample=sample, aami="V", author="Ruth"))

    with serving(tmp_path) as url:
        httpx.post(f"{url}/v1/streams/bed-1/epochs", json=FORM).raise_for_status()
        for place in (("bed-1", 1, 0), ("bed-1", 2, 0), ("bed-9", 1, 0)):
            with pytest.raises(RecordError):
                asyncio.run(say(url, *place))
        answer = httpx.post(f"{url}/v1/streams/bed-1/annotations", json={"epoch": 1, "sample": 0, "aami": "X"})
        assert answer.status_code == 422
