"""Asking the service: a request, and what its answer means."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from ectopy.client.answers import misunderstood, refused_by, unreachable
from ectopy.errors import ServiceError

T = TypeVar("T")

PAGE = 200  # verdicts, beats, alarms or findings


class _Page(Protocol[T]):
    """As `wire.Page`."""

    next: int | None
    items: list[T]


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    fits = parsed.port is None or 0 < parsed.port < 65536
    return parsed.scheme in ("http", "https") and bool(parsed.host) and fits


class Calls:
    """A service at a URL, and the connections to it."""

    def __init__(self, url: str):
        if not _is_address(url):
            raise ServiceError(f"{url}: no address of a service; expected one as http://127.0.0.1:8700")
        self.url = str(httpx.URL(url)).rstrip("/")  # the scheme in small letters: a WebSocket's is made of it
        # No proxy and no .netrc: a service on this machine is spoken to directly.
        self._http = httpx.AsyncClient(base_url=self.url, timeout=httpx.Timeout(10.0, read=30.0), trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def _ask(self, read: Callable[[bytes], T], method: str, path: str, **more: Any) -> T:
        return self._read(read, await self._request(method, path, **more))

    async def _pages(
        self, read: Callable[[bytes], _Page[T]], path: str, *, after: int | None = None, **wanted: Any
    ) -> AsyncGenerator[T, None]:
        """What a list has behind `after`, page by page."""
        more = True
        while more:
            page = await self._ask(read, "GET", path, params=given(**wanted, after=after, limit=PAGE))
            for item in page.items:
                yield item
            after, more = page.next, page.next is not None

    def _read(self, read: Callable[[bytes], T], response: httpx.Response) -> T:
        try:
            return read(response.content)
        except ValidationError as error:
            raise misunderstood(str(response.request.url), error) from None

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **more)
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from None
        if response.is_error:
            raise refused_by(response)
        return response


def path_of(stream: str, *below: str) -> str:
    """The path of a stream, or of something of it."""
    return "/".join(("/v1/streams", quote(stream, safe=""), *below))


def given(**params: Any) -> dict[str, Any]:
    """Those that are not left out."""
    return {name: value for name, value in params.items() if value is not None}


def json_of(message: BaseModel) -> dict[str, Any]:
    """A request's body."""
    return {"content": message.model_dump_json(), "headers": {"Content-Type": "application/json"}}
