"""Snapshots of running analyses: a file an epoch, so that a restart goes on where it was.

They are a shortcut and no record: one that is missing, torn or of another model is passed over, and the log is
replayed.
"""

from __future__ import annotations

import struct
from pathlib import Path
from zlib import crc32

from ectopy.service.rows import SnapshotRow

_HEAD = struct.Struct("<IQ")  # CRC-32 of what follows, sample


class Snapshots:
    """Written by the store, once the verdicts before them are kept."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def write(self, row: SnapshotRow) -> None:
        path = self._path(row.epoch)
        part = path.with_suffix(".part")
        body = _HEAD.pack(0, row.sample)[4:] + row.state
        part.write_bytes(struct.pack("<I", crc32(body)) + body)
        part.replace(path)

    def read(self, epoch: int) -> SnapshotRow | None:
        """The epoch's, if it has one that is whole."""
        try:
            content = self._path(epoch).read_bytes()
        except OSError:
            return None
        if len(content) < _HEAD.size or crc32(content[4:]) != _HEAD.unpack_from(content)[0]:
            return None
        return SnapshotRow(epoch, _HEAD.unpack_from(content)[1], content[_HEAD.size :])

    def drop(self, epoch: int) -> None:
        self._path(epoch).unlink(missing_ok=True)

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{epoch}.state"
