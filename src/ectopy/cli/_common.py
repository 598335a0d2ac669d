"""Options and remarks that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ectopy.errors import EctopyError

if TYPE_CHECKING:
    from rich.console import Console

Leads = Annotated[
    list[str] | None,
    typer.Option("--lead", metavar="NAME", help="Lead to use; repeat it for more. All of them if none is named."),
]
Model = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="Trained model that judges; the default one if left out.")
]
Models = Annotated[
    Path | None, typer.Option(help="Folder of trained models, where instant is, as `ectopy train --out` wrote it.")
]
OperatingPoint = Annotated[
    str, typer.Option("--operating-point", metavar="NAME", help="balanced, high-sensitivity or few-alarms.")
]
_SLOWEST = 0.001  # slower than that a second of signal takes a quarter of an hour


def _factor(text: str) -> float:
    """A factor of real time; `max` is infinite."""
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not speed >= _SLOWEST:
        raise typer.BadParameter(f"{text}: expected a factor of {_SLOWEST} or more, as 20, or 'max'")
    return speed


Speed = Annotated[float, typer.Option(parser=_factor, metavar="FACTOR|max", help="How much faster than real time.")]


def remark(source: str) -> None:
    """Say on stderr what everybody who sees a verdict must know."""
    from ectopy.figures import DISCLAIMER

    typer.echo(DISCLAIMER, err=True)
    if source == "demo":
        about = "demo: MIT-BIH record 208, a training patient: it shows the program, not its accuracy."
        typer.echo(about, err=True)


def remark_unit(calibrated: bool) -> None:
    """Say on stderr where amplitudes mean nothing."""
    if not calibrated:
        from ectopy.recording import NOT_CALIBRATED

        typer.echo(NOT_CALIBRATED, err=True)


def stdout_console() -> Console:
    """A console that tells of a reader that has gone as `print` does; rich's own ends with code 1."""
    from rich.console import Console

    class Stdout(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Stdout()


def save_and_print(text: str, save: Callable[[], list[Path]]) -> None:
    """Either, though the other fails: the disk may be full, the reader may have gone."""
    try:
        written = save()
    except EctopyError:
        with suppress(OSError):  # what could not be saved is what is told in the end
            typer.echo(text)
        raise
    typer.echo(text)
    for path in written:
        typer.echo(f"wrote {path}")


@contextmanager
def training_extra(what: str) -> Iterator[None]:
    """Says what to install where `ectopy.training` can't be imported within."""
    from ectopy.errors import ModelError

    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith("ectopy"):
            raise
        remedy = "install it with: pip install 'ectopy[train]'"
        raise ModelError(f"{what}: needs the package {error.name}; {remedy}") from None


@contextmanager
def kept_in(runs: Path) -> Iterator[None]:
    """Refuses a folder that can't keep a run, before there is one; says so where the disk is full in its midst."""
    from ectopy.errors import OutputError
    from ectopy.reports import check_folder

    check_folder(runs)
    try:
        yield
    except BrokenPipeError:
        raise  # the reader has gone
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(
            f"{error.filename or runs}: can't be written ({why}); make room and start again, which goes on, or name "
            "another folder with --runs"
        ) from error


@contextmanager
def record_progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar of records; what it gives is called with the name of each that is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("records", total=total)
        yield lambda name: bar.update(task, advance=1, description=name)
