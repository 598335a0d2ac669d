"""`ectopy monitor`: the pages in a browser."""

from __future__ import annotations

from typing import Annotated

import typer


def monitor(
    to: Annotated[str, typer.Option(metavar="URL", help="The service.")] = "http://127.0.0.1:8700",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages; 0 takes a free one.")] = 8501,
) -> None:
    """Show the live wall, and its alarms, in a browser on this machine."""
    import signal
    import sys

    from ectopy.errors import ServiceError
    from ectopy.figures import DISCLAIMER
    from ectopy.monitor import monitoring

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the pages end with it
    with monitoring(to, port) as running:
        typer.echo(DISCLAIMER, err=True)
        typer.echo(f"The monitor of {to} runs at {running.url}; Ctrl-C ends it", err=True)
        running.process.wait()
    raise ServiceError("the monitor has stopped by itself")
