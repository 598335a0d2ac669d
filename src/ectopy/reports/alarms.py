"""The alarms of an analysis: those that a service would have raised."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from ectopy.alarms import PRIORITIES, Episode, episodes
from ectopy.verdict import Finding

if TYPE_CHECKING:
    import pandas as pd

    from ectopy.analysis.result import Analysis


def alarms_of(analysis: Analysis) -> list[Episode]:
    """Its alarm episodes, in the order told."""
    return episodes(analysis.findings, analysis.recording.duration_s)


def most_urgent(found: list[Episode], most: int) -> list[Episode]:
    """So many of them, by priority and then by time."""
    return sorted(found, key=lambda episode: (PRIORITIES.index(episode.priority), episode.start_s))[:most]


def episode_table(found: list[Episode]) -> pd.DataFrame:
    """A row an episode: code, priority, start_s, end_s, told_s, reason, value."""
    import pandas as pd

    names = [field.name for field in fields(Episode)]
    table = pd.DataFrame([[getattr(episode, name) for name in names] for episode in found], columns=names)
    return table.astype({"value": float})


def finding_table(analysis: Analysis) -> pd.DataFrame:
    """A row when a finding begins (`end_s` empty) and another when it ends, in the order told: name, start_s, end_s,
    abnormal, told_s, value."""
    import pandas as pd

    names = [field.name for field in fields(Finding)]
    table = pd.DataFrame([[getattr(one, name) for name in names] for one in analysis.findings], columns=names)
    return table.astype({"end_s": float, "value": float})
