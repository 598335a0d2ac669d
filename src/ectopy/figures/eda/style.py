"""What the drawings of the exploratory report share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ectopy.figures.words import CLASS_COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE: dict[str, str] = {aami: colour for aami, colour in CLASS_COLOURS.items() if aami is not None}
STATE_COLOURS = {"noisy": "#e69f00", "flat": "#56b4e9", "missing": "#8c8c8c"}
# Paul Tol's muted scheme: told apart with any kind of colour vision, and from the colours of the classes.
_SETS = ("#332288", "#cc6677", "#44aa99", "#aa4499", "#999933", "#882255", "#88ccee", "#ddcc77")
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))


def set_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each set of records."""
    return {name: _SETS[i % len(_SETS)] for i, name in enumerate(names)}


def set_lines(names: Iterable[str]) -> dict[str, object]:
    """A line style for each set of records, so that colour is not all that tells them apart."""
    return {name: _LINES[i % len(_LINES)] for i, name in enumerate(names)}


def tidy(ax: Axes, grid: str = "y") -> Axes:
    """Open the frame and draw a faint grid along `x`, `y`, `both` or no axis (``""``)."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(visible=False)
    if grid:
        ax.grid(axis=grid, color="#e4e4e4", lw=0.6)  # type: ignore[arg-type]
    return ax
