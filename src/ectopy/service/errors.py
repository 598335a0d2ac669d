"""How errors are told: always as {"reason": ...}, never a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ectopy.errors import BusyError, EctopyError

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def shortened(reason: str) -> str:
    """What a WebSocket's close frame has room for, in bytes."""
    return reason.encode()[:120].decode(errors="ignore")


def tell_errors(app: FastAPI) -> None:
    """Have every error of an app answered the same way."""

    @app.exception_handler(EctopyError)
    async def _known(_: Request, error: EctopyError) -> JSONResponse:
        headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, BusyError) else None
        return JSONResponse({"reason": str(error)}, error.status, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"reason": reason_of(error.errors())}, 422)

    @app.exception_handler(ValidationError)
    async def _invalid_too(_: Request, error: ValidationError) -> JSONResponse:
        return JSONResponse({"reason": reason_of(error.errors())}, 422)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:  # one route a method: the first to fit the path knows only its own
            headers["Allow"] = ", ".join(method for method in _METHODS if _fits(app, request, method))
        return JSONResponse({"reason": str(error.detail)}, error.status_code, headers)

    @app.exception_handler(Exception)
    async def _unknown(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"reason": "the service failed; its log says why"}, 500)


def _fits(app: FastAPI, request: Request, method: str) -> bool:
    return any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in app.routes)


def reason_of(errors: Sequence[Any]) -> str:
    """The first things that pydantic found, in words."""
    parts = []
    for error in errors[:3]:
        place = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path"))
        parts.append(f"{place}: {error['msg'].removeprefix('Value error, ')}" if place else error["msg"])
    more = f", and {len(errors) - 3} more" if len(errors) > 3 else ""
    return "; ".join(parts) + more
