"""The hand-held recordings of `cinc2017`, halved: one sets the quality index and trains, the other only reports."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

from ectopy.data.lookup import find
from ectopy.errors import RecordError


def hand_held(part: Literal["training", "test"], data_dir: str | Path | None = None) -> list[tuple[str, str]]:
    """Name and label (N normal, A atrial fibrillation, O other, ~ noisy) of every second record that is here.

    Raises
    ------
    RecordError
        If cinc2017, or its list of labels, is not on this machine.
    """
    labels = find("cinc2017", data_dir) / "REFERENCE.csv"
    if not labels.is_file():
        raise RecordError(f"{labels}: not there, so cinc2017 is incomplete; 'ectopy data get cinc2017' goes on")
    with labels.open(newline="") as file:
        rows = [(f"cinc2017/{name}", label) for name, label in csv.reader(file)]
    return rows[0::2] if part == "training" else rows[1::2]
