"""`ectopy data`: the databases that Ectopy knows, and getting one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli._common import stdout_console

app = typer.Typer(help="List and fetch PhysioNet databases.", no_args_is_help=True, rich_markup_mode=None)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of databases, before ECTOPY_DATA and the user's cache."),
]


@app.command("list")
def list_(data_dir: DataDir = None) -> None:
    """List the databases, and where each lies on this machine."""
    from rich.table import Table

    from ectopy.data import CATALOGUE, find
    from ectopy.errors import RecordError

    table = Table(box=None, header_style="bold")
    for column in ("name", "records", "Hz", "leads", "licence"):
        table.add_column(column, no_wrap=True)
    table.add_column("title")
    table.add_column("found in", overflow="fold")
    for name, known in CATALOGUE.items():
        try:
            place = str(find(name, data_dir))
        except RecordError:
            place = "-"
        numbers = (str(known.records), str(known.fs), str(known.leads))
        table.add_row(name, *numbers, known.licence, known.title, place)
    stdout_console().print(table)


@app.command("get")
def get(
    name: Annotated[str, typer.Argument(help="Database, as mitdb; 'ectopy data list' names them.")],
    data_dir: DataDir = None,
) -> None:
    """Fetch a database; a broken run goes on where it stopped."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ectopy.data import database, fetch

    known = database(name)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
    received = 0
    with Progress(*columns, TextColumn("{task.fields[received]}")) as bar:
        task = bar.add_task(known.name, total=None, received="")

        def show(done: int, total: int, new: int) -> None:
            nonlocal received
            received += new
            bar.update(task, completed=done, total=total, received=f"{received / 1e6:.1f} MB received")

        try:
            folder = fetch(name, data_dir, show)
        except KeyboardInterrupt:
            bar.stop()
            typer.echo(f"stopped; 'ectopy data get {name}' goes on from here", err=True)
            raise typer.Exit(130) from None
    here = sum(file.suffix == ".hea" for file in folder.iterdir())
    if here < known.records:  # what the server's list lacks, nobody misses
        typer.echo(
            f"{name}: the server lists only {here} of its {known.records} records; if it should have more, delete "
            f"{folder / 'SHA256SUMS.txt'} and run the same command again",
            err=True,
        )
    typer.echo(f"{known.title} is in {folder}")
    typer.echo(f"{known.licence}; cite: {known.citation}")
