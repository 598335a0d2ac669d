"""Alarms: raised in time, held back where they would mislead, over in their time; people are told, and rarely."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.alarms import (
    PRIORITIES,
    RULES,
    Acknowledged,
    Alarm,
    AlarmChanged,
    AlarmPaused,
    AudioPaused,
    ConditionChanged,
    Desk,
    EpochEnded,
    Found,
    Input,
    Notice,
    Output,
    Resumed,
    Rule,
    RulesChanged,
    State,
    Tick,
    Viewed,
    episodes,
    rules_for,
)
from ectopy.errors import AlarmError, StateError
from ectopy.verdict import Finding

CONDITIONS = ("stream silent", "clock jump", "gateway down", "store failing", "disk full")
T0 = 1_750_000_000_000_000
VALUES = {"tachycardia": 150.0, "bradycardia": 35.0, "ectopic burden": 10.0}


def us(seconds: float) -> int:
    return T0 + round(seconds * 1e6)


class Scene:
    """A desk whose owner ticks when it is due. Seconds from T0; findings are told 1 s after what they tell."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.alarms: dict[int, Alarm] = {}
        self.history: list[Alarm] = []
        self.notices: list[Notice] = []

    def give(self, given: Input) -> list[Output]:
        while (due_us := self.desk.due_us) is not None and due_us <= given.at_us:
            self._take(self.desk.step(Tick(due_us)))
        return self._take(self.desk.step(given))

    def until(self, second: float) -> "Scene":
        self.give(Tick(us(second)))
        return self

    def begins(
        self, name: str, at: float, *, told: float | None = None, came: float | None = None, **more: Any
    ) -> None:
        self._found(name, at, None, at + 1 if told is None else told, came, **more)

    def ends(self, name: str, start: float, at: float, *, told: float | None = None, came: float | None = None, **more):
        self._found(name, start, at, at + 1 if told is None else told, came, **more)

    def _found(self, name, start, end, told, came, stream="a", epoch=1, value=None) -> None:
        value = VALUES.get(name) if value is None else value
        finding = Finding(name, start, end, True, told, value)
        at_us, end_us = us(told if came is None else came), None if end is None else us(end)
        self.give(Found(at_us, stream, epoch, finding, us(start), end_us))

    def condition(self, name: str, at: float, on: bool = True, stream: str | None = None, streams=()) -> None:
        self.give(ConditionChanged(us(at), stream, name, on, "", us(at), tuple(streams)))

    @property
    def codes(self) -> list[str]:
        """Of all alarms so far, as they were raised."""
        return [alarm.code for alarm in self.alarms.values()]

    @property
    def open(self) -> list[str]:
        return [alarm.code for alarm in self.alarms.values() if alarm.presence != "off"]

    @property
    def only(self) -> Alarm:
        (alarm,) = self.alarms.values()
        return alarm

    @property
    def told(self) -> list[tuple[str, float]]:
        return [(notice.kind, (notice.at_us - T0) / 1e6) for notice in self.notices]

    def _take(self, outputs: list[Output]) -> list[Output]:
        for output in outputs:
            if isinstance(output, AlarmChanged):
                self.alarms[output.alarm.id] = output.alarm
                self.history.append(output.alarm)
            else:
                self.notices.append(output)
        return outputs


@pytest.fixture
def scene() -> Scene:
    return Scene()


# Rules

FINDINGS = [rule for rule in RULES if rule.enabled and rule.finding not in CONDITIONS]


@pytest.mark.parametrize("rule", FINDINGS, ids=lambda rule: rule.code)
class TestEachRule:
    def test_is_raised_once_its_finding_has_lasted(self, scene: Scene, rule: Rule) -> None:
        scene.begins(rule.finding, 100, value=rule.limit)
        if rule.on_s:
            assert rule.code not in scene.until(100 + rule.on_s - 0.1).codes
        raised_s = max(101, 100 + rule.on_s)
        scene.until(raised_s)
        (alarm,) = [alarm for alarm in scene.alarms.values() if alarm.code == rule.code]
        assert (alarm.presence, alarm.priority, alarm.type) == ("on", rule.priority, rule.type)
        assert (alarm.onset_us, alarm.told_us, alarm.ended_us) == (us(100), us(raised_s), None)

    def test_across_a_short_gap_is_one_episode_and_across_a_long_one_two(self, scene: Scene, rule: Rule) -> None:
        def stretch(start: float, end: float) -> None:
            scene.begins(rule.finding, start, value=rule.limit)
            scene.ends(rule.finding, start, end, value=rule.limit)

        stretch(100, 200)
        if rule.code != "unreadable":
            scene.begins("unreadable", 200.5, told=201)
            scene.ends("unreadable", 200.5, 202, told=202.5)
        stretch(200 + rule.off_s - 1, 300)
        assert scene.until(299).codes.count(rule.code) == 1
        stretch(300 + rule.off_s + 1, 500)
        scene.until(700)
        ours = [alarm for alarm in scene.alarms.values() if alarm.code == rule.code]
        assert [(alarm.onset_us, alarm.ended_us) for alarm in ours] == [
            (us(100), us(300)),
            (us(300 + rule.off_s + 1), us(500)),
        ]
        assert all(alarm.presence == ("latched" if rule.latches else "off") for alarm in ours[-1:])


