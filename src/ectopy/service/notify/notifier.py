"""The notifier: a thread a target, so that one that hangs holds up no other.

A thread tries all that waits for its target, the oldest first, whenever any of it is due: so order holds when a target
comes back, and a message that a target won't take stands in nobody's way. A try that failed is repeated after 1 s, then
after twice as long each time, up to 5 min (and up to a quarter more or less); after 24 h a message is given up. A round
that fails for half a minute is broken off; from then on, until something arrives, only what is due is tried, and first
what has been for longest: else the oldest would be sent over and over, as its answer may be all that fails.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

from ectopy.service.notify.guard import NotifyError
from ectopy.service.notify.outbox import Message, Outbox
from ectopy.service.notify.targets import Target

_FIRST_S = 1.0
_LONGEST_S = 300.0
_VARIES = 0.25  # part of a pause
_GIVE_UP_US = 24 * 3600 * 1_000_000
_AT_ONCE = 100  # messages looked at together
_IN_VAIN_S = 30.0  # of failing in one round
_POLL_S = 5.0  # for what came without a word, as from before a restart
_CLOSE_S = 5.0
_log = logging.getLogger(__name__)


def utc_us() -> int:
    return time.time_ns() // 1000


class Notifier:
    """Sends what waits in an outbox, each to its target."""

    def __init__(self, outbox: Outbox, targets: Sequence[Target], now_us: Callable[[], int] = utc_us):
        self._lanes = [_Lane(outbox, target, now_us) for target in targets]

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def wake(self) -> None:
        """There is something new in the outbox. From any thread."""
        for lane in self._lanes:
            lane.wake()

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """Send nothing more; what is being sent has `timeout_s` to end."""
        end = time.monotonic() + timeout_s
        for lane in self._lanes:
            lane.close()
        for lane in self._lanes:
            lane.join(max(0.0, end - time.monotonic()))


class _Lane:
    def __init__(self, outbox: Outbox, target: Target, now_us: Callable[[], int]):
        self._outbox = outbox
        self._target = target
        self._now_us = now_us
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._failing = False
        self._slow = False  # a round was broken off, and nothing has arrived since
        self._thread = threading.Thread(target=self._run, name=f"notify {target.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def close(self) -> None:
        self._closing.set()
        self._woken.set()

    def join(self, timeout_s: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._woken.clear()
            try:
                wait_s = self._round()
            except Exception:
                if not self._closing.is_set():
                    _log.exception("the outbox of %s can't be read", self._target)
                wait_s = _POLL_S
            if self._failing:
                self._closing.wait(_FIRST_S)  # whatever comes meanwhile
            self._woken.wait(wait_s)

    def _round(self) -> float:
        """Try what waits; seconds until there is something to do again."""
        waiting = self._outbox.waiting(self._target.name, _AT_ONCE)
        if (wait_s := self._until_due(waiting)) > 0:
            return wait_s
        in_vain_s, slow = 0.0, self._slow
        due = sorted((one for one in waiting if not self._wait_s(one)), key=lambda one: one.next_us)
        for message in due if slow else waiting:
            if self._closing.is_set() or in_vain_s > _IN_VAIN_S:
                break
            began = time.monotonic()
            if not self._try(message):
                in_vain_s += time.monotonic() - began
            elif slow:
                self._slow = False
                return 0.0  # from the oldest on
        self._slow = slow or in_vain_s > _IN_VAIN_S
        return 0.0 if len(waiting) == _AT_ONCE else self._until_due(self._outbox.waiting(self._target.name, _AT_ONCE))

    def _until_due(self, waiting: Sequence[Message]) -> float:
        if not waiting:
            return _POLL_S
        return min(_POLL_S, *(self._wait_s(message) for message in waiting))

    def _wait_s(self, message: Message) -> float:
        wait_s = (message.next_us - self._now_us()) / 1e6
        if wait_s > _longest_s(message.tries - 1):  # the clock has been set back
            return 0.0
        return max(0.0, wait_s)

    def _try(self, message: Message) -> bool:
        if self._now_us() - message.at_us > _GIVE_UP_US:
            self._keep(lambda: self._outbox.failed(message, "given up after 24 h", None))
            _log.error("given up: what %s should have been told, key %s", self._target, message.key)
            return False
        try:
            self._target.send(message)
        except NotifyError as error:
            reason = str(error)
            if not self._failing:
                _log.warning("%s can't be told, and will be tried again: %s", self._target, reason)
            self._failing = True
            next_us = self._now_us() + round(_pause_s(message.tries) * 1e6)
            self._keep(lambda: self._outbox.failed(message, reason, next_us))
            return False
        self._keep(lambda: self._outbox.sent(message, self._now_us()))
        if self._failing:
            _log.info("%s is told again", self._target)
        self._failing = False
        return True

    def _keep(self, write: Callable[[], None]) -> None:
        """Until it is kept: what has been sent and isn't marked so would be sent again."""
        while True:
            try:
                return write()
            except Exception:
                _log.exception("the outbox of %s can't be written", self._target)
                if self._closing.wait(_FIRST_S):
                    return None


def _pause_s(tries: int) -> float:
    return _longest_s(tries, random.uniform(1 - _VARIES, 1 + _VARIES))


def _longest_s(tries: int, part: float = 1 + _VARIES) -> float:
    return min(_LONGEST_S, _FIRST_S * 2.0 ** min(tries, 20) * part)
