"""Segment files: the raw samples of all streams, one behind the other, as they came.

What lies behind the last index row of a segment was never acknowledged: after a crash a new segment is begun, and
nothing is ever written over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path

_FULL = 64 * 1024 * 1024  # bytes from which on the next segment is begun


class Segments:
    """Appends in one thread, reads from any."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        _sync(folder.parent)
        self._folder = folder
        numbers = (int(path.stem) for path in folder.glob("*.seg") if path.stem.isdecimal())  # others are not its own
        self._number = max(numbers, default=0)
        self._file: int | None = None
        self._size = 0

    def append(self, parts: list[bytes]) -> list[tuple[int, int]]:
        """Write them and have the disk confirm it; gives segment and place of each.

        Raises
        ------
        OSError
            If the disk is full or fails: nothing of them stays, and the next call begins a new segment.
        """
        try:
            file = self._open()
            places, at = [], self._size
            for part in parts:
                places.append((self._number, at))
                at += len(part)
            rest = memoryview(b"".join(parts))
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fdatasync(file)
        except OSError:
            self._drop_rest()
            self.close()
            raise
        self._size = at
        return places

    def read(self, places: Iterable[tuple[int, int, int]]) -> Iterator[bytes]:
        """Bytes that were appended: by segment, place in it, and how many.

        Raises
        ------
        OSError
            If they are not there.
        """
        for segment, some in groupby(places, key=itemgetter(0)):
            with self._path(segment).open("rb", buffering=0) as file:
                for _, at, size in some:
                    found = os.pread(file.fileno(), size, at)
                    if len(found) < size:
                        raise OSError(f"{self._path(segment)}: {len(found)} of {size} bytes at {at}")
                    yield found

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        if self._file is not None and self._size >= _FULL:
            self.close()
        if self._file is None:
            self._number, self._size = self._number + 1, 0
            self._file = os.open(self._path(self._number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            _sync(self._folder)
        return self._file

    def _drop_rest(self) -> None:
        """What is behind the last that was appended: calls that fail again and again would fill the disk with it."""
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
                if not self._size:
                    self._path(self._number).unlink()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}.seg"


def _sync(folder: Path) -> None:
    """The names in it must outlive a power cut too."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
