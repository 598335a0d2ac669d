"""Zip archives of a record, unpacked within limits that are counted as bytes come out: headers may lie."""

from __future__ import annotations

import struct
import zlib
from errno import EDQUOT, EFBIG, EINVAL, ENOSPC
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ectopy.errors import FormatError, OutputError, TooLargeError

_PIECE = 1024 * 1024  # bytes
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")  # of the first member; of the end, where there is none
_DAMAGED = (  # what `zipfile` raises, which believes what it reads
    BadZipFile,
    EOFError,
    IndexError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
)
_LONGEST = 200  # bytes of a file's name: file systems take 255


def file_name(given: str) -> str:
    """The name alone of what may be a path.

    Raises
    ------
    FormatError
        If nothing is left, or no file can be called so.
    """
    name = _alone(given)
    if not name or name.startswith(".") or not name.isprintable() or len(name.encode(errors="replace")) > _LONGEST:
        raise FormatError(f"{given[:_LONGEST]!r} is no name for a file; expected one as 100.hea")
    return name


def _alone(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


def unpack(path: Path, *, most_files: int | None, most_bytes: int | None, room: int | None) -> None:
    """Put the files of an archive beside it, without their folders, and remove it.

    most_files, most_bytes : that may come out of it; None for as many as there are
    room : bytes of disk that they may take; None for all that is free

    Raises
    ------
    TooLargeError
        If it holds more.
    FormatError
        If it is damaged, encrypted, compressed in an unusual way, or has two files of one name.
    OutputError
        If the disk has no room for them.
    """
    try:
        with ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not _hidden(m)]
            _check(path, members, most_files)
            came = 0
            for member in members:
                target = path.with_name(file_name(member.filename))
                if target.exists():
                    raise FormatError(f"{path.name}: two files are called {target.name}; expected one record in it")
                with archive.open(member) as source, target.open("xb") as sink:
                    while piece := source.read(_PIECE):
                        came += len(piece)
                        if most_bytes is not None and came > most_bytes:
                            raise TooLargeError(
                                f"{path.name}: more than {most_bytes:,} bytes come out of it; unpack it yourself"
                            )
                        if room is not None and came > room:
                            raise OSError(ENOSPC, f"{room:,} bytes may be taken")
                        sink.write(piece)
    except OSError as error:
        if error.errno == EINVAL:  # a damaged one names places before its beginning
            raise FormatError(f"{path.name}: no archive that can be unpacked; make it again") from None
        if error.errno in (EDQUOT, EFBIG, ENOSPC):
            raise OutputError(f"{path.name}: no room for what comes out of it ({error.strerror})") from None
        raise
    except _DAMAGED as error:
        raise FormatError(f"{path.name}: no archive that can be unpacked ({error}); make it again") from None
    path.unlink()


def _hidden(member: ZipInfo) -> bool:
    """Not part of a record: what file systems put beside files."""
    return _alone(member.filename).startswith(".") or member.filename.startswith("__MACOSX/")


def _check(path: Path, members: list[ZipInfo], most: int | None) -> None:
    if not members:
        raise FormatError(f"{path.name}: an archive without a file; expected a record in it")
    if most is not None and len(members) > most:
        raise TooLargeError(f"{path.name}: {len(members):,} files; expected one record of at most {most}")
    for member in members:
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise FormatError(f"{path.name}: {member.filename[:99]} is compressed unusually; expected 'deflate'")
