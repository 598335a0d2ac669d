"""`ectopy train`: train a model from the data alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli._common import kept_in, training_extra
from ectopy.cli.data import DataDir


def train(
    model: Annotated[
        str,
        typer.Argument(
            help="Model to train: instant, sequence, autoencoder, autoencoder-adaptive or hybrid; all of them; or an "
            "index: quality or rhythm."
        ),
    ],
    protocol: Annotated[str, typer.Option(metavar="NAME", help="Which patients train it: shipped or ds1.")] = "shipped",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the trained model; the installed models' if not given.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of what a run needs to go on after a break.")] = Path("runs"),
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Folds of instant's cross-validation by patient, which the others take over: 4."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on where a run with the same settings stopped.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Train a model, and write it as ONNX with its card. Needs the extra 'train'."""
    if model in ("quality", "rhythm") and not (protocol == "shipped" and seed == 0 and folds is None and resume):
        raise typer.BadParameter(f"{model} is fitted at once, on records of its own; with it go --out and --data-dir")
    if folds is not None and model not in ("instant", "all"):
        raise typer.BadParameter(f"--folds goes with instant, whose folds {model} takes over")
    with training_extra(f"train {model}"):
        from ectopy.training import RECIPES, train_model

    for name in ("instant", *RECIPES) if model == "all" else (model,):
        with kept_in(runs):
            folder = train_model(
                name,
                protocol=protocol,
                data_dir=data_dir,
                out=out,
                runs=runs,
                seed=seed,
                n_folds=folds or 4,
                resume=resume,
            )
        typer.echo(f"wrote {folder}")
