"""What a notification says. Streams go by their id; a label may be a person's name, and stays here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ectopy.figures import DISCLAIMER

Kind = Literal["raised", "reminder", "escalated", "resolved"]
Priority = Literal["high", "medium", "low"]

_ORDER: tuple[Priority, ...] = ("high", "medium", "low")
_MOST = 20  # alarms named one by one
_BEFORE = {"raised": "", "reminder": "Still: ", "escalated": "Nobody has acknowledged: ", "resolved": "Over: "}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of an alarm."""

    stream: str | None  # None: the service itself
    code: str  # as "asystole"
    priority: Priority
    onset_us: int  # UTC
    reason: str
    presence: Literal["on", "latched", "off"] = "on"


def render(alarms: Sequence[Told], kind: Kind = "raised") -> tuple[str, str]:
    """Title and body of one notification about one alarm or more, the most urgent first."""
    ordered = sorted(alarms, key=lambda alarm: (_ORDER.index(alarm.priority), alarm.onset_us))
    if len(ordered) == 1:
        subject = f"{ordered[0].priority.upper()}: {_what(ordered[0])}"
    else:
        counts = Counter(alarm.priority for alarm in ordered)
        subject = f"{len(ordered)} alarms: " + ", ".join(f"{counts[name]} {name}" for name in _ORDER if counts[name])
    lines = [_line(alarm) for alarm in ordered[:_MOST]]
    if len(ordered) > _MOST:
        lines.append(f"and {len(ordered) - _MOST} more")
    return _BEFORE[kind] + subject, "\n".join([*lines, "", DISCLAIMER])


def fitted(body: str, key: str, room: int) -> str:
    """The body with the key as its last line, in `room` characters at most: what comes before the key gives way."""
    end = f"\nkey: {key}"
    if len(body) + len(end) > room:
        body = body[: max(0, room - len(end) - 4)] + " ..."
    return body + end


def _what(alarm: Told) -> str:
    return f"{alarm.code}, {alarm.stream or 'the service'}"


def _line(alarm: Told) -> str:
    since = datetime.fromtimestamp(alarm.onset_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    state = {"on": "", "latched": " (the finding has ended, the alarm is latched)", "off": " (over)"}[alarm.presence]
    return f"{alarm.priority.upper()} {_what(alarm)}, since {since}: {alarm.reason}{state}"
