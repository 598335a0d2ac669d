"""A real service in a process of its own, on a loopback port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx


@contextmanager
def serving(data: Path, **settings: str) -> Iterator[str]:
    """Its address; told to stop at the end."""
    environment = {f"ECTOPY_SERVICE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "ectopy", "serve", "--port", "0", "--data", str(data)]
    with (data / "log").open("w+") as log:
        process = subprocess.Popen(command, stderr=log, env={**os.environ, **environment}, cwd=data)
        try:
            yield _address(process, data / "log")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def post(api: httpx.Client, url: str, **given: Any) -> httpx.Response:
    """Again and again while the analysis is behind, or the log is being replayed, and there is no credit."""
    while (answer := api.post(url, **given)).status_code == 429:
        time.sleep(0.1)
    return answer.raise_for_status()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        text = log.read_text()
        if "startup complete" in text:
            found = re.search(r"http://\S+", text)
            assert found
            return found[0]
        time.sleep(0.05)
    raise AssertionError(log.read_text())
