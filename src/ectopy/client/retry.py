"""Coming back after an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from random import uniform
from typing import TypeVar

from ectopy.client.answers import may_pass
from ectopy.errors import BusyError, EctopyError

T = TypeVar("T")

_FIRST_S, _LONGEST_S = 0.2, 10.0


def delays() -> Iterator[float]:
    """Seconds to wait before each attempt: 0.2, doubled up to 10, less up to a half by chance so that a thousand
    devices do not come back at one moment."""
    delay = _FIRST_S
    while True:
        yield delay * uniform(0.5, 1.0)
        delay = min(2 * delay, _LONGEST_S)


async def until_done(action: Callable[[], Awaitable[T]], waits: Iterator[float]) -> T:
    """What `action` gives, once the service is there; EctopyError if it says no for good."""
    while True:
        try:
            return await action()
        except EctopyError as error:
            if not may_pass(error):
                raise
            least = error.retry_after_s if isinstance(error, BusyError) else 0
        await asyncio.sleep(max(next(waits), least))
