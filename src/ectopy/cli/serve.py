"""`ectopy serve`: the service. `ectopy config`: its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Loopback address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the database and of the samples.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Model that judges.")] = None,
) -> None:
    """Serve the REST and WebSocket API on this machine.

    Further settings come from ectopy.toml and the environment: see 'ectopy config'.
    """
    from ectopy.figures import DISCLAIMER
    from ectopy.service.settings import load_settings

    given = {"host": host, "port": port, "data": data, "model": model}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})

    from ectopy.service.notify import Targets
    from ectopy.service.server import bind
    from ectopy.service.server import serve as run
    from ectopy.zoo import load

    load(settings.model).at(settings.operating_point)
    Targets.of(settings)
    listener = bind(settings)
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(DISCLAIMER, err=True)
    typer.echo(
        f"Ectopy listens on http://{shown}:{listener.getsockname()[1]} (API: /docs); data: {settings.data}", err=True
    )
    run(settings, listener)


def config() -> None:
    """Print the settings of the service, and which of them are set."""
    from ectopy.service.settings import Settings, load_settings

    settings = load_settings()
    for name, field in Settings.model_fields.items():
        changed = "  (set)" if name in settings.model_fields_set else ""
        typer.echo(f"{name} = {getattr(settings, name)!s}{changed}")
        if field.description:
            typer.echo(f"    {field.description}; environment: ECTOPY_SERVICE_{name.upper()}")
