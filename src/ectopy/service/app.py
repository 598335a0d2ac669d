"""The app: one process, an event loop, a thread that judges and one that keeps."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from ectopy.service.analyses import Analyses
from ectopy.service.bodies import BoundedBodies
from ectopy.service.errors import tell_errors
from ectopy.service.limits import AnalysisLimits
from ectopy.service.metrics import Metrics
from ectopy.service.routes import alarms, analyze, annotating, models, rebuilding, sockets, streams, system, verdicts
from ectopy.service.security import OnlyThisMachine, Tickets
from ectopy.service.settings import Settings
from ectopy.service.streams import Streams

_ABOUT = (
    "Real-time ECG anomaly detection: samples in, a verdict every 5 seconds out. Research software, not a medical "
    'device. Every error is answered as {"reason": "..."}: what was wrong, where, and what to do.'
)
_GROWN = 100_000  # objects more than were freed, after which garbage is looked for: streams replace theirs all the time
_PAGES = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


def create_app(settings: Settings) -> FastAPI:
    """The service with these settings."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        await app.state.streams.start()
        await app.state.analyses.start()
        gc.collect()
        gc.freeze()  # modules and models stay: without them a full collection takes a tenth of a second less
        gc.set_threshold(_GROWN)
        try:
            yield
        finally:
            await app.state.analyses.stop()
            await app.state.streams.stop()

    app = FastAPIOffline(title="Ectopy", version=version("ectopy"), description=_ABOUT, lifespan=life)
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.tickets = Tickets()
    app.state.streams = Streams(settings, app.state.metrics)
    app.state.analyses = Analyses(
        AnalysisLimits(workers=settings.workers, spare_bytes=settings.spare_mb * 1_000_000),
        settings.model,
        settings.operating_point,
        settings.data / "uploads",
    )
    tell_errors(app)
    for router in (streams, verdicts, rebuilding, annotating, alarms, sockets, analyze, models, system):
        app.include_router(router.router)
    app.add_middleware(BoundedBodies, but="/v1/analyze")
    app.add_middleware(CORSMiddleware, allow_origin_regex=_PAGES, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(OnlyThisMachine, tickets=app.state.tickets)
    return app
