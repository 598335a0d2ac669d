"""Plays the installed recording into the service, for who has no device at hand."""

from __future__ import annotations

import atexit
import subprocess
import sys
from threading import Lock

_lock = Lock()
_playing: subprocess.Popen[bytes] | None = None


def play_demo(service: str) -> None:
    """Start, in a process that ends with the monitor, whoever looks; nothing is done while it plays already."""
    global _playing
    with _lock:
        if _playing is None or _playing.poll() is not None:
            command = [sys.executable, "-m", "ectopy", "stream", "demo", "--to", service]
            quiet = subprocess.DEVNULL
            _playing = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
            atexit.register(_playing.terminate)
