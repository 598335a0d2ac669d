"""Running the app under uvicorn."""

from __future__ import annotations

import resource
import signal
import socket

import uvicorn
from filelock import FileLock, Timeout

from ectopy.errors import OutputError
from ectopy.service.app import create_app
from ectopy.service.logs import configure
from ectopy.service.schema import open_database
from ectopy.service.settings import Settings
from ectopy.service.store import DATABASE
from ectopy.wire import MAX_FRAME

_DRAIN_S = 7  # that open requests have once it is told to stop
_LET_GO_S = 3  # that a killed one may hold the folder: a process that it was about to start does, for a moment


def bind(settings: Settings) -> socket.socket:
    """The socket to listen on.

    Raises
    ------
    OutputError
        If the address can't be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise OutputError(f"{where}: can't listen there ({error.strerror}); choose another with --port") from None
    return listener


def hold(settings: Settings) -> FileLock:
    """The folder of the data, to oneself; the end of the process lets it go, however it comes.

    Raises
    ------
    OutputError
        If another service works with it, or it can't be made.
    """
    lock = FileLock(settings.data / "lock")
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_LET_GO_S)
    except Timeout:
        raise OutputError(f"{settings.data}: another service works with it; choose another with --data") from None
    except OSError as error:
        raise OutputError(f"{settings.data}: can't keep anything there ({error.strerror})") from None
    return lock


class _Server(uvicorn.Server):
    """Waits for open requests when it stops, but for those that have no end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.streams.dismiss()  # type: ignore[union-attr]  # it is the app that `serve` made
        await super().shutdown(sockets)


def serve(settings: Settings, listener: socket.socket) -> None:
    """Until it is told to stop (Ctrl-C, SIGTERM); then what was taken in is kept.

    Raises
    ------
    OutputError
        If the folder of the data can't be had, or its database can't be opened.
    """
    config = uvicorn.Config(
        create_app(settings),
        log_config=configure(settings.log_level),
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_DRAIN_S,
        backlog=2048,
    )
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # a file for each device: many systems begin with 1,024
    resource.setrlimit(resource.RLIMIT_NOFILE, (65_536 if most == resource.RLIM_INFINITY else most, most))
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it once more when all is done: that is no failure
    with hold(settings):
        open_database(settings.data / DATABASE).dispose()  # what is wrong with it is said here, and not by uvicorn
        _Server(config).run(sockets=[listener])
