"""`ectopy analyze`: judge a whole recording."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ectopy.cli._common import Leads, Model, OperatingPoint, remark, stdout_console
from ectopy.cli.data import DataDir


def analyze(
    file: Annotated[str, typer.Argument(help="A file, 'demo', or a record as mitdb/100.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for beats, intervals, findings, alarms and a picture of the worst intervals."),
    ] = None,
    model: Model = None,
    operating_point: OperatingPoint = "balanced",
    lead: Leads = None,
    data_dir: DataDir = None,
) -> None:
    """Analyse a recording and say what is abnormal in it."""
    from ectopy.data import read
    from ectopy.reports import check_folder, save, show

    recording = read(file, leads=lead, data_dir=data_dir)
    if out is not None:
        check_folder(out)

    from rich.console import Console
    from rich.progress import Progress

    from ectopy.analysis import analyze as judge  # after what may be wrong: this takes two seconds
    from ectopy.verdict import DEFAULT_MODEL

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("analysing", total=1.0)
        analysis = judge(
            recording,
            model=model or DEFAULT_MODEL,
            operating_point=operating_point,
            progress=lambda share: bar.update(task, completed=share),
        )
    written = save(analysis, out) if out is not None else []  # first: who reads the text may go away
    remark(file)
    show(analysis, stdout_console())
    if written:
        typer.echo("\n".join(["", *(f"wrote {path}" for path in written)]))
