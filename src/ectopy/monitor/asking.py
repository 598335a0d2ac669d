"""The service, asked from a page: each call a connection of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from ectopy.client import Client

T = TypeVar("T")


def service() -> str:
    """Its address, as `monitoring` named it."""
    return sys.argv[1]


def ask(what: Callable[[Client], Awaitable[T]]) -> T:
    """What calls of the client give.

    Raises
    ------
    EctopyError
        As the client does: `ServiceError` where there is no service.
    """

    async def asked() -> T:
        async with Client(service()) as client:
            return await what(client)

    return asyncio.run(asked())


async def listed(items: AsyncIterator[T]) -> list[T]:
    """All that a call gives one by one."""
    return [item async for item in items]
