"""All that the desk remembers, as plain values; to and from JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ectopy.alarms.alarm import Alarm
from ectopy.alarms.notices import Outgoing, Waiting
from ectopy.errors import StateError

VERSION = 1
NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Due:
    """When something is due: by the clock, or when the stream tells what happened at `told_us`, whichever is first.

    A backlog is told in a moment: by its stream's own time it gives the same episodes that it would have given live.
    """

    clock_us: int
    told_us: int


UNTIL_TOLD = Due(NEVER, NEVER)


@dataclass(frozen=True, slots=True)
class Holding:
    """A finding or condition that lasts."""

    start_us: int
    start_s: float  # of the finding, by which its end is recognised
    epoch: int | None
    value: float | None
    late: bool
    reason: str


@dataclass(slots=True)
class Open:
    """An alarm that isn't off, and how far people have been told of it."""

    alarm: Alarm
    sent: bool = False  # its `raised` notice
    reminders: int = 0
    remind_us: int | None = None
    escalate_us: int | None = None
    escalated: bool = False


@dataclass(slots=True)
class Case:
    """What one rule watches, from its beginning until it has been gone for `off_s`.

    ripe : it has lasted `on_s`: the alarm is raised as soon as nothing holds it back
    gone_us : when it ended; None while it holds
    due : when it is ripe; when it is over, once it is gone
    """

    since_us: int
    epoch: int | None
    late: bool
    value: float | None
    reason: str
    ripe: bool = False
    gone_us: int | None = None
    due: Due | None = None
    open: Open | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused, why, until when."""

    until_us: int
    author: str
    reason: str


@dataclass(slots=True)
class Stream:
    """One stream; what is the service's own, under None."""

    holding: dict[str, Holding] = field(default_factory=dict)  # by name
    cases: dict[str, Case] = field(default_factory=dict)  # by code, as those below
    latched: dict[str, Open] = field(default_factory=dict)
    held_back: dict[str, Due] = field(default_factory=dict)  # by what: until when
    pauses: dict[str, Pause] = field(default_factory=dict)  # by what: audio, alarm
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    due_us: int | None = None

    def opens(self) -> list[Open]:
        """Its alarms that aren't off, the first raised first."""
        opens = [*self.latched.values(), *(case.open for case in self.cases.values() if case.open)]
        return sorted(opens, key=lambda opened: opened.alarm.id)

    @property
    def idle(self) -> bool:
        """There is nothing to remember."""
        return not any((self.holding, self.cases, self.latched, self.held_back, self.pauses, self.changes))


@dataclass(slots=True)
class State:
    """Everything: with it, and the same inputs after it, the desk goes on as it would have."""

    clock_us: int = 0  # the largest `at_us` so far
    alarms: int = 0  # raised so far
    viewed_us: int | None = None
    behind: list[str] = field(default_factory=list)  # streams of gateways that are down
    streams: dict[str | None, Stream] = field(default_factory=dict)
    outgoing: Outgoing = field(default_factory=Outgoing)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        plain = asdict(self)
        plain["streams"] = [{"stream": name, **stream} for name, stream in plain["streams"].items()]
        plain["outgoing"]["sent"] = [list(sent) for sent in plain["outgoing"]["sent"]]
        return {"version": VERSION, **plain}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> State:
        """From what `to_json` gave.

        Raises
        ------
        StateError
            For a state of another version.
        """
        if plain.get("version") != VERSION:
            raise StateError(f"alarm state of version {plain.get('version')}, expected {VERSION}")
        fields = {name: value for name, value in plain.items() if name != "version"}
        outgoing = plain["outgoing"]
        fields["behind"] = list(plain["behind"])
        fields["streams"] = {stream["stream"]: _stream(stream) for stream in plain["streams"]}
        fields["outgoing"] = Outgoing(
            outgoing["notices"],
            [(when, how) for when, how in outgoing["sent"]],
            [Waiting(**{**waiting, "alarms": list(waiting["alarms"])}) for waiting in outgoing["waiting"]],
        )
        return cls(**fields)


def _stream(plain: dict[str, Any]) -> Stream:
    return Stream(
        {name: Holding(**holding) for name, holding in plain["holding"].items()},
        {code: _case(case) for code, case in plain["cases"].items()},
        {code: _open(latched) for code, latched in plain["latched"].items()},
        {cause: Due(**due) for cause, due in plain["held_back"].items()},
        {what: Pause(**pause) for what, pause in plain["pauses"].items()},
        {code: dict(change) for code, change in plain["changes"].items()},
        plain["due_us"],
    )


def _case(plain: dict[str, Any]) -> Case:
    due, open_ = plain["due"], plain["open"]
    return Case(**{**plain, "due": due and Due(**due), "open": open_ and _open(open_)})


def _open(plain: dict[str, Any]) -> Open:
    return Open(**{**plain, "alarm": Alarm(**plain["alarm"])})
