"""What can't be is refused before anything has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from ectopy.alarms.inputs import (
    Acknowledged,
    AlarmPaused,
    AudioPaused,
    ConditionChanged,
    Input,
    Paused,
    Resumed,
    RulesChanged,
)
from ectopy.alarms.rules import CONDITIONS, SERVICE_WIDE, rules_for
from ectopy.alarms.state import Open
from ectopy.errors import AlarmError

LONGEST_PAUSE_S = 7200


def check(given: Input, at_us: int, find: Callable[[int], Open | None]) -> None:
    """Raise AlarmError for an input that can't be.

    find : an alarm that isn't off, by its id
    """
    match given:
        case Acknowledged(_, alarm, author):
            _author(author)
            if find(alarm) is None:
                raise AlarmError(f"alarm {alarm}: there is none, or it is off already", 404)
        case AudioPaused(_, _, author, reason, until_us) | AlarmPaused(_, _, author, reason, until_us):
            _author(author)
            if not reason.strip():
                raise AlarmError("a pause needs a reason")
            if not at_us < until_us <= at_us + LONGEST_PAUSE_S * 1_000_000:
                minutes = (until_us - at_us) / 60e6
                raise AlarmError(f"a pause of {minutes:.1f} min; it lasts at most {LONGEST_PAUSE_S // 60} min")
        case Resumed(_, _, what, author):
            _author(author)
            if what not in get_args(Paused):
                raise AlarmError(f"{what!r} is not paused, only audio or alarm")
        case RulesChanged(_, _, author, changes):
            _author(author)
            rules_for(changes)
        case ConditionChanged(_, stream, name):
            if name not in CONDITIONS:
                raise AlarmError(f"condition {name!r}, expected {', '.join(CONDITIONS)}")
            if (name in SERVICE_WIDE and stream is not None) or (name == "stream silent" and stream is None):
                raise AlarmError(f"{name}: of stream {stream!r}; it is {'the service' if stream else 'a stream'}'s own")
            if name == "gateway down" and not given.streams:
                raise AlarmError("gateway down: name the streams it carries")
        case _:
            pass


def _author(author: str) -> None:
    if not author.strip():
        raise AlarmError("author: empty; say who does this")
