"""`/v1/models`: what is installed."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ectopy.service.routes.analyze_docs import refusals
from ectopy.wire import ModelOut
from ectopy.zoo import installed, load

router = APIRouter(prefix="/v1", tags=["models"])


@router.get("/models", summary="Models and their cards", responses=refusals(_500="An installed model is damaged"))
def models(request: Request) -> list[ModelOut]:
    """Each installed model with its card: what trained it, how good it is, where its limits are. One is the default."""
    default: str = request.app.state.analyses.model
    cards = {name: load(name).card for name in dict.fromkeys([default, *installed()])}
    return [
        ModelOut(name=card["name"], version=card["version"], default=name == default, card=card)
        for name, card in cards.items()
    ]
