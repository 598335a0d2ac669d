"""A colour for each of those who are compared: up to ten."""

from __future__ import annotations

from collections.abc import Iterable

# Paul Tol's muted scheme, with green and grey: told apart with any kind of colour vision.
_COLOURS = (
    "#332288", "#cc6677", "#44aa99", "#ddaa33", "#aa4499", "#882255", "#88ccee", "#117733", "#999933", "#8c8c8c",
)  # fmt: skip


def entrant_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in their order."""
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
