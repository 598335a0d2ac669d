"""What the routes share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Request
from pydantic import BaseModel, ConfigDict

from ectopy.service.streams import Streams

StreamId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="The stream's id", examples=["bed-7"])
]


class Problem(BaseModel):
    """Why not: what was wrong, where, and what to do."""

    model_config = ConfigDict(extra="forbid")

    reason: str


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Declared error answers."""
    return {code: {"model": Problem} for code in codes}


async def _streams(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


StreamsDep = Annotated[Streams, Depends(_streams)]