@pytest.mark.parametrize("rule", [rule for rule in FINDINGS if rule.limit is not None], ids=lambda rule: rule.code)
def test_a_value_just_within_the_limit_raises_nothing(scene: Scene, rule: Rule) -> None:
    assert rule.limit is not None
    scene.begins(rule.finding, 100, value=rule.limit + (5 if rule.finding == "bradycardia" else -1))
    assert rule.code not in scene.until(400).codes


@pytest.mark.parametrize("rule", [rule for rule in FINDINGS if rule.on_s], ids=lambda rule: rule.code)
def test_what_lasts_a_little_too_short_raises_nothing(scene: Scene, rule: Rule) -> None:
    scene.begins(rule.finding, 100, value=rule.limit)
    scene.ends(rule.finding, 100, 100 + rule.on_s - 2, value=rule.limit)
    assert rule.code not in scene.until(400).codes


def test_a_finding_that_no_rule_asks_for_changes_nothing(scene: Scene) -> None:
    scene.begins("junctional rhythm", 0)
    assert scene.alarms == {} and scene.desk.state.streams == {} and scene.desk.due_us is None


@pytest.mark.parametrize("name", ["couplet", "trigeminy"])
def test_couplet_and_trigeminy_raise_nothing_unless_a_stream_asks_for_it(scene: Scene, name: str) -> None:
    scene.begins(name, 10)
    scene.ends(name, 10, 20)
    assert scene.until(100).alarms == {}
    scene.give(RulesChanged(us(100), "a", "Ada", {name: {"enabled": True}}))
    scene.begins(name, 110)
    assert scene.only.code == name


@pytest.mark.parametrize("name", ["couplet", "triplet"])
def test_a_finding_told_complete_raises_an_alarm_that_the_clock_ends(scene: Scene, name: str) -> None:
    scene.give(RulesChanged(us(0), "a", "Ada", {name: {"enabled": True}}))
    scene.ends(name, 10, 11, told=12)
    assert (scene.only.presence, scene.only.onset_us, scene.only.ended_us) == ("on", us(10), None)
    assert scene.until(21.9).only.presence == "on"
    assert (scene.until(22).only.presence, scene.only.ended_us) == ("off", us(11))


def test_a_finding_told_complete_that_was_too_short_raises_nothing(scene: Scene) -> None:
    scene.ends("unreadable", 0, 29, told=40)
    assert scene.until(100).alarms == {}
    scene.ends("unreadable", 100, 130, told=132)
    assert scene.until(200).codes == ["unreadable"]


@pytest.mark.parametrize(
    ("name", "stream"),
    [("stream silent", "a"), ("clock jump", "a"), ("clock jump", None), ("store failing", None), ("disk full", None)],
)
def test_a_condition_of_the_service_raises_its_alarm(scene: Scene, name: str, stream: str | None) -> None:
    scene.give(ConditionChanged(us(10), stream, name, True, "97 % of 20 GB", us(8)))
    assert (scene.only.code, scene.only.stream, scene.only.epoch) == (name, stream, None)
    assert (scene.only.type, scene.only.reason, scene.only.onset_us) == ("technical", "97 % of 20 GB", us(8))
    scene.condition(name, 100, on=False, stream=stream)
    alarm = scene.until(200).only
    assert (alarm.presence, alarm.ended_us) == ("latched" if alarm.priority == "high" else "off", us(100))


def test_a_high_priority_alarm_is_told_the_moment_its_finding_is(scene: Scene) -> None:
    for rule in RULES:
        if rule.priority == "high" and rule.type == "physiological":
            assert rule.on_s == 0 and rule.latches and rule.notify
    scene.begins("asystole", 10, told=15)
    assert scene.only.told_us == us(15)


# Rates


def test_another_rate_is_the_same_episode_and_the_worst_is_kept(scene: Scene) -> None:
    steps = [(0, 120), (4, 140), (8, 130), (12, 110), (20, 120), (100, 100)]
    for (start, value), (end, _) in pairwise(steps):
        scene.begins("tachycardia", start, value=value)
        if end < 100:
            scene.ends("tachycardia", start, end, value=value)
    alarm = scene.until(60).only
    assert (alarm.code, alarm.onset_us, alarm.told_us, alarm.value) == ("tachycardia", us(0), us(10), 140)
    assert alarm.reason == "heart rate 140 a minute or more (limit 120)" and alarm.presence == "on"


def test_the_new_rate_may_be_told_before_the_end_of_the_old(scene: Scene) -> None:
    scene.begins("bradycardia", 0, value=45)
    scene.begins("bradycardia", 20, value=40)
    scene.ends("bradycardia", 0, 20, value=45)
    assert scene.until(300).only.presence == "on" and scene.only.value == 40


def test_a_rate_back_within_the_limit_ends_the_alarm_though_the_finding_lasts(scene: Scene) -> None:
    scene.begins("tachycardia", 0, value=120)
    scene.ends("tachycardia", 0, 50, value=120)
    scene.begins("tachycardia", 50, value=110)
    assert scene.until(80.9).only.presence == "on"
    assert (scene.until(81).only.presence, scene.only.ended_us) == ("off", us(50))


