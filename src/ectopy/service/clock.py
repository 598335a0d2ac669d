"""When a sample was taken: anchors between sample indices and the server's UTC.

A chunk can come late, never early: of the arrivals between two anchors the one that was least delayed counts. Samples
that come much faster than they were taken (a backlog after an outage, a recording played) say nothing of the time. Time
between anchors runs at the epoch's rate; a device that is a little off is caught up with at the next one.

A device that counts no samples says nothing of a silence: what it sends behind one would seem to be as old as the
silence was long. So ten seconds that come as live signal does, and all later than the last anchor has it, make one.

The last anchors are at hand, which the times of new verdicts need; older ones are read where somebody asks for an old
time, as when a log is replayed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ectopy.service.rows import AnchorRow

_EVERY_S = 60.0  # of signal
KEPT = 16  # anchors at hand; one that is dropped has been on disk for long
_WINDOW_S = 10.0  # of signal, over which the pace of its coming is seen
_PACE = 0.5  # of real time: quicker signal is none that is being taken
_STEP_S = 1.0  # of the server's clock: from there on it counts anew at once
_LATER_S = 2.0  # than the chunk before, or than the anchor has it: a silence that nobody counted, perhaps
_LIVE = 0.1  # that the pace of live signal may be off by, over a window; what is caught up with comes faster


@dataclass(slots=True)
class _Recent:
    """What has come without a pause, some seconds of signal at most.

    first : the sample that it began with
    start : sample and steady clock behind its first chunk
    last : likewise, behind its last one
    least : steady clock at sample 0, by the least delayed chunk
    """

    first: int
    start: tuple[int, float]
    last: tuple[int, float]
    least: float = float("inf")


class Clock:
    """The anchors of one epoch; before the first, `started_us` is the time of its sample 0.

    anchors : the last `KEPT` that there are
    earlier : reads the last anchor at or before a sample
    """

    def __init__(
        self,
        epoch: int,
        fs: Fraction,
        started_us: int,
        device_us: int | None = None,
        anchors: Sequence[AnchorRow] = (),
        earlier: Callable[[int], AnchorRow | None] = lambda _: None,
    ):
        self._epoch = epoch
        self._fs = float(fs)
        self._started = AnchorRow(epoch, 0, started_us)
        self._device_us = device_us
        self._anchors = tuple(anchors)  # replaced, not changed: the judge's thread reads them
        self._earlier = earlier
        self._least = float("inf")  # steady clock at sample 0, by the least delayed chunk since the last anchor
        self._utc: float | None = None  # UTC of the steady clock's 0
        self._window: tuple[int, float] | None = None  # sample and steady clock where the window began
        self._live = True  # samples come as they are taken
        self._recent: _Recent | None = None

    def observe(self, end: int, steady_s: float, utc_s: float) -> AnchorRow | None:
        """Samples up to `end` are here, by a steady clock and by UTC; an anchor, where one is due."""
        utc = utc_s - steady_s
        stepped = self._utc is not None and abs(utc - self._utc) > _STEP_S
        self._utc = utc
        began = steady_s - end / self._fs
        self._least = began if stepped else min(self._least, began)
        self._see_pace(end, steady_s)
        silence = self._see_silence(end, steady_s)
        if not self._anchors:
            return self._keep(0, utc, self._device_us)
        last = self._anchors[-1]
        if end <= last.sample:
            return None
        if silence and utc + silence.least - (last.server_us / 1e6 - last.sample / self._fs) > _LATER_S:
            self._least = silence.least
            return self._keep(max(silence.first, last.sample + 1), utc, None)
        if self._live and (stepped or end - self._anchors[-1].sample >= _EVERY_S * self._fs):
            return self._keep(end, utc, None)
        return None

    def at(self, sample: int) -> int:
        """Microseconds UTC at a sample, by the last anchor at or before it."""
        anchors = self._anchors
        place = bisect_right(anchors, sample, key=lambda anchor: anchor.sample) - 1
        if place >= 0:
            anchor = anchors[place]
        else:
            anchor = (self._earlier(sample) if anchors else None) or self._started
        return anchor.server_us + round((sample - anchor.sample) * 1e6 / self._fs)

    def _see_pace(self, end: int, steady_s: float) -> None:
        if self._window is None:
            self._window = end, steady_s
        signal_s = (end - self._window[0]) / self._fs
        if signal_s >= _WINDOW_S:
            self._live = steady_s - self._window[1] >= _PACE * signal_s
            self._window = end, steady_s
            if not self._live:
                self._least = float("inf")

    def _see_silence(self, end: int, steady_s: float) -> _Recent | None:
        """A window of live signal, where one is complete: a silence may lie before it."""
        here, recent = (end, steady_s), self._recent
        if recent is None:
            self._recent = _Recent(end, here, here)
            return None
        n, quiet_s = end - recent.last[0], steady_s - recent.last[1]
        if n <= 0:
            return None  # it fills a hole
        if quiet_s - n / self._fs > _LATER_S:
            recent = self._recent = _Recent(recent.last[0], here, here)
        recent.last, recent.least = here, min(recent.least, steady_s - end / self._fs)
        signal_s, took_s = (end - recent.start[0]) / self._fs, steady_s - recent.start[1]
        if signal_s < _WINDOW_S:
            return None
        self._recent = _Recent(end, here, here)
        return recent if abs(took_s - signal_s) <= _LIVE * signal_s else None

    def _keep(self, sample: int, utc: float, device_us: int | None) -> AnchorRow:
        anchor = AnchorRow(self._epoch, sample, round((utc + self._least + sample / self._fs) * 1e6), device_us)
        self._anchors = (*self._anchors[1 - KEPT :], anchor)
        self._least = float("inf")
        return anchor
