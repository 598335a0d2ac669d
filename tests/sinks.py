"""Real local servers for notifications to arrive at, and what is sent there."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from ectopy.service.notify import Address, Guard, Message, Target

NOW_US = time.time_ns() // 1000


class HttpSink:
    """Answers with the statuses given, then 200; keeps what it was sent. `port` 0 takes a free one."""

    def __init__(self, *statuses: int, location: str = "", port: int = 0):
        self.posts: list[dict[str, Any]] = []  # what was answered with 200
        self.requests: list[str] = []
        self._statuses = list(statuses)
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                sink.requests.append(f"{self.command} {self.path}")
                status = sink._statuses.pop(0) if sink._statuses else 200
                if status == 200 and body:
                    sink.posts.append(json.loads(body))
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.place = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> HttpSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def told_to(sink: HttpSink) -> dict[str, object]:
    """Settings of a service that tells this sink."""
    return {"notify": [f"json://{sink.place}/"], "notify_inside": [sink.place]}


class SmtpSink:
    """A mail server that keeps what it was sent."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.place = f"127.0.0.1:{free.getsockname()[1]}"
        self._controller = Controller(self, hostname="127.0.0.1", port=int(self.place.partition(":")[2]))
        self._controller.start()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"

    def __enter__(self) -> SmtpSink:
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


@contextmanager
def silent() -> Iterator[str]:
    """The place of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def trickling() -> Iterator[str]:
    """The place of a server whose answer, a good one, never ends."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not over.wait(0.05):
                connection.sendall(b"x")

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        over.set()


def alone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have no settings, nor a proxy, of this machine."""
    monkeypatch.chdir(folder)
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith("ECTOPY_SERVICE_"):
            monkeypatch.delenv(name)


def target(url: str, *inside: str) -> Target:
    return Target(Address(url), Guard(inside))


def message(to: Target, key: str = "n-1", **more) -> Message:
    return Message(key, to.name, "HIGH: asystole, bed-7", "no beat for 4.2 s", at_us=NOW_US, **more)


def until(true: Callable[[], object], s: float = 10.0) -> None:
    end = time.monotonic() + s
    while not true():
        assert time.monotonic() < end, "it didn't come to pass"
        time.sleep(0.01)
