"""The rules: which finding or condition raises which alarm. Priorities are informed by IEC 60601-1-8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from ectopy.errors import AlarmError

Kind = Literal["physiological", "technical"]
Priority = Literal["high", "medium", "low"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)  # the most urgent first
Changes = Mapping[str, Mapping[str, Any]]  # code -> field -> value, as `rules_for` takes them

_PHYS: Kind = "physiological"
_TECH: Kind = "technical"


@dataclass(frozen=True, slots=True)
class Rule:
    """When one alarm is raised, and what becomes of it.

    code : the alarm's name
    finding : the finding, or the service's condition, that raises it
    type : `physiological` (of the patient) or `technical` (of the equipment)
    limit : the finding's `value` must reach it (bradycardia: fall to it); None where there is no value
    on_s : seconds, from its onset, that it must have lasted
    off_s : seconds after its end was told until the alarm ends; what returns before is the same episode
    latches : when it ends, it stays `latched` until somebody has acknowledged it
    notify : people are notified
    enabled : the alarm is raised at all
    """

    code: str
    finding: str
    type: Kind
    priority: Priority
    limit: float | None
    on_s: float
    off_s: float
    latches: bool
    notify: bool
    enabled: bool = True

    def reached(self, value: float | None) -> bool:
        """The finding counts, with this value."""
        if not self.enabled or self.limit is None:
            return self.enabled
        return value is not None and not self.worse(self.limit, value)

    def worse(self, value: float, than: float) -> bool:
        """A value lies farther out than another."""
        return value < than if self.finding == "bradycardia" else value > than

    def reason(self, value: float | None) -> str:
        """What is said of it, with the figures."""
        return _WORDS[self.finding].format(value=value, limit=self.limit)


# fmt: off
RULES: tuple[Rule, ...] = (
    #    code                   finding                type   priority  limit on_s off_s latches notify
    Rule("asystole",            "asystole",            _PHYS, "high",   None,  0,  10,   True,   True),
    Rule("no organised rhythm", "no organised rhythm", _PHYS, "high",   None,  0,  10,   True,   True),
    Rule("ventricular run",     "ventricular run",     _PHYS, "high",   None,  0,  10,   True,   True),
    Rule("extreme tachycardia", "tachycardia",         _PHYS, "high",   150,   0,  15,   True,   True),
    Rule("extreme bradycardia", "bradycardia",         _PHYS, "high",   35,    0,  15,   True,   True),
    Rule("pause",               "pause",               _PHYS, "medium", None,  0,  10,   False,  True),
    Rule("ventricular rhythm",  "ventricular rhythm",  _PHYS, "medium", None,  0,  30,   False,  True),
    Rule("tachycardia",         "tachycardia",         _PHYS, "medium", 120,  10,  30,   False,  True),
    Rule("bradycardia",         "bradycardia",         _PHYS, "medium", 45,   10,  30,   False,  True),
    Rule("irregular rhythm",    "irregular rhythm",    _PHYS, "medium", None,  0,  60,   False,  True),
    Rule("triplet",             "triplet",             _PHYS, "low",    None,  0,  10,   False,  False),
    Rule("couplet",             "couplet",             _PHYS, "low",    None,  0,  10,   False,  False, enabled=False),
    Rule("bigeminy",            "bigeminy",            _PHYS, "low",    None,  0,  30,   False,  False),
    Rule("trigeminy",           "trigeminy",           _PHYS, "low",    None,  0,  30,   False,  False, enabled=False),
    Rule("ectopic burden",      "ectopic burden",      _PHYS, "low",    10,    0,  60,   False,  False),
    Rule("lead off",            "lead off",            _TECH, "medium", None, 15,   5,   False,  True),
    Rule("unreadable",          "unreadable",          _TECH, "low",    None, 30,  10,   False,  False),
    Rule("stream silent",       "stream silent",       _TECH, "medium", None,  0,   5,   False,  True),
    Rule("clock jump",          "clock jump",          _TECH, "low",    None,  0,   5,   False,  False),
    Rule("gateway down",        "gateway down",        _TECH, "medium", None, 10,  10,   False,  True),
    Rule("store failing",       "store failing",       _TECH, "high",   None,  0,  10,   True,   True),
    Rule("disk full",           "disk full",           _TECH, "high",   None,  0,  60,   True,   True),
)
# fmt: on

_WORDS: Mapping[str, str] = {  # of a finding, with its value and the rule's limit
    "asystole": "no beat for 4 s",
    "no organised rhythm": "waves without beats",
    "ventricular run": "5 or more ventricular beats in a row, 100 a minute or more",
    "pause": "no beat for 3 s",
    "ventricular rhythm": "5 or more ventricular beats in a row, slower than 100 a minute",
    "tachycardia": "heart rate {value:g} a minute or more (limit {limit:g})",
    "bradycardia": "heart rate {value:g} a minute or less (limit {limit:g})",
    "irregular rhythm": "irregular RR intervals for a minute: possible AF",
    "triplet": "3 or 4 ventricular beats in a row",
    "couplet": "2 ventricular beats in a row",
    "bigeminy": "every second beat is ventricular",
    "trigeminy": "every third beat is ventricular",
    "ectopic burden": "{value:g} or more ventricular beats in a minute (limit {limit:g})",
    "lead off": "no lead gives a signal",
    "unreadable": "can't be judged: noise, or no signal",
    "stream silent": "no samples for 10 s",
    "clock jump": "a clock has jumped",
    "gateway down": "a gateway is down",
    "store failing": "the store can't be written",
    "disk full": "the disk is full",
}

CONDITIONS = ("stream silent", "clock jump", "gateway down", "store failing", "disk full")  # the service tells them
SERVICE_WIDE = ("gateway down", "store failing", "disk full")  # of no stream, so no stream changes them

COVERED_BY: Mapping[str, tuple[str, ...]] = {  # not raised while one of these is on: it says more
    "pause": ("asystole",),
    "bradycardia": ("asystole", "extreme bradycardia"),
    "extreme bradycardia": ("asystole",),
    "tachycardia": ("ventricular run", "extreme tachycardia"),
    "extreme tachycardia": ("ventricular run",),
    "unreadable": ("lead off",),
}
HELD_BACK_BY: Mapping[str, str] = {  # not raised while this holds, nor 5 s after: it would be its effect
    "asystole": "lead off",
    "pause": "lead off",
    "bradycardia": "lead off",
    "extreme bradycardia": "lead off",
    "no organised rhythm": "lead off",
    "stream silent": "gateway down",
}

ORDER: Mapping[str, int] = {rule.code: n for n, rule in enumerate(RULES)}  # what covers comes before the covered
CODES_OF: Mapping[str, tuple[str, ...]] = {
    finding: tuple(rule.code for rule in RULES if rule.finding == finding) for finding in {r.finding for r in RULES}
}

_LIMITS: Mapping[str, Sequence[int]] = {  # those a finding's value can meet
    "tachycardia": range(100, 221, 10),
    "bradycardia": range(20, 61, 5),
    "ectopic burden": range(10, 61, 10),
}
LONGEST_ON_S = 600
_FIELDS = ("enabled", "priority", "limit", "on_s", "notify")
_DEFAULTS = {rule.code: rule for rule in RULES}


def rules_for(changes: Changes) -> Mapping[str, Rule]:
    """The rules by code, with a stream's changes.

    changes : code -> any of `enabled`, `priority`, `limit`, `on_s`, `notify`. With another priority, `notify` becomes
        that priority's (high and medium: yes) unless it is given too; high ones latch.

    Raises
    ------
    AlarmError
        For a rule or a field that isn't there, a wrong type, a limit that no value can meet.
    """
    if not changes:
        return _DEFAULTS
    return {**_DEFAULTS, **{code: _changed(code, change) for code, change in changes.items()}}


def _changed(code: str, change: Mapping[str, Any]) -> Rule:
    if code not in _DEFAULTS or code in SERVICE_WIDE:
        raise AlarmError(f"rule {code!r}: a stream has no such rule, only {_listed(set(_DEFAULTS) - {*SERVICE_WIDE})}")
    if not isinstance(change, Mapping):
        raise AlarmError(f"{code}: {change!r}, expected an object of {', '.join(_FIELDS)}")
    rule = _DEFAULTS[code]
    for field, value in change.items():
        _check(rule, field, value)
    fields = dict(change)
    if "priority" in change:
        fields["latches"] = change["priority"] == "high"
        fields.setdefault("notify", change["priority"] != "low")
    return replace(rule, **fields)


def _check(rule: Rule, field: str, value: Any) -> None:
    where = f"{rule.code}: {field} {value!r}"
    if field in ("enabled", "notify"):
        if not isinstance(value, bool):
            raise AlarmError(f"{where}, expected true or false")
    elif field == "priority":
        if value not in PRIORITIES:
            raise AlarmError(f"{where}, expected {', '.join(PRIORITIES)}")
    elif field == "on_s":
        if not _number(value) or not 0 <= value <= LONGEST_ON_S:
            raise AlarmError(f"{where}, expected seconds from 0 to {LONGEST_ON_S}")
    elif field == "limit":
        if rule.limit is None:
            raise AlarmError(f"{where}: this rule has no limit")
        allowed = _LIMITS[rule.finding]
        if not _number(value) or value not in allowed:
            raise AlarmError(f"{where}, expected {allowed[0]}, {allowed[1]}, ... {allowed[-1]}")
    else:
        raise AlarmError(f"{rule.code}: no field {field!r}; it has {', '.join(_FIELDS)}")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _listed(codes: set[str]) -> str:
    return ", ".join(sorted(codes, key=ORDER.__getitem__))
