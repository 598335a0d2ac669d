"""The streams themselves, on the test's own event loop: what can't be seen from outside."""

import asyncio
import gc
import weakref
from pathlib import Path

from ectopy.service.metrics import Metrics
from ectopy.service.settings import load_settings
from ectopy.service.streams import Streams
from ectopy.wire import Chunk, EpochRequest


def test_an_epoch_that_is_judged_and_over_stays_in_memory_no_longer(tmp_path: Path) -> None:
    async def day() -> None:
        streams = Streams(load_settings(data=tmp_path), Metrics())
        await streams.start()
        over = []
        for number in range(1, 4):
            await streams.begin("bed", EpochRequest(fs=360, leads=["II"], gain=200))
            live = streams.live("bed")
            kept = await streams.intake.offer(live, Chunk("", number, 0, 720, bytes(1440)))
            assert kept is not None
            await kept
            await streams.intake.end(live, 720)
            over.append(weakref.ref(live))
        del live
        gc.collect()
        assert [one() is None for one in over] == [True, True, False]
        await streams.stop()

    asyncio.run(day())
