"""Notifications arrive at real local servers, once, with a key; a target that fails harms no other."""

import logging
import time

import pytest
from tests.sinks import HttpSink, SmtpSink, alone, message, silent, target, trickling, until

from ectopy.service.notify import (
    Address,
    DeadMan,
    Guard,
    MemoryOutbox,
    Message,
    Notifier,
    NotifyError,
    Told,
    guard,
    notifier,
    render,
)
from ectopy.service.notify.text import fitted


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    alone(monkeypatch, tmp_path)


@pytest.fixture
def _quick(monkeypatch):
    monkeypatch.setattr(notifier, "_FIRST_S", 0.05)


def test_a_webhook_gets_title_body_and_the_key_in_its_payload():
    with HttpSink() as sink:
        to = target(f"json://{sink.place}/hook", sink.place)
        to.send(message(to))
    (post,) = sink.posts
    assert post["title"] == "HIGH: asystole, bed-7"
    assert post["message"] == "no beat for 4.2 s\nkey: n-1"
    assert (post["key"], post["type"]) == ("n-1", "failure")


def test_a_mail_has_the_key_in_its_header_and_in_its_last_line():
    with SmtpSink() as sink:
        to = target(f"mailto://{sink.place}/?to=nurse@example.org&from=ectopy@example.org", sink.place)
        to.send(message(to))
    (mail,) = sink.mails
    assert mail["Subject"] == "HIGH: asystole, bed-7"
    assert mail["To"] == "nurse@example.org"
    assert mail["X-Ectopy-Key"] == "n-1"
    assert mail.get_payload(decode=True).decode().splitlines() == ["no beat for 4.2 s", "key: n-1"]


def test_what_is_too_long_keeps_its_key():
    assert fitted("x" * 500, "n-1", 100).endswith("x ...\nkey: n-1")
    assert len(fitted("x" * 500, "n-1", 100)) == 100


def test_a_server_that_fails_is_tried_again_and_gets_it_once(_quick, caplog):
    caplog.set_level(logging.INFO)
    with HttpSink(500, 503) as sink:
        to, outbox = target(f"json://{sink.place}/", sink.place), MemoryOutbox()
        sender = Notifier(outbox, [to])
        outbox.add(message(to))
        sender.start()
        until(lambda: sink.posts and not outbox.waiting(to.name, 1))
        time.sleep(0.3)
        sender.close()
    assert len(sink.requests) == 3
    assert [post["key"] for post in sink.posts] == ["n-1"]
    assert [record.levelname for record in caplog.records if "told" in record.getMessage()] == ["WARNING", "INFO"]
    assert "error=500" in caplog.text


def test_messages_keep_their_order_when_a_target_comes_back(_quick):
    with HttpSink(500, 500, 500, 500) as sink:
        to, outbox = target(f"json://{sink.place}/", sink.place), MemoryOutbox()
        sender = Notifier(outbox, [to])
        outbox.add(message(to, "n-1"))
        sender.start()
        until(lambda: len(sink.requests) >= 2)
        outbox.add(message(to, "n-2"))
        sender.wake()
        until(lambda: len(sink.posts) == 2)
        sender.close()
    assert [post["key"] for post in sink.posts] == ["n-1", "n-2"]


def test_a_message_that_is_not_taken_stands_in_nobodys_way():
    refused = "n-1"

    class Picky:
        name = "picky"

        def send(self, message: Message) -> None:
            if message.key == refused:
                raise NotifyError("error=400")

    to, outbox = Picky(), MemoryOutbox()
    sender = Notifier(outbox, [to])  # type: ignore[list-item]
    for key in (refused, "n-2"):
        outbox.add(message(to, key))  # type: ignore[arg-type]
    began_us = time.time_ns() // 1000
    sender.start()
    until(lambda: [left.key for left in outbox.waiting("picky", 9)] == [refused])
    sender.close()
    (left,) = outbox.waiting("picky", 9)
    assert left.tries >= 1
    assert left.next_us >= began_us + 750_000


def test_a_message_whose_answer_does_not_end_stands_in_nobodys_way(monkeypatch):
    """It may have arrived: it is not sent over and over either."""
    monkeypatch.setattr(notifier, "_IN_VAIN_S", 0.05)
    endless, tries = {"n-1", "n-2", "n-3"}, []

    class Slow:
        name = "slow"

        def send(self, message: Message) -> None:
            tries.append(message.key)
            if message.key in endless:
                time.sleep(0.1)
                raise NotifyError("no answer that ends")

    to, outbox = Slow(), MemoryOutbox()
    sender = Notifier(outbox, [to])  # type: ignore[list-item]
    for number in range(1, 6):
        outbox.add(message(to, f"n-{number}"))  # type: ignore[arg-type]
    sender.start()
    until(lambda: not {"n-4", "n-5"} & {left.key for left in outbox.waiting("slow", 9)})
    assert tries[:3] == ["n-1", "n-2", "n-3"] and tries.count("n-1") <= 4
    assert [key for key in tries if key not in endless] == ["n-4", "n-5"]
    endless.clear()
    until(lambda: not outbox.waiting("slow", 9), 30)
    sender.close()


