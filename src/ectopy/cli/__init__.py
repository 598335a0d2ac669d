"""The command line. Nothing heavy is imported before a command runs, so that `--help` answers at once."""

from __future__ import annotations

import io
import os
import sys
from errno import EACCES, EBADF, EIO, ENAMETOOLONG, ENOSPC, EPERM, EPIPE, EROFS
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ectopy.cli.ablate import ablate
from ectopy.cli.analyze import analyze
from ectopy.cli.compare import compare
from ectopy.cli.data import app as data
from ectopy.cli.demo import demo
from ectopy.cli.eda import eda
from ectopy.cli.evaluate import evaluate
from ectopy.cli.monitor import monitor
from ectopy.cli.serve import config, serve
from ectopy.cli.stream import stream
from ectopy.cli.train import train
from ectopy.cli.tune import tune
from ectopy.cli.watch import watch
from ectopy.cli.watchdog import watchdog
from ectopy.errors import EctopyError

__all__ = ["app", "main"]


_REFUSALS = (EACCES, EBADF, EIO, ENAMETOOLONG, ENOSPC, EPERM, EPIPE, EROFS)


class _Commands(TyperGroup):
    """The one place where an error that a user can mend becomes a line and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            return super().main(*args, **extra)
        except OSError as error:  # what the system refuses where no room has words of its own, as a full disk does
            if error.errno not in _REFUSALS:
                raise
            _drop_output()
            typer.echo(f"ectopy: {error}", err=True)
            sys.exit(2)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EctopyError as error:
            typer.echo(f"ectopy: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("ectopy: stopped", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            _drop_output()  # the reader has gone, as `head` does
            raise typer.Exit(0) from None


def _drop_output() -> None:
    """What stdout can't take: Python would complain once more when it flushes at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = typer.Typer(
    cls=_Commands,
    help="Real-time ECG anomaly detection. Research software, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # a help page drawn by rich takes 0.3 s more
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(watch)
app.command()(analyze)
app.command()(stream)
app.command()(serve)
app.command()(monitor)
app.command()(watchdog)
app.command()(config)
app.add_typer(data, name="data")
app.command()(eda)
app.command()(evaluate)
app.command()(compare)
app.command()(train)
app.command()(tune)
app.command()(ablate)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ectopy {version('ectopy')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """What the command `ectopy` runs."""
    if sys.stderr is None:  # closed by who started it, as `2>&-` does
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        typer.echo("ectopy: standard output is closed; send it to /dev/null where nobody reads it", err=True)
        sys.exit(2)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # rather than stop at a letter that its encoding lacks
    app(prog_name="ectopy")