def test_an_extreme_rate_covers_the_plain_one_until_it_is_over(scene: Scene) -> None:
    scene.begins("tachycardia", 0, value=150)
    assert scene.until(60).codes == ["extreme tachycardia"]
    scene.ends("tachycardia", 0, 60, value=150)
    scene.begins("tachycardia", 60, value=140)
    assert scene.until(75.9).codes == ["extreme tachycardia"]
    assert scene.until(76).codes == ["extreme tachycardia", "tachycardia"]
    assert scene.alarms[2].onset_us == us(0)


@pytest.mark.parametrize(
    ("what", "covered"), [("asystole", "pause"), ("asystole", "bradycardia"), ("ventricular run", "tachycardia")]
)
def test_what_says_more_covers_what_says_less(scene: Scene, what: str, covered: str) -> None:
    scene.begins(what, 0)
    scene.begins(covered, 2)
    assert scene.until(100).codes == [what]
    scene.ends(covered, 2, 100)
    scene.ends(what, 0, 101)
    assert scene.until(300).codes == [what]


# Presence


def test_high_priority_latches_until_it_is_acknowledged(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.ends("asystole", 0, 20)
    assert scene.until(30.9).only.presence == "on"
    assert (scene.until(31).only.presence, scene.only.ended_us) == ("latched", us(20))
    scene.give(Acknowledged(us(1000), 1, "Ada"))
    assert (scene.only.presence, scene.only.acknowledged_by, scene.only.acknowledged_us) == ("off", "Ada", us(1000))
    with pytest.raises(AlarmError, match="alarm 1: there is none, or it is off already") as error:
        scene.give(Acknowledged(us(1001), 1, "Ada"))
    assert error.value.status == 404


def test_an_acknowledged_alarm_stays_on_and_goes_off_when_it_ends(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.give(Acknowledged(us(5), 1, "Ada"))
    scene.give(Acknowledged(us(6), 1, "Grace"))
    assert (scene.only.presence, scene.only.acknowledged, scene.only.acknowledged_by) == ("on", True, "Ada")
    scene.ends("asystole", 0, 500)
    assert scene.until(600).only.presence == "off"
    assert [kind for kind, _ in scene.told] == ["raised", "resolved"]


def test_a_new_episode_takes_the_place_of_a_latched_one(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.ends("asystole", 0, 20)
    scene.begins("asystole", 120)
    assert [alarm.presence for alarm in scene.alarms.values()] == ["off", "on"]
    assert [kind for kind, at in scene.until(200).told] == ["raised", "raised", "escalated"]
    assert scene.notices[-1].at_us <= us(185), "nobody has answered since the first"


def test_the_end_of_an_epoch_ends_what_lasted_in_it(scene: Scene) -> None:
    scene.begins("irregular rhythm", 0, epoch=1)
    scene.begins("lead off", 5, epoch=2)
    scene.give(EpochEnded(us(100), "a", 1))
    scene.until(200)
    assert [(alarm.code, alarm.presence) for alarm in scene.alarms.values()] == [
        ("irregular rhythm", "off"),
        ("lead off", "on"),
    ]
    assert scene.alarms[1].ended_us == us(100)


# Held back


@pytest.mark.parametrize("name", ["asystole", "pause", "bradycardia", "no organised rhythm"])
def test_lead_off_holds_back_the_alarms_it_would_cause(scene: Scene, name: str) -> None:
    scene.begins("lead off", 10)
    scene.begins(name, 11.5)
    scene.ends(name, 11.5, 18)
    scene.ends("lead off", 10, 18)
    scene.begins(name, 20)
    scene.ends(name, 20, 22)
    assert scene.until(100).alarms == {}


def test_what_lasts_longer_than_lead_off_is_raised_5_s_after_it(scene: Scene) -> None:
    scene.begins("lead off", 10)
    scene.begins("asystole", 11.5)
    scene.ends("lead off", 10, 18)
    assert scene.until(23.9).alarms == {}
    assert (scene.until(24).only.code, scene.only.onset_us, scene.only.told_us) == ("asystole", us(11.5), us(24))


def test_lead_off_leaves_alone_what_was_on_and_what_it_does_not_cause(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.begins("lead off", 10)
    scene.begins("ventricular run", 12)
    assert scene.until(15).codes == ["asystole", "ventricular run"]
    scene.begins("asystole", 20, stream="b")
    assert scene.alarms[max(scene.alarms)].stream == "b"


def test_a_gateway_that_is_down_holds_back_its_silent_streams(scene: Scene) -> None:
    scene.condition("gateway down", 10, streams=["a", "b"])
    scene.condition("gateway down", 11, streams=["c"])
    for stream in "abcd":
        scene.condition("stream silent", 15, stream=stream)
    assert [(alarm.code, alarm.stream) for alarm in scene.alarms.values()] == [("stream silent", "d")]
    scene.until(20)
    assert [(alarm.code, alarm.stream) for alarm in scene.alarms.values()][1:] == [("gateway down", None)]
    scene.condition("gateway down", 20, on=False, streams=["a", "b"])
    scene.condition("stream silent", 22, on=False, stream="a")
    scene.until(60)
    assert [(alarm.code, alarm.stream) for alarm in scene.alarms.values()][2:] == [("stream silent", "b")]
    assert scene.alarms[2].presence == "on", "c's gateway is still down"
    scene.condition("gateway down", 60, on=False, streams=["c"])
    assert scene.until(100).alarms[2].presence == "off"


# Late


def test_what_is_known_late_is_an_episode_and_nobody_is_told(scene: Scene) -> None:
    scene.begins("asystole", 0, told=5, came=36)
    assert scene.only.late and scene.only.presence == "on"
    scene.ends("asystole", 0, 20, came=60)
    assert (scene.until(600).only.presence, scene.only.ended_us) == ("off", us(20))
    assert scene.notices == []


def test_a_finding_that_needs_a_minute_is_not_late_for_that(scene: Scene) -> None:
    scene.begins("irregular rhythm", 0, told=62, came=90)
    assert not scene.only.late
    assert scene.until(100).told == [("raised", 91)]


def test_what_lasts_after_a_late_stream_has_caught_up_is_raised_anew(scene: Scene) -> None:
    scene.begins("asystole", 0, told=5, came=100)
    scene.begins("asystole", 0, told=100, came=101)
    assert [(alarm.late, alarm.presence, alarm.onset_us) for alarm in scene.alarms.values()] == [
        (True, "off", us(0)),
        (False, "on", us(0)),
    ]
    assert scene.until(103).told == [("raised", 102)] and scene.notices[0].alarms == (2,)


def test_a_late_episode_leaves_a_latched_alarm_alone(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.ends("asystole", 0, 20)
    scene.begins("asystole", 50, came=100)
    scene.ends("asystole", 50, 60, came=101)
    scene.until(150)
    assert [(alarm.late, alarm.presence) for alarm in scene.alarms.values()] == [(False, "latched"), (True, "off")]


# Pauses


def test_audio_paused_changes_the_signal_and_nothing_else(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.give(AudioPaused(us(1.5), "a", "Ada", "washing", us(60)))
    scene.begins("lead off", 5)
    assert {alarm.signal for alarm in scene.until(30).alarms.values()} == {"audio paused"}
    assert [kind for kind, _ in scene.told] == ["raised", "raised"]
    assert {alarm.signal for alarm in scene.until(60).alarms.values()} == {"on"}


def test_alarm_paused_raises_nothing_of_the_patient_until_it_ends(scene: Scene) -> None:
    scene.give(AlarmPaused(us(0), None, "Ada", "procedure", us(100)))
    scene.begins("asystole", 10)
    scene.ends("asystole", 10, 20)
    scene.begins("irregular rhythm", 30)
    scene.begins("lead off", 40)
    assert scene.until(99).codes == ["lead off"] and scene.only.signal == "on"
    assert scene.until(100).codes == ["lead off", "irregular rhythm"]
    assert (scene.alarms[2].onset_us, scene.alarms[2].told_us) == (us(30), us(100))


def test_of_an_open_alarm_nobody_is_told_while_alarms_are_paused(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.give(AlarmPaused(us(1.5), "a", "Ada", "procedure", us(1000)))
    assert scene.until(999).only.signal == "alarm paused" and scene.told == []
    assert scene.until(1010).only.signal == "on" and scene.told == [("raised", 1001)]


@pytest.mark.parametrize("acknowledged", [True, False])
def test_who_was_told_hears_that_it_is_over_while_alarms_are_paused(scene: Scene, acknowledged: bool) -> None:
    name = "asystole" if acknowledged else "pause"
    scene.begins(name, 0)
    scene.ends(name, 0, 5)
    scene.give(AlarmPaused(us(6), "a", "Ada", "procedure", us(1000)))
    if acknowledged:
        scene.until(40).give(Acknowledged(us(50), 1, "Ada"))
    assert scene.until(70).only.signal == "alarm paused"
    assert [kind for kind, _ in scene.told] == ["raised", "resolved"]


def test_a_pause_can_be_ended_early_and_replaced(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.give(AudioPaused(us(10), None, "Ada", "quiet", us(20)))
    scene.give(AudioPaused(us(11), None, "Ada", "longer", us(1000)))
    assert scene.until(30).only.signal == "audio paused"
    scene.give(Resumed(us(31), None, "audio", "Ada"))
    assert scene.only.signal == "on"
    assert scene.give(Resumed(us(32), None, "audio", "Ada")) == []


# Notices


def test_one_notice_reminders_and_one_escalation_until_it_is_acknowledged(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.until(601)
    later = [("reminder", 302), ("reminder", 422), ("reminder", 542)]
    assert scene.told == [("raised", 2), ("reminder", 123), ("escalated", 183), *later]
    assert [notice.level for notice in scene.notices] == [1, 1, 2, 1, 1, 1]
    scene.give(Acknowledged(us(602), 1, "Ada"))
    assert len(scene.until(5000).told) == 6


def test_there_are_at_most_10_reminders(scene: Scene) -> None:
    scene.begins("irregular rhythm", 0)
    kinds = [kind for kind, _ in scene.until(50_000).told]
    assert kinds == ["raised"] + ["reminder"] * 10


def test_after_an_outage_there_is_one_reminder(scene: Scene) -> None:
    scene.begins("irregular rhythm", 0)
    scene.until(10)
    scene._take(scene.desk.step(Tick(us(4000))))
    assert [kind for kind, _ in scene.until(4010).told] == ["raised", "reminder"]


def test_nobody_is_told_of_an_alarm_that_is_over_or_acknowledged_before_its_notice(scene: Scene) -> None:
    scene.begins("asystole", 0)
    scene.give(Acknowledged(us(1.5), 1, "Ada"))
    scene.ends("asystole", 0, 20)
    scene.condition("stream silent", 40, stream="b")
    scene.give(RulesChanged(us(40.5), "b", "Ada", {"stream silent": {"enabled": False}}))
    assert scene.until(1000).open == [] and scene.notices == []


def test_low_priority_is_not_told(scene: Scene) -> None:
    scene.begins("bigeminy", 0)
    assert scene.until(1000).open == ["bigeminy"] and scene.notices == []


def test_where_the_viewer_has_gone_a_high_priority_alarm_is_escalated_at_once(scene: Scene) -> None:
    scene.give(Viewed(us(0)))
    scene.begins("asystole", 50, stream="a")
    scene.begins("asystole", 70, stream="b")
    scene.begins("irregular rhythm", 70, stream="c")
    escalated = [notice for notice in scene.until(100).notices if notice.kind == "escalated"]
    assert [notice.alarms for notice in escalated] == [(2,)]


@pytest.mark.parametrize("spread_s", [0, 0.5, 20, 59])
@pytest.mark.parametrize("kinds", [("asystole",), ("stream silent",), ("asystole", "irregular rhythm")])
def test_500_alarms_at_once_make_at_most_5_notices(scene: Scene, spread_s: float, kinds: tuple[str, ...]) -> None:
    for n in range(500):
        name, at = kinds[n % len(kinds)], n * spread_s / 500
        if name == "stream silent":
            scene.condition(name, at, stream=str(n))
        else:
            scene.begins(name, at, told=at, stream=str(n))
    assert len(scene.until(60).notices) <= 5
    told = [alarm for notice in scene.until(90).notices if notice.kind == "raised" for alarm in notice.alarms]
    assert sorted(told) == sorted(scene.alarms) and len(told) == 500
    assert all(
        [PRIORITIES.index(scene.alarms[alarm].priority) for alarm in notice.alarms]
        == sorted(PRIORITIES.index(scene.alarms[alarm].priority) for alarm in notice.alarms)
        and notice.priority == scene.alarms[notice.alarms[0]].priority
        for notice in scene.notices
    )


def test_high_priority_does_not_wait_behind_others(scene: Scene) -> None:
    for n in range(200):
        scene.condition("stream silent", n * 0.25, stream=str(n))
    scene.begins("asystole", 49, stream="z")
    high = next(notice for notice in scene.until(60).notices if notice.priority == "high")
    assert high.at_us <= us(51.1)


def test_a_notice_gathers_for_16_s_at_most(scene: Scene) -> None:
    for stream, at in enumerate((0, 1.1, 3.2, 7.3, 15.4, 50)):
        scene.begins("asystole", at, told=at, stream=str(stream))
    raised = [round(at, 1) for kind, at in scene.until(100).told if kind == "raised"]
    assert raised == [1.0, 3.1, 7.2, 15.3, 31.4, 66.0]


# Rules of a stream


def test_a_change_of_rules_takes_effect_at_once(scene: Scene) -> None:
    scene.begins("tachycardia", 0, value=110)
    assert scene.until(30).alarms == {}
    scene.give(RulesChanged(us(30), "a", "Ada", {"tachycardia": {"limit": 110, "priority": "high"}}))
    assert (scene.only.presence, scene.only.priority, scene.only.onset_us) == ("on", "high", us(0))
    scene.give(RulesChanged(us(40), "a", "Ada", {"tachycardia": {"limit": 110}}))
    assert (scene.only.presence, scene.only.priority) == ("on", "medium")
    scene.give(RulesChanged(us(50), "a", "Ada", {}))
    assert (scene.only.presence, scene.only.ended_us) == ("off", us(50))
    assert scene.until(100).desk.state.streams["a"].holding, "the finding still lasts"


def test_a_change_of_rules_leaves_alone_what_it_is_not_about(scene: Scene) -> None:
    scene.begins("tachycardia", 0, value=150)
    scene.ends("tachycardia", 0, 20, value=150)
    scene.begins("tachycardia", 20, value=110)
    scene.give(RulesChanged(us(25), "a", "Ada", {"extreme tachycardia": {"on_s": 3}}))
    assert scene.only.presence == "on"
    assert scene.until(60).only.presence == "latched"


def test_a_disabled_rule_ends_its_alarms_as_off(scene: Scene) -> None:
    scene.begins("asystole", 0, stream="a")
    scene.ends("asystole", 0, 20, stream="a")
    scene.begins("asystole", 40, stream="b")
    assert scene.open == ["asystole", "asystole"]
    for stream in "ab":
        scene.give(RulesChanged(us(50), stream, "Ada", {"asystole": {"enabled": False}}))
    assert scene.open == []


def test_a_shorter_wait_raises_what_has_lasted_long_enough(scene: Scene) -> None:
    scene.begins("unreadable", 0)
    scene.until(20)
    scene.give(RulesChanged(us(20), "a", "Ada", {"unreadable": {"on_s": 15, "notify": True}}))
    assert scene.only.told_us == us(20)
    assert scene.until(30).told == [("raised", 21)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"flutter": {}}, "rule 'flutter': a stream has no such rule, only asystole, "),
        ({"disk full": {"enabled": False}}, "rule 'disk full'"),
        ({"asystole": {"off_s": 3}}, "asystole: no field 'off_s'; it has enabled, priority, limit, on_s, notify"),
        ({"asystole": {"limit": 3}}, "asystole: limit 3: this rule has no limit"),
        ({"tachycardia": {"limit": 125}}, "tachycardia: limit 125, expected 100, 110, ... 220"),
        ({"tachycardia": {"limit": 90}}, "limit 90, expected 100"),
        ({"tachycardia": {"limit": True}}, "limit True, expected 100"),
        ({"tachycardia": {"limit": float("nan")}}, "limit nan, expected 100"),
        ({"bradycardia": {"limit": "45"}}, "limit '45', expected 20, 25, ... 60"),
        ({"unreadable": {"on_s": -1}}, "unreadable: on_s -1, expected seconds from 0 to 600"),
        ({"unreadable": {"on_s": float("inf")}}, "on_s inf, expected seconds"),
        ({"unreadable": {"priority": "urgent"}}, "unreadable: priority 'urgent', expected high, medium, low"),
        ({"unreadable": {"priority": ["low"]}}, "expected high, medium, low"),
        ({"unreadable": {"enabled": 1}}, "unreadable: enabled 1, expected true or false"),
        ({"unreadable": True}, "unreadable: True, expected an object of enabled"),
    ],
)
def test_a_change_that_can_not_be_is_refused_with_what_is_allowed(changes: Any, said: str) -> None:
    with pytest.raises(AlarmError) as error:
        rules_for(changes)
    assert said in str(error.value) and error.value.status == 422


def test_another_priority_brings_its_ways_unless_told_otherwise() -> None:
    assert rules_for({"unreadable": {"priority": "high"}})["unreadable"].latches
    assert rules_for({"unreadable": {"priority": "high"}})["unreadable"].notify
    assert not rules_for({"unreadable": {"priority": "high", "notify": False}})["unreadable"].notify
    assert not rules_for({"asystole": {"priority": "low"}})["asystole"].notify


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Acknowledged(us(9), 7, "Ada"), "alarm 7"),
        (Acknowledged(us(9), 1, " "), "author: empty"),
        (AudioPaused(us(9), "a", "", "quiet", us(10)), "author: empty"),
        (AlarmPaused(us(9), "a", "Ada", "", us(10)), "a pause needs a reason"),
        (AlarmPaused(us(9), "a", "Ada", "quiet", us(9)), "a pause of 0.0 min"),
        (AudioPaused(us(9), None, "Ada", "quiet", us(9 + 7201)), "a pause of 120.0 min; it lasts at most 120 min"),
        (Resumed(us(9), None, "sound", "Ada"), "'sound' is not paused"),  # type: ignore[arg-type]
        (RulesChanged(us(9), "a", "Ada", {"flutter": {}}), "rule 'flutter'"),
        (ConditionChanged(us(9), None, "fire", True, "", us(9)), "condition 'fire', expected stream silent"),
        (ConditionChanged(us(9), None, "stream silent", True, "", us(9)), "it is a stream's own"),
        (ConditionChanged(us(9), "a", "disk full", True, "", us(9)), "it is the service's own"),
        (ConditionChanged(us(9), None, "gateway down", True, "", us(9)), "name the streams it carries"),
    ],
)
def test_what_can_not_be_is_refused_and_changes_nothing(scene: Scene, wrong: Input, said: str) -> None:
    scene.begins("asystole", 0)
    before = scene.desk.state.to_json()
    with pytest.raises(AlarmError) as error:
        scene.desk.step(wrong)
    assert said in str(error.value)
    assert scene.desk.state.to_json() == before


# State


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(StateError, match="version 0, expected 1"):
        State.from_json({**State().to_json(), "version": 0})


def test_what_is_over_is_forgotten(scene: Scene) -> None:
    scene.condition("gateway down", 0, streams=["a"])
    scene.begins("lead off", 0)
    scene.begins("asystole", 1)
    scene.ends("asystole", 1, 20)
    scene.ends("lead off", 0, 30)
    scene.give(AlarmPaused(us(40), "a", "Ada", "quiet", us(50)))
    scene.give(RulesChanged(us(40), "a", "Ada", {"unreadable": {"enabled": False}}))
    scene.give(RulesChanged(us(50), "a", "Ada", {}))
    scene.condition("gateway down", 60, on=False, streams=["a"])
    assert scene.until(1000).desk.state.streams == {} and scene.desk.due_us is None


# A recording


def test_episodes_of_a_recording_are_the_alarms_live(scene: Scene) -> None:
    told = [
        Finding("triplet", 3, 4.5, True, 7),
        Finding("asystole", 10, None, True, 15),
        Finding("asystole", 10, 21, True, 23),
        Finding("asystole", 27, None, True, 32),
        Finding("asystole", 27, 33, True, 35),
        Finding("tachycardia", 50, None, False, 57, 150),
    ]
    found = episodes(told, 64)
    assert [(e.code, e.priority, e.start_s, e.end_s, e.told_s) for e in found] == [
        ("triplet", "low", 3, 4.5, 7),
        ("asystole", "high", 10, 33, 15),
        ("extreme tachycardia", "high", 50, 64, 57),
    ]
    assert found[2].reason == "heart rate 150 a minute or more (limit 150)" and found[2].value == 150
    assert episodes([], 100) == []


# Laws

STREAMS = st.sampled_from("ab")
NAMES = sorted({rule.finding for rule in RULES if rule.finding not in ("clock jump", "store failing", "disk full")})
SERVICE = ["store failing", "disk full", "gateway down"]


@st.composite
def logs(draw) -> list[Input]:
    """Findings that begin and end, in time or late, and people's acts, over some minutes."""
    log: list[Input] = []
    lasting: dict[tuple[str, str], tuple[float, float | None]] = {}
    known = {"a": -40.0, "b": -40.0}
    now = 0.0
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([0.0, 0.0, 0.4, 1.0, 3.0, 7.0, 20.0, 61.0, 400.0]))
        at, stream, name = us(now), draw(STREAMS), draw(st.sampled_from(NAMES))
        what = draw(st.integers(0, 11))
        if what <= 6 and name in [*SERVICE, "stream silent"]:
            log.append(
                ConditionChanged(at, None if name in SERVICE else stream, name, draw(st.booleans()), "", at, ("a", "b"))
            )
        elif what <= 6:
            lag, value = draw(st.sampled_from([0, 0, 0, 2, 40])), draw(st.sampled_from([20.0, 40, 60, 110, 120, 160]))
            told = known[stream] = max(known[stream], now - lag)
            start, value_before = lasting.pop((stream, name), (told - 2, None))
            if value_before is not None:
                log.append(
                    Found(at, stream, 1, Finding(name, start, told, True, told, value_before), us(start), us(told))
                )
                if draw(st.booleans()):
                    continue
                start = told
            whole = draw(st.integers(0, 3)) == 0
            end = told if whole else None
            log.append(Found(at, stream, 1, Finding(name, start, end, True, told, value), us(start), end and us(end)))
            if not whole:
                lasting[stream, name] = (start, value)
        elif what == 7:
            log.append(Acknowledged(at, draw(st.integers(1, 8)), "Ada"))
        elif what == 8:
            pause = draw(st.sampled_from([AudioPaused, AlarmPaused]))
            whom = draw(st.sampled_from(["a", None]))
            log.append(pause(at, whom, "Ada", "quiet", at + draw(st.sampled_from([5, 600])) * 1_000_000))
        elif what == 9:
            log.append(
                Resumed(at, draw(st.sampled_from(["a", None])), draw(st.sampled_from(["audio", "alarm"])), "Ada")
            )
        elif what == 10:
            rule = draw(st.sampled_from([rule for rule in RULES if rule.code not in SERVICE]))
            change = draw(st.sampled_from([{}, {"enabled": False}, {"priority": "high"}, {"priority": "low"}]))
            if rule.finding == "tachycardia":
                change = {**change, "limit": draw(st.sampled_from([100, 110, 170]))}
            log.append(RulesChanged(at, stream, "Ada", {rule.code: change}))
        else:
            log.append(draw(st.sampled_from([Viewed(at), EpochEnded(at, stream, 1), Tick(at)])))
            if isinstance(log[-1], EpochEnded):
                lasting = {key: since for key, since in lasting.items() if key[0] != stream}
    return [*log, Tick(us(now + 3000))]


def run(desk: Desk, log: list[Input]) -> list[list[Output]]:
    """The outputs of each input, and of the ticks that were due before it."""
    answers = []
    for given_ in log:
        out: list[Output] = []
        while (due_us := desk.due_us) is not None and due_us <= given_.at_us:
            out += desk.step(Tick(due_us))
        try:
            out += desk.step(given_)
        except AlarmError:
            assert isinstance(given_, Acknowledged)
        answers.append(out)
    return answers


def split(answers: list[list[Output]]) -> tuple[list[Alarm], list[Notice]]:
    outputs = [output for answer in answers for output in answer]
    changed = [output.alarm for output in outputs if isinstance(output, AlarmChanged)]
    return changed, [output for output in outputs if isinstance(output, Notice)]


@given(logs(), st.data())
def test_the_same_log_gives_the_same_from_any_saved_state(log: list[Input], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)))
    whole = run(Desk(), log)
    desk = Desk()
    first = run(desk, log[:cut])
    saved = json.loads(json.dumps(desk.state.to_json(), sort_keys=True, allow_nan=False))
    again = Desk(State.from_json(saved))
    assert again.state == desk.state and again.due_us == desk.due_us
    assert first + run(again, log[cut:]) == whole
    assert run(Desk(), log) == whole


