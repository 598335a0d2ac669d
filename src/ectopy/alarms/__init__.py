"""Rules and alarm states: findings and conditions in, alarms and notices out. Pure: no clock of its own, no I/O."""

from ectopy.alarms.alarm import Alarm, AlarmChanged, Presence, Signal
from ectopy.alarms.checks import LONGEST_PAUSE_S
from ectopy.alarms.desk import LATE_US, Desk
from ectopy.alarms.episodes import Episode, StreamDesk, episodes
from ectopy.alarms.inputs import (
    Acknowledged,
    AlarmPaused,
    AudioPaused,
    ConditionChanged,
    EpochEnded,
    Found,
    Input,
    Paused,
    Resumed,
    RulesChanged,
    Tick,
    Viewed,
)
from ectopy.alarms.moment import Output
from ectopy.alarms.notices import Notice, NoticeKind
from ectopy.alarms.rules import LONGEST_ON_S, PRIORITIES, RULES, Changes, Kind, Priority, Rule, rules_for
from ectopy.alarms.state import State
from ectopy.alarms.table import rules_table

__all__ = [
    "LATE_US",
    "LONGEST_ON_S",
    "LONGEST_PAUSE_S",
    "PRIORITIES",
    "RULES",
    "Acknowledged",
    "Alarm",
    "AlarmChanged",
    "AlarmPaused",
    "AudioPaused",
    "Changes",
    "ConditionChanged",
    "Desk",
    "Episode",
    "EpochEnded",
    "Found",
    "Input",
    "Kind",
    "Notice",
    "NoticeKind",
    "Output",
    "Paused",
    "Presence",
    "Priority",
    "Resumed",
    "Rule",
    "RulesChanged",
    "Signal",
    "State",
    "StreamDesk",
    "Tick",
    "Viewed",
    "episodes",
    "rules_for",
    "rules_table",
]
