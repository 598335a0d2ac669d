"""Whom to tell: an Apprise URL each, sent to in the calling thread, under the guard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ectopy.errors import SettingsError
from ectopy.service.notify.address import Address
from ectopy.service.notify.guard import Guard, NotifyError, is_outside
from ectopy.service.notify.outbox import Message
from ectopy.service.notify.text import fitted

if TYPE_CHECKING:
    from apprise import NotifyBase

    from ectopy.service.settings import Settings

KEY_HEADER = "X-Ectopy-Key"
_LONGEST_S = 10.0  # that a target may ask to be waited for, at each step
_TYPES = {"high": "failure", "medium": "warning", "low": "info", "none": "success"}  # Apprise's words
_words = threading.local()


class Target:
    """One address.

    Raises
    ------
    SettingsError
        If Apprise can't make anything of it, it has several recipients, or it is inside and not allowed.
    """

    def __init__(self, address: Address, guard: Guard, setting: str = "notify"):
        self._address = address
        self._guard = guard
        self.name = address.name
        with _heard() as said:
            plugin = _plugin(address)
        place = f"{setting} = {address}"
        if plugin is None:
            # not what shows the address: what Apprise masks still has the ends of a password
            why = "".join(f" ({address.redact(words)})" for words in said if "://" not in words)
            raise SettingsError(f"{place}: Apprise can't use it{why}; its documentation shows how it is written")
        # Sent to all or to none: with several, one that fails would bring the others doubles.
        if len(plugin) // (plugin.retry + 1) > 1 or getattr(plugin, "cc", None) or getattr(plugin, "bcc", None):
            raise SettingsError(f"{place}: several recipients; give each an address of its own")
        host = getattr(plugin, "smtp_host", "") or plugin.host or ""
        if _plainly_inside(host) and not guard.allows(host, plugin.port) and not guard.allows(host, _any_port(plugin)):
            raise SettingsError(f"{place}: {host} is on the inside network; allow it with notify_inside")

    def __str__(self) -> str:
        return str(self._address)

    def send(self, message: Message) -> None:
        """Once, now.

        Raises
        ------
        NotifyError
            If it didn't arrive, as far as can be told.
        """
        plugin = _plugin(self._address)  # a new one each time: an old one waits between two sends
        if plugin is None:
            raise NotifyError("Apprise can't use the address any more")
        # Receivers know a double by its key: e-mail has it in a header, webhooks in the payload, all in the last line.
        for name, value in (("headers", KEY_HEADER), ("payload_extras", "key")):
            if isinstance(extra := getattr(plugin, name, None), dict):
                extra.setdefault(value, message.key)
        room = plugin.body_maxlen - (0 if plugin.title_maxlen else len(message.title) + 2)
        try:
            with self._guard.watching() as watch, _heard() as said:
                arrived = plugin.notify(
                    title=message.title,
                    body=fitted(message.body, message.key, room),
                    notify_type=_TYPES[message.priority],
                    body_format="text",
                    overflow="truncate",
                )
        except NotifyError:
            raise
        except Exception as error:  # a sender's own fault is a failed try
            raise NotifyError(self._address.redact(f"{type(error).__name__}: {error}")[:300]) from None
        if not arrived:
            raise NotifyError(watch.refused or self._address.redact("; ".join(said))[:300] or "not sent")


@dataclass(frozen=True)
class Targets:
    """All that are configured, by level."""

    first: tuple[Target, ...]
    escalated: tuple[Target, ...]  # the first ones, where none are named

    @classmethod
    def of(cls, settings: Settings) -> Targets:
        """Those of the settings.

        Raises
        ------
        SettingsError
            If one of them can't be used.
        """
        guard = Guard(settings.notify_inside)
        known: dict[str, Target] = {}

        def opened(setting: str, addresses: Sequence[Address]) -> tuple[Target, ...]:
            made = [Target(address, guard, setting) for address in addresses]
            return tuple(dict.fromkeys(known.setdefault(target.name, target) for target in made))

        first = opened("notify", settings.notify)
        return cls(first, opened("notify_escalated", settings.notify_escalated) or first)

    def at(self, level: int) -> tuple[Target, ...]:
        """Whom a notification of this level goes to."""
        return self.first if level == 1 else self.escalated

    @property
    def all(self) -> tuple[Target, ...]:
        return tuple(dict.fromkeys(self.first + self.escalated))


def _plugin(address: Address) -> NotifyBase | None:
    from apprise import Apprise, AppriseAsset

    # It writes nothing to disk, follows no redirect and makes no key.
    asset = AppriseAsset(
        app_id="Ectopy", app_desc="Ectopy", app_url="", http_redirects=False, storage_mode="memory", pgp_autogen=False,
        pem_autogen=False, image_url_mask=False,
    )  # fmt: skip
    plugin = Apprise.instantiate(address.get_secret_value(), asset=asset)
    if plugin is not None:
        plugin.redirects = False  # whatever the address says
        plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, _LONGEST_S)
        plugin.socket_read_timeout = min(plugin.socket_read_timeout, _LONGEST_S)
    return plugin


def _any_port(plugin: NotifyBase) -> int:
    """The port where the address names none."""
    return plugin.port or (443 if plugin.secure else 80)


def _plainly_inside(host: str) -> bool:
    """Whether it takes no look-up to know."""
    try:
        ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return not is_outside(host)


class _Ear(logging.Handler):
    """Keeps what Apprise warns of for the thread that sends; nothing of it goes to the log as it is."""

    def emit(self, record: logging.LogRecord) -> None:
        if (said := getattr(_words, "said", None)) is not None:
            said.append(record.getMessage())


_EAR = _Ear(logging.WARNING)


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise warns of meanwhile, in this thread."""
    apprise = logging.getLogger("apprise")
    apprise.addHandler(_EAR)  # once: a second time changes nothing
    apprise.propagate = False
    apprise.setLevel(logging.WARNING)
    for library in ("urllib3", "requests_oauthlib", "oauthlib"):
        logging.getLogger(library).setLevel(logging.WARNING)  # below, they log URLs whole
    said: list[str] = []
    _words.said = said
    try:
        yield said
    finally:
        _words.said = None
