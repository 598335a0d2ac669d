"""A section of the report, and the words that its sentences are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Section:
    """One figure with what to see in it.

    key : its name in files and links
    text : one or two sentences, their numbers computed; without data, why there is no figure
    table : rows to print below the figure, all cells text
    """

    key: str
    title: str
    text: str
    figure: Figure | None = None
    table: pd.DataFrame | None = None


def short(record: str) -> str:
    """A record's name without its folder and the suffix of one of its files."""
    path = PurePath(record)
    return path.stem if path.suffix in (".hea", ".dat", ".mat", ".atr") else path.name


def database_of(record: str, group: str) -> str:
    """The database a record is of, or the group it stands in."""
    return group if group in ("demo", "files") else record.partition("/")[0]


def percent(share: float) -> str:
    """A share in [0, 1] in words, with a digit after the point where it is under 10 % or over 99 %."""
    value = 100 * share
    if 0 < value < 0.05:
        return "under 0.1 %"
    if 99.95 <= value < 100:
        return "over 99.9 %"
    return f"{value:.1f} %" if 0 < value < 9.95 or 99 < value < 100 else f"{value:.0f} %"


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def plural(n: int, word: str) -> str:
    """`1 beat`, `2,000 beats`."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def by(table: pd.DataFrame, column: str, value: str) -> dict[str, np.ndarray]:
    """The values of one column, by what stands in another, in the order of the table."""
    return {str(name): of[value].to_numpy() for name, of in table.groupby(column, sort=False)}
