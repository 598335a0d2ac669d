"""The service from afar: `Client` for its routes, `Writer` for a device, `watch` for who looks on. All asyncio."""

from ectopy.client.api import Client
from ectopy.client.watching import Watched
from ectopy.client.writer import Writer

__all__ = ["Client", "Watched", "Writer"]
