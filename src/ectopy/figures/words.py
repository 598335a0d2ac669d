"""Colours and words that every picture shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ectopy.alarms import Priority
from ectopy.recording import AamiClass
from ectopy.verdict import Word

if TYPE_CHECKING:
    from ectopy.analysis.result import Summary

# Okabe and Ito's palette: told apart with any kind of colour vision. A letter always stands beside it.
CLASS_COLOURS: dict[AamiClass | None, str] = {
    "N": "#1b1b1b",
    "S": "#0072b2",
    "V": "#d55e00",
    "F": "#009e73",
    "Q": "#6e6e6e",
    None: "#6e6e6e",
}
CLASS_NAMES: dict[AamiClass, str] = {
    "N": "normal",
    "S": "supraventricular",
    "V": "ventricular",
    "F": "fusion",
    "Q": "paced or unclassifiable",
}
VERDICT_COLOURS: dict[Word, str] = {"normal": "#b9d7e8", "abnormal": "#d55e00", "unreadable": "#8c8c8c"}
PRIORITY_COLOURS: dict[Priority, str] = {"high": "#b2182b", "medium": "#e69f00", "low": "#56b4e9"}
DISCLAIMER = "Research software, not a medical device."


def clock(seconds: float) -> str:
    """A time since the start as `m:ss` or `h:mm:ss`, with tenths only where there are any."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:" if hours else f"{minutes}:"
    return text + (f"{rest // 10:02}" if rest % 10 == 0 else f"{rest / 10:04.1f}")


def headline(summary: Summary) -> str:
    """A summary in one line."""
    counts = ", ".join(f"{n:,} {word}" for word, n in summary.verdicts.items())
    n = sum(summary.verdicts.values())
    return f"{n:,} {'interval' if n == 1 else 'intervals'}: {counts}"


def facts(summary: Summary) -> dict[str, str]:
    """A summary as names and values to read."""
    beats = ", ".join(f"{n:,} {CLASS_NAMES[aami] if aami else 'without class'}" for aami, n in summary.beats.items())
    rate = "" if summary.heart_rate is None else f"{summary.heart_rate:.0f} beats/min (median)"
    table = {
        "length": clock(summary.duration_s),
        "verdicts": headline(summary),
        "unreadable": f"{summary.unreadable_share:.1%}",
        "beats": beats or "none",
        "heart rate": rate or "unknown",
    }
    return table | ({"notes": "; ".join(summary.notes)} if summary.notes else {})
