"""Binary frames: chunks of samples as devices and gateways send them. Everything is little-endian.

    frame  = chunk, chunk, ...
    chunk  = head, stream id in UTF-8, samples
    head   = "ECT1", u8 length of the stream id (0: the stream of the connection), 3 zero bytes, u32 epoch,
             u64 first sample, u32 number of samples, u32 bytes of samples, u32 CRC-32

The CRC (zlib's) is that of the whole chunk with its own four bytes left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from ectopy.errors import FrameError

MAX_FRAME = 256 * 1024  # bytes of a message
_MAGIC = b"ECT1"
_HEAD = struct.Struct("<4sB3sIQII")
_CRC = struct.Struct("<I")
_SIZE = _HEAD.size + _CRC.size


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples of one stream in the form of its epoch.

    stream : id; empty for that of the connection
    first, n : index of the first sample in its epoch, and how many there are
    samples : their bytes
    """

    stream: str
    epoch: int
    first: int
    n: int
    samples: bytes


def pack(chunks: Iterable[Chunk]) -> bytes:
    """One frame."""
    parts = []
    for chunk in chunks:
        name = chunk.stream.encode()
        head = _HEAD.pack(_MAGIC, len(name), b"\0\0\0", chunk.epoch, chunk.first, chunk.n, len(chunk.samples))
        parts += [head, _CRC.pack(crc32(chunk.samples, crc32(name, crc32(head)))), name, chunk.samples]
    return b"".join(parts)


def unpack(frame: bytes) -> list[Chunk]:
    """The chunks of a frame, all or none.

    Raises
    ------
    FrameError
        If it is no frame, cut short, or damaged.
    """
    chunks, at = [], 0
    while at < len(frame):
        if len(frame) - at < _SIZE:
            raise FrameError(f"frame ends within the head of a chunk at byte {at}; expected {_SIZE} bytes of it")
        magic, length, zeros, epoch, first, n, size = _HEAD.unpack_from(frame, at)
        if magic != _MAGIC or zeros != b"\0\0\0":
            raise FrameError(f"no chunk at byte {at}: it begins with {frame[at : at + 8].hex()}, not with 'ECT1'")
        begin = at + _SIZE + length
        end = begin + size
        if end > len(frame):
            raise FrameError(f"frame ends within the chunk at byte {at}: {end - len(frame)} bytes are missing")
        (wanted,) = _CRC.unpack_from(frame, at + _HEAD.size)
        if crc32(frame[at + _SIZE : end], crc32(frame[at : at + _HEAD.size])) != wanted:
            raise FrameError(f"chunk at byte {at}: its CRC-32 does not fit; send it again")
        try:
            name = frame[at + _SIZE : begin].decode()
        except UnicodeDecodeError:
            raise FrameError(f"chunk at byte {at}: its stream id is no UTF-8") from None
        if n == 0 or size % n:
            raise FrameError(f"chunk at byte {at}: {size} bytes for {n} samples")
        chunks.append(Chunk(name, epoch, first, n, frame[begin:end]))
        at = end
    return chunks
