"""A trace in characters, for terminals."""

from __future__ import annotations

import numpy as np

# The bits of a braille character's dots, from top to bottom: its left column, its right column.
_DOTS = np.array([[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]])


def braille(values: np.ndarray, width: int, height: int) -> list[str]:
    """Draw a signal as `height` lines of `width` braille characters, two by four dots each.

    values : (n,) float, spread over the width; blank where it is not finite

    The scale fits all but the outermost 0.2 % of the values: a spike is cut, and the rest stays readable.
    """
    columns, rows = 2 * width, 4 * height
    finite = np.isfinite(values)
    dots = np.zeros((rows, columns), dtype=bool)
    if finite.any():
        low, high = np.quantile(values[finite], [0.002, 0.998])
        scale = (rows - 1) / (high - low) if high > low else 0.0
        level = (rows - 1) / 2 if scale == 0 else np.clip((high - values) * scale, 0, rows - 1)
        level = np.where(finite, level, np.nan)
        column = np.arange(len(values)) * columns // len(values)
        last = np.nan
        for i in range(columns):
            here = level[np.searchsorted(column, i) : np.searchsorted(column, i, "right")]
            here = here[np.isfinite(here)]
            if len(here):
                top, bottom = np.nanmin([here.min(), last]), np.nanmax([here.max(), last])
                dots[round(top) : round(bottom) + 1, i] = True
            last = here[-1] if len(here) else np.nan
    cells = dots.reshape(height, 4, width, 2)
    codes = 0x2800 + np.einsum("hrwc,cr->hw", cells, _DOTS)
    return ["".join(map(chr, line)) for line in codes]