@given(logs())
def test_alarms_and_notices_keep_their_promises(log: list[Input]) -> None:
    desk = Desk()
    answers = run(desk, log)
    changed, notices = split(answers)

    alarms: dict[int, list[Alarm]] = {}
    for alarm in changed:
        alarms.setdefault(alarm.id, []).append(alarm)
    for states in alarms.values():
        assert states[0].presence == "on"
        for before, after in pairwise(states):
            assert (before.presence, after.presence) in {
                ("on", "on"),
                ("on", "latched"),
                ("on", "off"),
                ("latched", "latched"),
                ("latched", "off"),
            }
            assert before != after
            same = ("id", "stream", "epoch", "code", "type", "onset_us", "told_us", "late")
            assert all(getattr(before, name) == getattr(after, name) for name in same)
        last = states[-1]
        assert (last.ended_us is None) == (last.presence == "on")
        assert last.ended_us is None or last.onset_us <= last.ended_us
        assert not (last.late and any(state.presence == "latched" for state in states))
        assert not any(state.presence == "latched" and state.acknowledged for state in states)
    still = {opened.alarm for stream in desk.state.streams.values() for opened in stream.opens()}
    assert still == {states[-1] for states in alarms.values() if states[-1].presence != "off"}

    assert len({notice.key for notice in notices}) == len(notices)
    for first, sixth in zip(notices, notices[5:], strict=False):
        assert sixth.at_us - first.at_us > 60_000_000
    for kind in ("raised", "escalated", "resolved"):
        told = [alarm for notice in notices if notice.kind == kind for alarm in notice.alarms]
        assert len(told) == len(set(told))
    raised = {alarm for notice in notices if notice.kind == "raised" for alarm in notice.alarms}
    for notice in notices:
        assert notice.alarms and raised >= set(notice.alarms)
        assert not any(alarms[alarm][0].late for alarm in notice.alarms)