def test_of_many_messages_whose_answers_do_not_end_none_is_sent_more_often_than_the_others(monkeypatch):
    for name, seconds in (("_IN_VAIN_S", 0.25), ("_FIRST_S", 0.05), ("_LONGEST_S", 1.0)):
        monkeypatch.setattr(notifier, name, seconds)
    tries: list[str] = []

    class Slow:
        name = "slow"

        def send(self, message: Message) -> None:
            tries.append(message.key)
            time.sleep(0.1)
            raise NotifyError("no answer that ends")

    to, outbox = Slow(), MemoryOutbox()
    sender = Notifier(outbox, [to])  # type: ignore[list-item]
    for number in range(1, 7):
        outbox.add(message(to, f"n-{number}"))  # type: ignore[arg-type]
    sender.start()
    until(lambda: len(tries) >= 90, 30)
    sender.close()
    often = [tries[30:].count(f"n-{number}") for number in range(1, 7)]  # once all pauses are as long as they get
    assert max(often) <= 1.5 * min(often), often


def test_a_target_that_hangs_holds_up_no_other_nor_the_end():
    with silent() as nobody, HttpSink() as sink:
        slow = target(f"json://{nobody}/?rto=1000", nobody)
        quick, outbox = target(f"json://{sink.place}/", sink.place), MemoryOutbox()
        sender = Notifier(outbox, [slow, quick])
        for to in (slow, quick):
            outbox.add(message(to))
        began = time.monotonic()
        sender.start()
        until(lambda: sink.posts)
        assert time.monotonic() - began < 3
        began = time.monotonic()
        sender.close(0.5)
        assert time.monotonic() - began < 2
    assert [left.key for left in outbox.waiting(slow.name, 9)] == ["n-1"]


def test_an_answer_that_never_ends_is_a_failed_try(monkeypatch):
    monkeypatch.setattr(guard, "_LONGEST_S", 0.3)
    with trickling() as nobody:
        to = target(f"json://{nobody}/", nobody)
        began = time.monotonic()
        with pytest.raises(NotifyError, match="none that ends"):
            to.send(message(to))
        assert time.monotonic() - began < 3


def test_what_is_a_day_old_is_given_up():
    with HttpSink() as sink:
        to, outbox = target(f"json://{sink.place}/", sink.place), MemoryOutbox()
        outbox.add(Message("n-1", to.name, "old", "old", at_us=time.time_ns() // 1000 - 25 * 3600 * 1_000_000))
        sender = Notifier(outbox, [to])
        sender.start()
        until(lambda: not outbox.waiting(to.name, 1))
        sender.close()
    assert not sink.requests


def test_an_outbox_that_cannot_write_brings_no_double(_quick):
    class Failing(MemoryOutbox):
        left = 3

        def sent(self, message: Message, now_us: int) -> None:
            self.left -= 1
            if self.left >= 0:
                raise OSError("the disk is full")
            super().sent(message, now_us)

    with HttpSink() as sink:
        to, outbox = target(f"json://{sink.place}/", sink.place), Failing()
        outbox.add(message(to))
        sender = Notifier(outbox, [to])
        sender.start()
        until(lambda: not outbox.waiting(to.name, 1))
        sender.close()
    assert len(sink.posts) == 1


def test_the_pauses_double_up_to_five_minutes():
    pauses = [notifier._pause_s(tries) for tries in range(40)]
    assert 0.75 <= pauses[0] <= 1.25
    assert all(0.75 * 2**n <= pauses[n] <= 1.25 * 2**n for n in range(8))
    assert all(225 <= pause <= 300 for pause in pauses[9:])


def test_a_dead_man_is_pinged_only_while_all_is_well():
    well = True
    with HttpSink() as sink:
        dead_man = DeadMan(Address(f"http://{sink.place}/ping"), Guard([sink.place]), lambda: well, every_s=0.02)
        dead_man.start()
        until(lambda: len(sink.requests) >= 2)
        well = False
        time.sleep(0.1)
        before = len(sink.requests)
        time.sleep(0.1)
        assert len(sink.requests) == before
        dead_man.close()
    assert set(sink.requests) == {"GET /ping"}


def test_a_dead_man_that_fails_is_logged_once_and_reaches_nothing_inside(caplog):
    with HttpSink() as sink:
        dead_man = DeadMan(Address(f"http://{sink.place}/ping"), Guard(), lambda: True, every_s=0.02)
        dead_man.start()
        time.sleep(0.3)
        dead_man.close()
    assert not sink.requests
    assert [record.getMessage().count("inside network") for record in caplog.records] == [1]


def test_one_alarm_is_its_own_title():
    told = Told("bed-7", "asystole", "high", 1_767_268_807_000_000, "no beat for 4.2 s")
    title, body = render([told])
    assert title == "HIGH: asystole, bed-7"
    assert body.splitlines() == [
        "HIGH asystole, bed-7, since 2026-01-01 12:00:07 UTC: no beat for 4.2 s",
        "",
        "Research software, not a medical device.",
    ]
    assert render([told], "escalated")[0] == "Nobody has acknowledged: HIGH: asystole, bed-7"
    assert render([told], "resolved")[0] == "Over: HIGH: asystole, bed-7"


def test_many_alarms_are_counted_and_twenty_of_them_named():
    alarms = [Told(f"bed-{n}", "lead off", "low", 10**15 + n, "all leads") for n in range(30)]
    alarms += [
        Told("bed-99", "asystole", "high", 2 * 10**15, "no beat", "latched"),
        Told(None, "disk full", "medium", 1, "x"),
    ]
    title, body = render(alarms, "reminder")
    assert title == "Still: 32 alarms: 1 high, 1 medium, 30 low"
    lines = body.splitlines()
    assert lines[0].startswith("HIGH asystole, bed-99")
    assert lines[0].endswith("(the finding has ended, the alarm is latched)")
    assert "the service" in lines[1]
    assert lines[20] == "and 12 more"
