"""`ectopy eda`: a look at the data before the models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli.data import DataDir


def eda(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATABASE|FILES]...", help="Databases, records as mitdb/100, files; demo if none."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report and its figures.")] = Path("eda"),
    data_dir: DataDir = None,
) -> None:
    """Look at data: a report in one HTML file, and its figures."""
    from ectopy.reports import check_folder
    from ectopy.reports.eda import explore, save

    check_folder(out)

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        records, figures = bar.add_task("records", total=None), bar.add_task("figures", total=None)
        tables = explore(
            sources or ["demo"],
            data_dir,
            lambda done, total, name: bar.update(records, completed=done, total=total, description=name),
        )
        written = save(
            tables,
            out,
            data_dir,
            lambda done, total, title: bar.update(figures, completed=done, total=total, description=title),
        )
    for note in tables.notes:
        typer.echo(note, err=True)
    typer.echo(f"wrote {written[-1]} and {len(written) - 1} figures beside it")
