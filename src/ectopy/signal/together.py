"""States of several streams as one, and apart again: what runs lead by lead can run for the leads of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import accumulate, chain, pairwise
from typing import Any, TypeVar, cast

import numpy as np

T = TypeVar("T")


def joined(states: Sequence[T]) -> T:
    """One state with the leads of all, one stream's behind the other's.

    states : dataclasses, arrays and lists whose first axis is the lead, and what is the same in all
    """
    return cast(T, _joined(states))


def parted(state: T, sizes: Sequence[int]) -> list[T]:
    """The states of streams with so many leads each; arrays are copied, so that none keeps another's alive."""
    return cast(list[T], _parted(state, [*pairwise(accumulate(sizes, initial=0))]))


def _joined(states: Sequence[Any]) -> Any:
    first = states[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(states)
    if isinstance(first, list):
        return [*chain.from_iterable(states)]
    if is_dataclass(first):
        kind: Any = type(first)
        return kind(*(_joined([getattr(state, name) for state in states]) for name in _names(kind)))
    return first


def _parted(state: Any, places: Sequence[tuple[int, int]]) -> list[Any]:
    if isinstance(state, (np.ndarray, list)):
        return [state[begin:end].copy() for begin, end in places]
    if is_dataclass(state):
        kind: Any = type(state)
        columns = [_parted(getattr(state, name), places) for name in _names(kind)]
        return [kind(*row) for row in zip(*columns, strict=True)]
    return [state] * len(places)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
