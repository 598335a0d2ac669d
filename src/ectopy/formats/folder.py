"""The one record in a folder of files that somebody sent."""

from __future__ import annotations

from pathlib import Path

from ectopy.errors import RecordError
from ectopy.formats.archive import is_archive, unpack


def record_in(
    folder: Path, *, most_files: int | None = None, most_bytes: int | None = None, room: int | None = None
) -> Path:
    """What `read` is to read of it; a single archive is unpacked first.

    most_files, most_bytes : that may come out of the archive; None for as many as there are
    room : bytes of disk that they may take; None for all that is free

    Raises
    ------
    RecordError
        If there are several records.
    FormatError, TooLargeError
        If the archive is damaged, or more comes out of it.
    OutputError
        If the disk has no room for that.
    """
    files = [*folder.iterdir()]
    if len(files) == 1 and is_archive(files[0]):
        unpack(files[0], most_files=most_files, most_bytes=most_bytes, room=room)
        files = [*folder.iterdir()]
    headers = sorted(file for file in files if file.suffix == ".hea")
    whole = headers if len(headers) == 1 else [header for header in headers if _of_segments(header)]
    if len(whole) == 1:
        return whole[0]
    if headers:
        named = ", ".join(header.stem for header in headers[:5]) + ", …" * (len(headers) > 5)
        raise RecordError(f"{len(headers)} records ({named}); expected one at a time")
    return min(sorted(files), key=lambda file: file.suffix not in (".dat", ".mat"))  # `read` misses their header


def _of_segments(header: Path) -> bool:
    """Whether it is the header of a record whose segments have headers of their own."""
    with header.open(encoding="latin-1") as file:
        lines = file.read(4096).splitlines()
    return "/" in next((line.split()[0] for line in lines if line.strip() and line[0] != "#"), "")
