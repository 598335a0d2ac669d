"""A stream's state as bytes: JSON for the tree of dataclasses, NPY for its arrays, in one zip. No pickle.

Versioned: another schema, model, operating point, rate, hop or set of leads is refused.
"""

from __future__ import annotations

import io
import json
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from ectopy.errors import StateError

SCHEMA = 3  # raise it with any change to a state's fields or their order

T = TypeVar("T")


def encode(state: Any, identity: dict[str, object]) -> bytes:
    """The state, and what the stream that goes on from it must agree with."""
    arrays: dict[str, np.ndarray] = {}
    tree = _pack(state, arrays)
    head = json.dumps({"schema": SCHEMA, **identity, "state": tree}).encode()
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, head=np.frombuffer(head, np.uint8), **arrays)
    return file.getvalue()


def decode(kind: type[T], saved: bytes, identity: dict[str, object]) -> T:
    """The state, if it fits.

    Raises
    ------
    StateError
        If it does not, or is no saved state.
    """
    try:
        with np.load(io.BytesIO(saved), allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            for name, wanted in {"schema": SCHEMA, **identity}.items():
                if head[name] != wanted:
                    raise StateError(
                        f"saved state of another {name}: {head[name]}, but this stream has {wanted}; "
                        "start it as it was, or from its first sample"
                    )
            state: T = _unpack(kind, head["state"], arrays)
            return state
    except StateError:
        raise
    except Exception:  # whatever a damaged zip does to its readers
        raise StateError(f"no saved state, or a damaged one ({len(saved):,} bytes); start the stream anew") from None


def _pack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return name
    if is_dataclass(value):
        return [_pack(getattr(value, field.name), arrays) for field in fields(value)]
    if isinstance(value, (list, tuple)):
        return [_pack(item, arrays) for item in value]
    return value


def _unpack(kind: Any, value: Any, arrays: Any) -> Any:
    origin = get_origin(kind)
    if origin is np.ndarray:
        return arrays[value]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        values = [_unpack(hints[f.name], v, arrays) for f, v in zip(fields(kind), value, strict=True)]
        return kind(*values)  # type: ignore[operator]  # is_dataclass narrows Any to an instance
    if origin in (list, tuple):
        return origin(_unpack(get_args(kind)[0], item, arrays) for item in value)
    return value
