"""What waits to be sent. The service keeps it in its database; this one, for `ectopy watchdog`, in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Literal, Protocol

Priority = Literal["high", "medium", "low", "none"]


@dataclass(frozen=True, slots=True)
class Message:
    """One notification to one target; `key` is the same for all its targets, and in every try."""

    key: str
    target: str  # `Target.name`
    title: str
    body: str
    at_us: int  # UTC: when there was something to tell
    priority: Priority = "high"  # "none": nothing is asked of the reader, as when an alarm is over
    level: int = 1  # 2: escalated
    tries: int = 0  # so far
    next_us: int = 0  # UTC: when to try; a few minutes ahead at most


class Outbox(Protocol):
    """Called from one thread a target. What `sent` or `failed` has returned from is kept: `waiting` shows it."""

    def waiting(self, target: str, limit: int) -> list[Message]:
        """What is not sent and not given up, the oldest first, due or not."""

    def sent(self, message: Message, now_us: int) -> None:
        """It has arrived."""

    def failed(self, message: Message, reason: str, next_us: int | None) -> None:
        """It hasn't: one try more, and another at `next_us`; None: it is given up."""


class MemoryOutbox:
    """An outbox that ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], Message] = {}

    def add(self, message: Message) -> None:
        with self._lock:
            self._waiting[message.target, message.key] = message

    def waiting(self, target: str, limit: int) -> list[Message]:
        with self._lock:
            return [message for message in self._waiting.values() if message.target == target][:limit]

    def sent(self, message: Message, now_us: int) -> None:
        with self._lock:
            self._waiting.pop((message.target, message.key), None)

    def failed(self, message: Message, reason: str, next_us: int | None) -> None:
        with self._lock:
            if next_us is None:
                self._waiting.pop((message.target, message.key), None)
            else:
                later = replace(message, tries=message.tries + 1, next_us=next_us)
                self._waiting[message.target, message.key] = later
