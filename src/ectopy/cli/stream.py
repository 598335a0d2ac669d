"""`ectopy stream`: play a recording, or a device, into a service."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ectopy.cli._common import Leads, Speed, remark, remark_unit
from ectopy.cli.data import DataDir

if TYPE_CHECKING:
    from ectopy.cli._sources import Source


class UnitChoice(StrEnum):
    mV = "mV"
    uV = "uV"
    V = "V"
    unknown = "unknown"


class BinaryChoice(StrEnum):
    int16 = "int16"
    float32 = "float32"


def stream(
    record: Annotated[
        str,
        typer.Argument(metavar="RECORD|-", help="'demo', a record as mitdb/100, a file, or '-': a device piped in."),
    ],
    to: Annotated[str, typer.Option(metavar="URL", help="The service, as http://127.0.0.1:8700.")],
    stream_id: Annotated[
        str | None, typer.Option("--stream", metavar="ID", help="Stream to write; the record's name if left out.")
    ] = None,
    speed: Speed = 1.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a verdict, or change of an alarm.")
    ] = False,
    lead: Leads = None,
    data_dir: DataDir = None,
    fs: Annotated[
        str | None, typer.Option(metavar="HZ", help="Of '-': sampling rate, as 360 or 1000/3.", show_default=False)
    ] = None,
    unit: Annotated[UnitChoice, typer.Option(help="Of '-': what its values are.")] = UnitChoice.unknown,
    gain: Annotated[float, typer.Option(min=1e-9, help="Of '-': a value is a number divided by it.")] = 1.0,
    binary: Annotated[
        BinaryChoice | None, typer.Option(help="Of '-': little-endian numbers; without it a line of text a sample.")
    ] = None,
) -> None:
    """Play a recording, or a device piped in, into a running service.

    Its verdicts and alarms are printed as they come. Where it goes away, samples are kept until it is back. A device's
    text has a number for each --lead, comma or blank between them; empty or nan is missing.
    """
    import asyncio

    if record == "-":
        source = _device(fs, lead or ["ECG"], unit, gain, binary, speed)
    else:
        source = _recording(record, lead, data_dir, speed, fs)

    from ectopy.cli._playing import play
    from ectopy.cli._sources import stream_id as nearest

    remark(record)
    remark_unit(source.request.unit != "unknown")
    name = stream_id or nearest("device" if record == "-" else record)
    tally = asyncio.run(play(source, to, name, as_json=as_json))
    typer.echo(tally, err=as_json)


def _device(
    fs: str | None, leads: list[str], unit: UnitChoice, gain: float, binary: BinaryChoice | None, speed: float
) -> Source:
    from ectopy.cli._sources import piped

    if fs is None:
        raise typer.BadParameter("'-' has no sampling rate of its own; name it, as --fs 360")
    if speed != 1:
        raise typer.BadParameter("'-' comes as fast as the device sends it; leave --speed out")
    return piped(fs, leads, unit.value, gain, binary and binary.value)


def _recording(record: str, lead: list[str] | None, data_dir: Path | None, speed: float, fs: str | None) -> Source:
    from ectopy.cli._sources import recorded
    from ectopy.data import read

    if fs is not None:
        raise typer.BadParameter(f"{record} has a sampling rate of its own; leave --fs out")
    return recorded(read(record, leads=lead, data_dir=data_dir), speed)
