"""Who is told what: a queue for each watcher, so that a slow one holds nobody up.

A watcher that falls behind by 256 KiB or 10 s goes on with the latest, and is told that it missed something; one that
then takes nothing at all for 10 s is given up.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from ectopy.wire import Skipped

_MOST = 256 * 1024  # bytes that wait
_BEHIND_S = 10.0

Message = str | bytes


class Watcher:
    """One connection's queue. Put in from the event loop; taken out by the connection's own task.

    gone : called when it is given up
    """

    def __init__(self, gone: Callable[[], None] = lambda: None) -> None:
        self._gone = gone
        self._waiting: deque[tuple[float, Message]] = deque()
        self._size = 0
        self._skipped = 0  # since something was taken
        self._since = 0.0  # when the first of these was skipped
        self._changed = asyncio.Event()
        self._latest: dict[int, str] = {}  # by key, as acknowledgements: only the newest counts
        self.lost = False  # given up

    def put(self, message: Message) -> None:
        """A message in its turn."""
        if self.lost:
            return
        now = time.monotonic()
        behind = self._waiting and now - self._waiting[0][0] > _BEHIND_S
        if behind or self._size + len(message) > _MOST:
            if not self._skipped:
                self._since = now
            elif now - self._since > _BEHIND_S:
                self.give_up()
                self._gone()
                return
            self._skipped += len(self._waiting)
            self._waiting.clear()
            self._size = 0
            skipped = Skipped(n=self._skipped).model_dump_json()
            self._waiting.append((now, skipped))
            self._size = len(skipped)
        self._waiting.append((now, message))
        self._size += len(message)
        self._changed.set()

    def put_latest(self, key: int, message: str) -> None:
        """A message that takes the place of an earlier one of the same key."""
        self._latest[key] = message
        self._changed.set()

    def give_up(self) -> None:
        """Nothing more is put in; `take` returns, whatever waits."""
        self.lost = True
        self._changed.set()

    async def take(self) -> list[Message]:
        """What waits, as soon as something does."""
        while not (self._waiting or self._latest or self.lost):
            self._changed.clear()
            await self._changed.wait()
        taken = [message for _, message in self._waiting]
        taken += self._latest.values()  # behind what was refused before
        self._waiting.clear()
        self._latest.clear()
        self._size = self._skipped = 0
        return taken
