"""A ping to an outside address while the service is well: there, somebody is told when it stays away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ectopy.service.notify.address import Address
from ectopy.service.notify.guard import Guard, NotifyError

_EVERY_S = 60.0
_PATIENCE_S = (5.0, 10.0)  # to connect, to answer
_log = logging.getLogger(__name__)


class DeadMan:
    """Pings until it is closed; a ping that fails is logged, the first of a row, and harms nothing.

    healthy : asked before each ping, in a thread of its own
    """

    def __init__(self, address: Address, guard: Guard, healthy: Callable[[], bool], every_s: float = _EVERY_S):
        self._address = address
        self._guard = guard
        self._healthy = healthy
        self._every_s = every_s
        self._failing = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead man", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                if self._healthy():
                    self._ping()
            except Exception as error:  # whatever it is, the next ping is due all the same
                if not self._failing:
                    _log.warning("%s can't be pinged: %s", self._address, self._address.redact(str(error))[:300])
                self._failing = True
            else:
                self._failing = False
            if self._closing.wait(self._every_s):
                return

    def _ping(self) -> None:
        import requests  # the guard knows how it connects

        with (
            self._guard.watching(),
            requests.get(
                self._address.get_secret_value(), timeout=_PATIENCE_S, allow_redirects=False, stream=True
            ) as answer,
        ):
            if not 200 <= answer.status_code < 300:
                raise NotifyError(f"it answers {answer.status_code}")
