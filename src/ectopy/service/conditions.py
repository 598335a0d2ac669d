"""What is wrong with the equipment: streams that fall silent, gateways that are gone, the clock, the disk.

Here it is only seen; the desk makes alarms of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ectopy.alarms import ConditionChanged
from ectopy.service.desk import SILENT
from ectopy.service.store import DISK_FULL

_SILENT_S = 10.0
_JUMP_S = 2.0  # of UTC against the steady clock, between two looks
_GATEWAY, _CLOCK, _STORE, _DISK = "gateway down", "clock jump", "store failing", "disk full"


class Conditions:
    """Called on the event loop. Steady seconds are those of its clock.

    silent, behind : streams that the desk knows to be silent, or to belong to a gateway that is down
    lasting : what of the service's own the desk knows to last
    """

    def __init__(
        self,
        now_s: float,
        silent: Collection[str] = (),
        behind: Collection[str] = (),
        lasting: Collection[str] = (),
    ):
        self._began_s = now_s
        self._came: dict[str, float] = {}
        self._silent = set(silent)
        self._behind = dict.fromkeys(behind, now_s)
        self._lost: list[tuple[str, ...]] = []
        self._utc_s: float | None = None  # UTC of the steady clock's 0
        self._jumped = _CLOCK in lasting
        self._trouble = next((name for name in (_DISK, _STORE) if name in lasting), None)

    def came(self, stream: str, now_s: float) -> None:
        """Something came of a stream, or it begins."""
        self._came[stream] = now_s

    def lost(self, streams: Collection[str], now_s: float) -> None:
        """The connection that wrote these is gone."""
        self._lost.append(tuple(sorted(streams)))
        self._behind.update(dict.fromkeys(streams, now_s))

    def look(
        self, running: Collection[str], trouble: str | None, now_s: float, utc_s: float
    ) -> Iterator[ConditionChanged]:
        """What has changed.

        running : the streams whose epoch has not ended
        trouble : of the store
        """
        at_us = round(utc_s * 1e6)
        yield from self._gateways(running, at_us)
        yield from self._silence(running, now_s, at_us)
        yield from self._clock(utc_s - now_s, at_us)
        yield from self._store(trouble, at_us)

    def _silence(self, running: Collection[str], now_s: float, at_us: int) -> Iterator[ConditionChanged]:
        for stream in running:
            quiet_s = now_s - self._came.get(stream, self._began_s)
            if (quiet_s >= _SILENT_S) != (stream in self._silent):
                on = stream not in self._silent
                (self._silent.add if on else self._silent.remove)(stream)
                since_us = at_us - round(quiet_s * 1e6)
                yield ConditionChanged(at_us, stream, SILENT, on, "", since_us if on else at_us)
        if len(self._came) > len(running):
            self._came = {stream: came_s for stream, came_s in self._came.items() if stream in running}
        for stream in self._silent.difference(running):
            self._silent.remove(stream)
            yield ConditionChanged(at_us, stream, SILENT, False, "", at_us)

    def _gateways(self, running: Collection[str], at_us: int) -> Iterator[ConditionChanged]:
        for streams in self._lost:
            n = "1 stream" if len(streams) == 1 else f"{len(streams)} streams"
            yield ConditionChanged(at_us, None, _GATEWAY, True, f"a gateway with {n} is gone", at_us, streams)
        self._lost = []
        back = [s for s, lost_s in self._behind.items() if self._came.get(s, 0.0) > lost_s or s not in running]
        for stream in back:
            del self._behind[stream]
        if back:
            yield ConditionChanged(at_us, None, _GATEWAY, False, "", at_us, tuple(back))

    def _clock(self, utc_s: float, at_us: int) -> Iterator[ConditionChanged]:
        jump_s = 0.0 if self._utc_s is None else utc_s - self._utc_s
        self._utc_s = utc_s
        if abs(jump_s) >= _JUMP_S:
            self._jumped = True
            yield ConditionChanged(at_us, None, _CLOCK, True, f"the server's clock was set by {jump_s:+.0f} s", at_us)
        elif self._jumped:
            self._jumped = False
            yield ConditionChanged(at_us, None, _CLOCK, False, "", at_us)

    def _store(self, trouble: str | None, at_us: int) -> Iterator[ConditionChanged]:
        if trouble == self._trouble:
            return
        before, now = self._trouble, trouble
        self._trouble = trouble
        if before is not None and (now is None or _kind(now) != _kind(before)):
            yield ConditionChanged(at_us, None, _kind(before), False, "", at_us)
        if now is not None and (before is None or _kind(now) != _kind(before)):
            yield ConditionChanged(at_us, None, _kind(now), True, now, at_us)


def _kind(trouble: str) -> str:
    return _DISK if trouble.startswith(DISK_FULL) else _STORE
