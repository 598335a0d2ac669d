"""How errors are told: always as {"reason": ...}, never a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ectopy.errors import BusyError, EctopyError


def tell_errors(app: FastAPI) -> None:
    """Have every error of an app answered the same way."""

    @app.exception_handler(EctopyError)
    async def _known(_: Request, error: EctopyError) -> JSONResponse:
        headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, BusyError) else None
        return JSONResponse({"reason": str(error)}, error.status, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"reason": reason_of(error.errors())}, 422)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"reason": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def _unknown(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"reason": "the service failed; its log says why"}, 500)


def reason_of(errors: Sequence[Any]) -> str:
    """The first things that pydantic found, in words."""
    parts = []
    for error in errors[:3]:
        place = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path"))
        parts.append(f"{place}: {error['msg'].removeprefix('Value error, ')}" if place else error["msg"])
    more = f", and {len(errors) - 3} more" if len(errors) > 3 else ""
    return "; ".join(parts) + more
