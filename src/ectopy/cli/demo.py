"""`ectopy demo`: the whole of it on this machine, with the recording that comes with every install."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from ectopy.cli._common import Speed

_STOP_S = 15


def demo(speed: Speed = 10.0) -> None:
    """Start a service of its own and play the installed recording into it; verdicts appear as they come.

    Nothing is left behind: its data lie in a folder that is removed at the end.
    """
    with TemporaryDirectory(prefix="ectopy-demo-") as folder, _service(Path(folder)) as url:
        typer.echo(f"The service runs at {url} (its API: {url}/docs); Ctrl-C ends it", err=True)
        from ectopy.cli.stream import stream

        stream("demo", to=url, speed=speed)


@contextmanager
def _service(folder: Path) -> Iterator[str]:
    """The address of a service that runs in a process of its own."""
    from ectopy.errors import ServiceError

    log = folder / "log"
    command = [sys.executable, "-m", "ectopy", "serve", "--port", "0", "--data", str(folder / "data")]
    with log.open("w") as sink:
        process = subprocess.Popen(command, stderr=sink, cwd=folder)
    try:
        while process.poll() is None:
            said = log.read_text(encoding="utf-8")
            if "startup complete" in said:
                yield next(word for word in said.split() if word.startswith("http://"))
                return
            time.sleep(0.05)
        raise ServiceError(f"the service did not start: {log.read_text(encoding='utf-8').strip()[-300:]}")
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
