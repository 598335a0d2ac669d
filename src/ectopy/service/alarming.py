"""All that makes alarms of the service, put together: what is seen of the equipment, the desk, who is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from ectopy.alarms import Input
from ectopy.service.conditions import Conditions
from ectopy.service.desk import AlarmDesk, Tell
from ectopy.service.metrics import Metrics
from ectopy.service.notify import DeadMan, Guard, Notifier, Targets, utc_us
from ectopy.service.outbox import StoredOutbox
from ectopy.service.reading import Reader
from ectopy.service.settings import Settings
from ectopy.service.store import Store


class Alarming:
    """Made on any thread, then called on the event loop.

    tell : called there with findings and changed alarms that are kept
    healthy : whether the dead man's address may hear that all is well
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        reader: Reader,
        metrics: Metrics,
        *,
        tell: Tell,
        healthy: Callable[[], bool],
    ):
        targets = Targets.of(settings)
        outbox = StoredOutbox(store.database, metrics)
        outbox.open([target.name for target in targets.all])
        self._notifier = Notifier(outbox, targets.all)
        self._store = store
        self._dead_man = (
            DeadMan(settings.dead_man, Guard(settings.notify_inside), healthy) if settings.dead_man else None
        )
        self.desk = AlarmDesk(store, reader, targets, tell, self._notifier.wake)
        self._conditions = Conditions(time.monotonic(), self.desk.silent, self.desk.behind, self.desk.lasting)
        self._settled = False

    def start(self) -> None:
        self._notifier.start()
        if self._dead_man:
            self._dead_man.start()

    def close(self) -> None:
        """Before the store closes."""
        if self._dead_man:
            self._dead_man.close()
        self._notifier.close()
        self.desk.close()

    def came(self, stream: str, now_s: float) -> None:
        """Something came of a stream; `now_s` of the steady clock."""
        self._conditions.came(stream, now_s)

    def gateway_left(self, streams: Collection[str]) -> None:
        """The connection of a gateway is gone that wrote these."""
        if streams:
            self._conditions.lost(streams, time.monotonic())

    def look_round(self, running: Collection[str], *, judged: bool) -> None:
        """What is wrong with the equipment, and what of the alarms is due.

        running : the streams whose epoch has not ended
        judged : what was on disk at the start is; before, time does not pass: what lasted may be over
        """
        now_us = utc_us()
        self.desk.take(self._conditions.look(running, self._store.trouble, time.monotonic(), now_us / 1e6))
        self._settled = self._settled or judged
        if self._settled:
            self.desk.pass_time(now_us)

    async def act(self, act: Input) -> None:
        """What somebody does about alarms; done once it is on disk.

        Raises
        ------
        AlarmError
            If it can't be.
        """
        done = asyncio.get_running_loop().create_future()

        def kept() -> None:
            if not done.cancelled():
                done.set_result(None)

        self.desk.take([act], kept)
        await done
