"""Options and remarks that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Leads = Annotated[
    list[str] | None,
    typer.Option("--lead", metavar="NAME", help="Lead to use; repeat it for more. All of them if none is named."),
]
Model = Annotated[str, typer.Option("--model", metavar="NAME", help="Trained model that judges.")]


def remark(source: str) -> None:
    """Say on stderr what everybody who sees a verdict must know."""
    from ectopy.figures import DISCLAIMER

    typer.echo(DISCLAIMER, err=True)
    if source == "demo":
        about = "demo: MIT-BIH record 208, a training patient: it shows the program, not its accuracy."
        typer.echo(about, err=True)
