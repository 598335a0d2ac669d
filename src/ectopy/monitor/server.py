"""The monitor's own process: how Streamlit is started, and when it is ready."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit

import httpx

from ectopy.client import Client
from ectopy.errors import ServiceError
from ectopy.monitor.theme import THEME

HOST = "127.0.0.1"
_APP = Path(__file__).parent / "entry" / "app.py"
_READY_S, _STOP_S = 60.0, 5.0
_PAGES_OF = ("localhost", "127.0.0.1", "[::1]")  # names of this machine; the service takes no others either

_OPTIONS: list[tuple[str, object]] = [
    ("server.address", HOST),
    *(("server.allowedHosts", name) for name in _PAGES_OF),
    ("server.headless", "true"),  # opens no browser, asks for no e-mail address
    ("server.fileWatcherType", "none"),
    ("server.enableStaticServing", "true"),  # `entry/static`: what a home screen needs
    ("browser.gatherUsageStats", "false"),
    ("client.toolbarMode", "minimal"),  # no deploy button: it would lead outside
    ("client.showErrorDetails", "none"),
    ("client.showErrorLinks", "false"),
    # Streamlit's cache of what a browser has been sent ends a page that is left in haste: "Cached ForwardMsg MISS"
    ("global.minCachedMessageSize", "1e9"),
    ("logger.level", "warning"),
    *THEME.items(),
]


@dataclass(frozen=True)
class Monitor:
    """One that runs.

    url : of its pages
    process : ends with the context
    """

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def monitoring(service: str, port: int = 0) -> Iterator[Monitor]:
    """A monitor of the service at a URL, ready to be opened in a browser; it ends with the context.

    port : 0 takes a free one

    Raises
    ------
    ServiceError
        If there is no service, or its address is none that a page of this machine may use, or the port is taken.
    """
    _check(service)
    port = _free(port)
    command = [sys.executable, "-m", "streamlit", "run", str(_APP)]
    for name, value in [*_OPTIONS, ("server.port", port)]:
        command.append(f"--{name}={value}")
    with TemporaryFile() as log:
        process = subprocess.Popen([*command, "--", service], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            url = f"http://{HOST}:{port}"
            if not _ready(url, process):
                log.seek(0)
                said = " ".join(log.read().decode(errors="replace").split())[-300:]
                raise ServiceError(f"the monitor did not start: {said or 'no answer in time'}")
            yield Monitor(url, process)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _check(service: str) -> None:
    async def ask() -> None:
        async with Client(service) as client:
            await client.models()

    asyncio.run(ask())
    host = urlsplit(service).hostname
    if host not in ("localhost", "127.0.0.1", "::1"):
        raise ServiceError(f"{service}: a browser may use a service of its own machine only, for now")


def _free(port: int) -> int:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((HOST, port))
        except OSError as error:
            raise ServiceError(f"port {port}: {error.strerror}; name another, as --port 8502") from None
        return int(taken.getsockname()[1])


def _ready(url: str, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + _READY_S
    with httpx.Client(trust_env=False) as http:
        while time.monotonic() < until and process.poll() is None:
            try:
                if http.get(f"{url}/_stcore/health").is_success:
                    return True
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    return False
