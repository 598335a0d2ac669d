"""`ectopy tune`: search for a model's settings on the training patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli._common import Models, kept_in, training_extra
from ectopy.cli.data import DataDir


def tune(
    model: Annotated[str, typer.Argument(help="instant, sequence, autoencoder, autoencoder-adaptive or hybrid.")],
    trials: Annotated[int, typer.Option(min=1, help="How many more trials.")] = 20,
    protocol: Annotated[str, typer.Option(metavar="NAME", help="Which patients train it: shipped or ds1.")] = "shipped",
    runs: Annotated[Path, typer.Option(help="Folder of the study, and of the run of instant.")] = Path("runs"),
    models: Models = None,
    data_dir: DataDir = None,
) -> None:
    """Search for a model's settings, out of fold. Needs the extra 'train'.

    A search that was stopped goes on; two at once share their trials.
    """
    with training_extra(f"tune {model}"):
        from ectopy.training import tune as search

    with kept_in(runs):
        path = search(
            model, trials=trials, protocol=protocol, data_dir=data_dir, models=models, runs=runs, say=typer.echo
        )
    typer.echo(f"wrote {path}")
