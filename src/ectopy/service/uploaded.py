"""The recording among the files of an upload."""

from __future__ import annotations

from pathlib import Path

from ectopy.formats import read
from ectopy.recording import Recording
from ectopy.service.limits import AnalysisLimits, RefusedError
from ectopy.service.unpack import is_archive, unpack


def read_uploaded(folder: Path, limits: AnalysisLimits) -> Recording:
    """The one recording in a folder, which may lie there as an archive.

    Raises
    ------
    RefusedError
        If there are several, or the archive is too large.
    RecordError, FormatError, LeadError
        As `ectopy.read`.
    """
    files = [*folder.iterdir()]
    if len(files) == 1 and is_archive(files[0]):
        unpack(files[0], limits)
        files = [*folder.iterdir()]
    return read(_recording(sorted(files)), remedy="upload it again")


def _recording(files: list[Path]) -> Path:
    headers = [file for file in files if file.suffix == ".hea"]
    whole = headers if len(headers) == 1 else [header for header in headers if _of_segments(header)]
    if len(whole) == 1:
        return whole[0]
    if headers:
        named = ", ".join(header.stem for header in headers[:5])
        raise RefusedError(f"{len(headers)} records ({named}{', …' * (len(headers) > 5)}); expected one at a time", 422)
    return min(files, key=lambda file: file.suffix not in (".dat", ".mat"))  # `read` misses their header


def _of_segments(header: Path) -> bool:
    """Whether it is the header of a record whose segments have headers of their own."""
    with header.open(encoding="latin-1") as file:
        lines = file.read(4096).splitlines()
    return "/" in next((line.split()[0] for line in lines if line.strip() and line[0] != "#"), "")
