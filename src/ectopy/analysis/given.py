"""Samples and leads as a caller gives them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import index
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ectopy.errors import LeadError, SignalError


def as_samples(samples: ArrayLike) -> NDArray[np.float32]:
    """A copy as float32, as recordings have them; what a masked array masks is NaN.

    Raises
    ------
    SignalError
        If they are no numbers.
    """
    try:
        if isinstance(samples, np.ma.MaskedArray):
            samples = np.ma.filled(samples.astype(np.float64), np.nan)
        x = np.asarray(samples)
        if x.dtype.kind not in "biufO":
            raise TypeError
        if x.dtype == np.float32:
            return x.copy()
        with np.errstate(over="ignore"):  # what no float32 holds is infinite, and so missing
            return x.astype(np.float32)
    except (TypeError, ValueError, OverflowError):
        raise SignalError("samples are no numbers; expected an array of shape (n,) or (n, n_leads)") from None


def named(leads: Sequence[str] | int) -> tuple[str, ...]:
    """Names of leads, or of so many of them.

    Raises
    ------
    LeadError
        If there is none, two have one name, or it is neither names nor a number.
    """
    if isinstance(leads, str):
        names: tuple[str, ...] = (leads,)
    elif isinstance(leads, SupportsIndex) and not isinstance(leads, np.ndarray):
        names = tuple(f"lead {n + 1}" for n in range(index(leads)))
    elif isinstance(leads, Collection) and all(isinstance(name, str) for name in leads):
        names = tuple(map(str, leads))
    else:
        raise LeadError(f"leads {leads!r}: expected their names, or how many there are")
    if not names:
        raise LeadError("no lead to analyse; name at least one")
    if len(set(names)) < len(names):
        raise LeadError(f"leads {', '.join(names)}: two of one name; give each its own")
    return names
