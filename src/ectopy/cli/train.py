"""`ectopy train`: train a model from the data alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli._common import training_extra
from ectopy.cli.data import DataDir


def train(
    model: Annotated[
        str, typer.Argument(help="Model to train: instant, sequence, autoencoder, hybrid, all, or quality, rhythm.")
    ],
    protocol: Annotated[str, typer.Option(metavar="NAME", help="Which patients train it: shipped or ds1.")] = "shipped",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the trained model; the installed models' if not given.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of what a run needs to go on after a break.")] = Path("runs"),
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation by patient.")] = 4,
    resume: Annotated[bool, typer.Option(help="Go on where a run with the same settings stopped.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Train a model, and write it as ONNX with its card. Needs the extra 'train'."""
    with training_extra(f"train {model}"):
        from ectopy.training import RECIPES, train_model

    for name in ("instant", *RECIPES) if model == "all" else (model,):
        folder = train_model(
            name,
            protocol=protocol,
            data_dir=data_dir,
            out=out,
            runs=runs,
            seed=seed,
            n_folds=folds,
            resume=resume,
        )
        typer.echo(f"wrote {folder}")