@given(logs())
def test_a_tick_that_is_not_due_changes_nothing(log: list[Input]) -> None:
    desk = Desk()
    for given_ in log:
        due_us = desk.due_us
        if due_us is None or desk.state.clock_us < due_us:
            before = desk.state.to_json()
            assert desk.step(Tick(desk.state.clock_us if due_us is None else due_us - 1)) == []
            assert desk.state.to_json() == before
        run(desk, [given_])


@given(logs())
def test_nobody_is_told_of_what_is_over_acknowledged_or_paused(log: list[Input]) -> None:
    now: dict[int, Alarm] = {}
    for answer in run(Desk(), log):
        for output in answer:
            if isinstance(output, AlarmChanged):
                now[output.alarm.id] = output.alarm
            elif output.kind != "resolved":
                for alarm in map(now.__getitem__, output.alarms):
                    assert alarm.presence != "off" and not alarm.acknowledged and alarm.signal != "alarm paused"
            else:
                assert all(now[alarm].presence == "off" for alarm in output.alarms)


@settings(max_examples=50)
@given(logs())
def test_a_backlog_gives_the_episodes_that_it_would_have_given_live(log: list[Input]) -> None:
    """Told in time or all at once an hour later: the same codes, onsets and ends."""
    found = [one for one in log if isinstance(one, Found) and one.stream == "a"]
    found.sort(key=lambda one: one.finding.told_s)
    last_s = max((one.finding.told_s for one in found), default=0)
    ended = {(one.finding.name, one.finding.start_s) for one in found if one.end_us}
    for one in [one for one in found if (one.finding.name, one.finding.start_s) not in ended]:
        over = replace(one.finding, end_s=last_s + 100, told_s=last_s + 100)
        found.append(replace(one, finding=over, end_us=us(last_s + 100)))
    after_us = us(last_s + 3600)
    live = run(Desk(), [*(replace(one, at_us=us(one.finding.told_s)) for one in found), Tick(after_us)])
    late = run(Desk(), [*(replace(one, at_us=after_us) for one in found), Tick(after_us + 10**9)])

    def seen(answers: list[list[Output]]) -> list[tuple[str, int, int | None, float | None]]:
        last = {alarm.id: alarm for alarm in split(answers)[0]}.values()
        return sorted((alarm.code, alarm.onset_us, alarm.ended_us, alarm.value) for alarm in last)

    assert seen(late) == seen(live)
    assert split(late)[1] == [] and all(alarm.late for alarm in split(late)[0])


def test_a_clock_that_was_set_back_makes_nothing_late() -> None:
    """The desk's own clock goes on; lateness goes by the clock that the samples' times are of."""
    desk, back_us = Desk(), 3_600_000_000
    desk.step(Tick(us(10_000)))
    finding = Finding("asystole", 100.0, None, True, 107.0)
    told_us = us(10_007) - back_us
    outputs = desk.step(Found(us(10_007), "a", 1, finding, told_us - 7_000_000, seen_us=told_us))
    (changed,) = [output for output in outputs if isinstance(output, AlarmChanged)]
    assert not changed.alarm.late


def test_an_end_of_an_epoch_that_is_over_leaves_the_next_one_alone() -> None:
    desk = Desk()
    old, new = (Finding("asystole", start_s, None, True, start_s + 7) for start_s in (50.0, 5.0))
    desk.step(Found(us(57), "a", 1, old, us(50)))
    desk.step(Found(us(112), "a", 2, new, us(105)))
    desk.step(Found(us(113), "a", 1, replace(old, end_s=60.0, told_s=63.0), us(50), us(60)))
    assert "asystole" in desk.state.streams["a"].holding
