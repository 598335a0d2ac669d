"""`/v1/models`: what is installed."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ectopy.service.routes.analyze_docs import refusals
from ectopy.wire import ModelOut, TradeOut
from ectopy.zoo import TrainedModel, installed, load

router = APIRouter(prefix="/v1", tags=["models"])


@router.get("/models", summary="Models and their cards", responses=refusals(_500="An installed model is damaged"))
def models(request: Request) -> list[ModelOut]:
    """Each installed model with its card: what trained it, how good it is, where its limits are. One is the default."""
    default: str = request.app.state.analyses.model
    return [_told(load(name), default=name == default) for name in dict.fromkeys([default, *installed()])]


def _told(model: TrainedModel, *, default: bool) -> ModelOut:
    card, trade = model.card, model.trade
    known = None if trade is None else TradeOut(**{name: trade[name] for name in TradeOut.model_fields})
    return ModelOut(name=card["name"], version=card["version"], default=default, card=card, trade=known)
