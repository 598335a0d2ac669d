"""Notifications: whom to tell, what it says, and that it arrives. Apprise is imported only for a target."""

from ectopy.service.notify.address import Address
from ectopy.service.notify.deadman import DeadMan
from ectopy.service.notify.guard import Guard, NotifyError
from ectopy.service.notify.notifier import Notifier, utc_us
from ectopy.service.notify.outbox import MemoryOutbox, Message, Outbox
from ectopy.service.notify.targets import Target, Targets
from ectopy.service.notify.text import Told, render

__all__ = [
    "Address",
    "DeadMan",
    "Guard",
    "MemoryOutbox",
    "Message",
    "Notifier",
    "NotifyError",
    "Outbox",
    "Target",
    "Targets",
    "Told",
    "render",
    "utc_us",
]
