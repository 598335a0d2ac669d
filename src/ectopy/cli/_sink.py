"""Where the notifications of `ectopy demo` arrive: a web server on this machine that prints them."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from ectopy.wire import AlarmOut


class Sink:
    """Takes what Apprise sends to a `json://` address, from a thread of its own, until it is left.

    place : its host:port
    """

    def __init__(self) -> None:
        self._raised: dict[str, datetime] = {}  # by code: when, of those that nobody has been notified of
        self._newest = 0  # alarm
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                sink.show(json.loads(body))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_port}"

    def heard(self, alarm: AlarmOut) -> None:
        """A change of an alarm, as the stream tells it."""
        if alarm.id > self._newest:
            self._newest = alarm.id
            self._raised[alarm.code] = alarm.told_at

    def show(self, notification: dict[str, str]) -> None:
        """Print one, and how long after its alarm was raised it came."""
        text, now = notification["message"], datetime.now(UTC)
        raised = [self._raised.pop(code) for code in [*self._raised] if f" {code}, " in text]
        after = f", {(now - min(raised)).total_seconds():.1f} s after the alarm was raised" if raised else ""
        lines = [f"A notification has arrived at {self.place}{after}:", notification["title"], *text.splitlines()]
        print("\n".join(f"    | {line}".rstrip() for line in lines), flush=True)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
