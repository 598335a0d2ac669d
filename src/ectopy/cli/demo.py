"""`ectopy demo`: the whole of it on this machine, with the recording that comes with every install."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from ectopy.cli._common import Speed, remark

if TYPE_CHECKING:
    from ectopy.cli._sink import Sink
    from ectopy.client import Client

_STOP_S = 15
_STREAM = "demo"
_RULES = {"tachycardia": {"priority": "high"}}
_AUTHOR = "ectopy demo"


def demo(speed: Speed = 10.0) -> None:
    """Start a service and a monitor of its own and play the installed recording; verdicts and alarms appear as they
    come, here and in the browser.

    A notification goes to a receiver on this machine and is shown. Nothing is left behind: all data lie in a folder
    that is removed at the end. In a terminal the monitor stays until Ctrl-C.
    """
    import asyncio

    from ectopy.cli._sink import Sink
    from ectopy.monitor import monitoring

    with (
        TemporaryDirectory(prefix="ectopy-demo-") as folder,
        Sink() as sink,
        _service(Path(folder), sink) as url,
        monitoring(url) as pages,
    ):
        typer.echo(f"The service runs at {url} (its API: {url}/docs); Ctrl-C ends it", err=True)
        typer.echo(f"Watch it in a browser: {pages.url}", err=True)
        if speed > 1:
            typer.echo(
                f"Played {speed:g} times as fast as life, the recording's times run ahead of the clock", err=True
            )
        remark("demo")
        typer.echo(
            "Nothing in it threatens life, so the stream gets a rule of its own, as a ward may give a patient at risk: "
            "tachycardia is a high-priority alarm.\n",
            err=True,
        )
        asyncio.run(_play(url, speed, sink))
        if sys.stdout.isatty():
            typer.echo(f"The monitor stays open at {pages.url}, with all that was played; Ctrl-C ends it", err=True)
            pages.process.wait()


async def _play(url: str, speed: float, sink: Sink) -> None:
    from ectopy.cli._playing import play
    from ectopy.cli._sources import recorded
    from ectopy.client import Client
    from ectopy.data import read

    async def opened(client: Client) -> None:
        await client.set_rules(_STREAM, _RULES, _AUTHOR)

    typer.echo(await play(recorded(read("demo"), speed), url, _STREAM, opened=opened, heard=sink.heard))
    async with Client(url) as client:
        async for alarm in client.alarms(stream=_STREAM):
            if alarm.presence == "latched":
                what = f"{alarm.priority}-priority alarm {alarm.id}, {alarm.code}"
                typer.echo(f"Still open: {what}: over, and latched until somebody acknowledges it")


@contextmanager
def _service(folder: Path, sink: Sink) -> Iterator[str]:
    """The address of a service that runs in a process of its own, and notifies the sink."""
    from ectopy.errors import ServiceError

    log = folder / "log"
    command = [sys.executable, "-m", "ectopy", "serve", "--port", "0", "--data", str(folder / "data")]
    # No setting of this machine's service: nobody is to be paged by a demonstration.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ECTOPY_SERVICE_")}
    environment |= {"ECTOPY_SERVICE_NOTIFY": f"json://{sink.place}/", "ECTOPY_SERVICE_NOTIFY_INSIDE": sink.place}
    environment |= dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1")
    with log.open("w") as file:
        process = subprocess.Popen(command, stderr=file, cwd=folder, env=environment)
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
