"""A stream's state as bytes: JSON for the tree of dataclasses, behind it the bytes of its arrays. No pickle, and no
zip: a service saves a thousand streams every half minute.

    state = "ECTS", u32 CRC-32 of what follows, u32 bytes of the JSON, JSON, arrays one behind the other; little-endian

Versioned: another schema, model, operating point, rate, hop or set of leads is refused.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints
from zlib import crc32

import numpy as np

from ectopy.errors import StateError

SCHEMA = 12  # raise it with any change to a state's fields or their order
_MAGIC = b"ECTS"
_PLAIN = frozenset({bool, int, float, str, type(None)})
_SIZES = struct.Struct("<II")  # CRC-32, bytes of the JSON

T = TypeVar("T")


def encode(state: Any, identity: dict[str, object]) -> bytes:
    """The state, and what the stream that goes on from it must agree with."""
    arrays: list[np.ndarray] = []
    tree = _pack(state, arrays)
    shapes = [(array.dtype.newbyteorder("<").str, array.shape) for array in arrays]
    head = json.dumps({"schema": SCHEMA, **identity, "arrays": shapes, "state": tree}).encode()
    body = b"".join([head, *(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes() for array in arrays)])
    return _MAGIC + _SIZES.pack(crc32(body), len(head)) + body


def decode(kind: type[T], saved: bytes, identity: dict[str, object]) -> T:
    """The state, if it fits.

    Raises
    ------
    StateError
        If it does not, or is no saved state.
    """
    try:
        crc, size = _SIZES.unpack_from(saved, len(_MAGIC))
        body = memoryview(saved)[len(_MAGIC) + _SIZES.size :]
        if not saved.startswith(_MAGIC) or crc32(body) != crc:
            raise ValueError
        head = json.loads(bytes(body[:size]))
        for name, wanted in {"schema": SCHEMA, **identity}.items():
            if head[name] != wanted:
                raise StateError(
                    f"saved state of another {name}: {head[name]}, but this stream has {wanted}; "
                    "start it as it was, or from its first sample"
                )
        state: T = _unpack(kind, head["state"], list(_arrays(head["arrays"], body[size:])))
        return state
    except StateError:
        raise
    except Exception:  # whatever a damaged one has in it
        raise StateError(f"no saved state, or a damaged one ({len(saved):,} bytes); start the stream anew") from None


def _arrays(shapes: list[tuple[str, list[int]]], content: memoryview) -> Iterator[np.ndarray]:
    for dtype, shape in shapes:
        array = np.frombuffer(content, dtype, int(np.prod(shape))).reshape(shape)
        yield array.astype(array.dtype.newbyteorder("="))  # a copy, to be written to
        content = content[array.nbytes :]


def _pack(value: Any, arrays: list[np.ndarray]) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return len(arrays) - 1
    if isinstance(value, (list, tuple)):
        return [_pack(item, arrays) for item in value]
    if is_dataclass(value):
        return [_pack(getattr(value, name), arrays) for name, _ in _kinds(cast(Any, type(value)))]
    return value


def _unpack(kind: Any, value: Any, arrays: list[np.ndarray]) -> Any:
    origin = get_origin(kind)
    if origin is np.ndarray:
        return arrays[value]
    if is_dataclass(kind):
        values = [_unpack(hint, item, arrays) for (_, hint), item in zip(_kinds(cast(Any, kind)), value, strict=True)]
        return kind(*values)  # type: ignore[operator]  # is_dataclass narrows Any to an instance
    if origin in (list, tuple):
        return origin(_unpack(get_args(kind)[0], item, arrays) for item in value)
    return value


@cache
def _kinds(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Names and types of a dataclass's fields."""
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in fields(kind))
