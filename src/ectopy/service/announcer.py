"""Who is told what: watchers of a stream, and those who listen to all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import cast

from ectopy.service.hub import Watcher
from ectopy.service.live import Live, frames_of, gap_of
from ectopy.service.metrics import Metrics
from ectopy.service.rows import AlarmRow, EndRow, LogRow, SamplesRow, VerdictRow
from ectopy.service.runs import Entry
from ectopy.verdict import Word


class Announcer:
    """Called on the event loop, with what is on disk.

    streams : the newest epoch of each
    """

    def __init__(self, metrics: Metrics, streams: Mapping[str, Live]):
        self._metrics, self._streams = metrics, streams
        self.listeners: set[Watcher] = set()  # told of all verdicts and alarms

    def entry(self, live: Live, entry: Entry) -> None:
        """Samples, or a gap."""
        watchers = live.watchers["samples"]
        if not watchers or isinstance(entry, EndRow):
            return
        messages = (
            frames_of(live.epoch, entry)
            if isinstance(entry, SamplesRow)
            else [gap_of(live.epoch, entry).model_dump_json()]
        )
        for watcher in watchers:
            for message in messages:
                watcher.put(message)

    def verdicts(self, live: Live, new: Sequence[VerdictRow]) -> None:
        """Verdicts, and how long they took."""
        now = time.perf_counter()
        for row in new:
            live.last_word = cast(Word, row.word)
            self._metrics.verdicts.labels(row.word).inc()
            needed = row.start + 7 * live.rate
            came = next((at for committed, at in live.kept_at if committed >= needed), now)
            self._metrics.lag.observe(now - came)
            for watcher in (*live.watchers["verdicts"], *self.listeners):
                watcher.put(row.body)

    def alarms(self, found: Sequence[LogRow], changed: Sequence[AlarmRow]) -> None:
        """Findings, and alarms that have changed."""
        self._metrics.findings.inc(len(found))
        for row in found:
            live = self._streams.get(row.stream or "")
            for watcher in live.watchers["findings"] if live else ():
                watcher.put(row.body)
        for alarm in changed:
            if alarm.new:
                self._metrics.alarms.labels(alarm.priority).inc()
            live = self._streams.get(alarm.stream or "")
            for watcher in (*(live.watchers["alarms"] if live else ()), *self.listeners):
                watcher.put(alarm.body)
