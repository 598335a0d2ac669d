"""`ectopy ablate`: what each choice in a model is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli._common import Models, kept_in, save_and_print, training_extra
from ectopy.cli.data import DataDir


def ablate(
    model: Annotated[
        str,
        typer.Argument(
            help="Beat model, as sequence; 'models': all of them beside each other; 'instant': its doubt in noise."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="File for the table, as Markdown.")] = None,
    protocol: Annotated[str, typer.Option(metavar="NAME", help="Which patients train it: shipped or ds1.")] = "shipped",
    runs: Annotated[Path, typer.Option(help="Folder of finished rows and of the run of instant.")] = Path("runs"),
    models: Models = None,
    resume: Annotated[bool, typer.Option(help="Go on where a table with the same settings stopped.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Undo each choice in a model.

    The table says what each was worth, out of fold. Needs the extra 'train'.
    """
    from ectopy.reports import check_file

    if out is not None:
        check_file(out)
    with training_extra(f"ablate {model}"):
        from ectopy.training import ablate as table
    with kept_in(runs):
        text = table(
            model,
            protocol=protocol,
            data_dir=data_dir,
            models=models,
            runs=runs,
            resume=resume,
            say=lambda row: typer.echo(row, err=True),
        )
    save_and_print(text, lambda: [] if out is None else [_kept(text, out)])


def _kept(text: str, out: Path) -> Path:
    from ectopy.errors import OutputError

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{out}: can't be written ({error.strerror}); choose another file") from None
    return out
