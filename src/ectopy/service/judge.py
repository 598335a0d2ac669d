"""The inference thread: what is committed goes through `StreamAnalyzer`, its verdicts and findings go to the store.

Epochs take turns, a minute of signal each at most, so that one that has much to catch up with holds nobody up; those
that are due at once take theirs together, which costs less. One that was running before a restart goes on from
its snapshot, or from its first sample where there is none that fits; verdicts and findings that are kept already are
not given again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np
import orjson

from ectopy.alarms import LATE_US, EpochEnded, Found
from ectopy.analysis import StreamAnalyzer, push_together
from ectopy.errors import StateError
from ectopy.service.judging import Models
from ectopy.service.reading import Reader
from ectopy.service.rows import (
    EndRow,
    EpochRow,
    JudgedRow,
    SamplesRow,
    SnapshotRow,
    VerdictRow,
    utc,
)
from ectopy.service.runs import Entry, Run, ToldAgain, Turn
from ectopy.service.snapshots import Snapshots
from ectopy.verdict import Finding, Verdict

_TRIES = 3  # turns of an epoch that may fail until it has caught up, before it waits for more to come
_TURN_S = 60  # seconds of signal an epoch may go on for before it is another one's turn
_TOGETHER = 16  # turns at once; more gain nothing, and the first of them waits for the last
_HANGS_S = 120.0  # that turns may take; with many streams on a slow machine they take seconds
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Taken:
    """A run whose turn it is.

    given, told_s : what to go back to if it fails
    last : what waited last
    turn : what came of it; nothing where it failed
    """

    run: Run
    given: int
    told_s: float
    last: Entry
    turn: Turn = field(default_factory=Turn)


class Judge:
    """Committed entries in, verdicts and findings to `keep` out.

    keep : called in this thread when an epoch has had its turn, with what came of it and how many seconds it took, on
        the average of those that had theirs with it
    """

    def __init__(
        self,
        models: Models,
        reader: Reader,
        snapshots: Snapshots,
        snapshot_s: float,
        *,
        next_verdict: Callable[[], int],
        keep: Callable[[Run, Turn, float], None],
    ):
        self._models = models
        self._reader, self._snapshots, self._snapshot_s = reader, snapshots, snapshot_s
        self._next_verdict, self._keep = next_verdict, keep
        self._ready: deque[Run] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._began_s: float | None = None  # when the turns that are on began
        self._thread = threading.Thread(target=self._work, name="judge", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Finish the turns that are on; what waits is replayed from the log at the next start."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread.is_alive()

    @property
    def hangs(self) -> bool:
        """A turn doesn't end."""
        began_s = self._began_s
        return began_s is not None and time.monotonic() - began_s > _HANGS_S

    @property
    def idle(self) -> bool:
        """It has done all that it was fed."""
        with self._changed:
            return not self._ready and self._began_s is None

    @property
    def depth(self) -> int:
        """Epochs that wait for their turn."""
        return len(self._ready)

    def feed(self, run: Run, entries: Iterable[Entry]) -> None:
        """Entries of the log that are committed by now, in order."""
        with self._changed:
            run.waiting.extend(entries)
            if not run.queued and run.due:
                run.queued = True
                self._ready.append(run)
                self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._ready and not self._closing:
                    self._changed.wait()
                if self._closing:
                    return
                runs = [self._ready.popleft()]
                # one that failed goes alone: its trouble is not the others'
                while self._ready and len(runs) < _TOGETHER and not (runs[0].failed or self._ready[0].failed):
                    runs.append(self._ready.popleft())
                self._began_s = began_s = time.monotonic()
            taken = [_Taken(run, run.given, run.told_s, run.waiting[-1]) for run in runs]
            self._analyse(taken)
            seconds = (time.monotonic() - began_s) / len(taken)
            for one in taken:
                try:
                    self._keep(one.run, one.turn, seconds)
                except Exception:  # this thread goes on whatever it is
                    _log.exception("a turn was not kept", extra={"epoch": one.run.epoch.key})
                    self._begin_anew(one)
            with self._changed:
                self._began_s = None
                for run in runs:
                    run.queued = run.due
                    if run.queued:
                        self._ready.append(run)

    def _analyse(self, taken: list[_Taken]) -> None:
        """Their turns. What fails begins anew, from the log; all of them where it is in what they have in common."""
        going: list[tuple[_Taken, StreamAnalyzer, np.ndarray, bool]] = []
        for one in taken:
            try:
                going.append((one, *self._next(one.run)))
            except Exception:
                self._fail(one)
        try:
            given = push_together([stream for _, stream, _, _ in going], [samples for _, _, samples, _ in going])
        except Exception:
            for one, *_ in going:
                self._fail(one)
            return
        for (one, stream, _, ended), verdicts in zip(going, given, strict=True):
            try:
                one.turn = self._given(one.run, stream, verdicts + (stream.finish() if ended else []), ended)
                if not one.run.waiting:
                    one.run.failed = 0
            except Exception:
                self._fail(one)

    def _fail(self, one: _Taken) -> None:
        _log.exception("an analysis failed", extra={"epoch": one.run.epoch.key, "turn": one.run.failed + 1})
        self._begin_anew(one)

    def _next(self, run: Run) -> tuple[StreamAnalyzer, np.ndarray, bool]:
        """A run's analysis, what it takes in next, and whether its log ends there."""
        if run.analyzer is None:
            run.analyzer = self._begun(run)
        return run.analyzer, *run.take(self._reader, ceil(_TURN_S * run.epoch.fs))

    def _begin_anew(self, one: _Taken) -> None:
        """After an error: at the snapshot, from the log; three times, then with what comes next."""
        run = one.run
        run.given, run.told_s, run.behind = one.given, one.told_s, True
        run.missed = [finding for finding in run.missed if finding.told_s <= one.told_s]
        run.failed += 1
        with self._changed:
            last = one.last = run.waiting[-1] if run.waiting else one.last
            run.waiting.clear()
            if run.failed <= _TRIES:
                end = last.n if isinstance(last, EndRow) else last.first + last.n
                run.waiting.append(last if isinstance(last, EndRow) else SamplesRow(run.epoch.key, end, 0, b""))
        run.analyzer, run.done, run.wanted = None, 0, 0

    def _begun(self, run: Run) -> StreamAnalyzer:
        """An analysis that goes on at its snapshot, or at the first sample."""
        epoch = run.epoch
        stream = self._analyzer(epoch)
        snapshot = self._snapshots.read(epoch.key)
        if snapshot is not None:
            try:
                stream.restore(snapshot.state)
                run.done = snapshot.sample
            except StateError as error:  # another model, or another version of Ectopy
                _log.info("replayed from the first sample", extra={"epoch": epoch.key, "reason": str(error)})
                stream = self._analyzer(epoch)
        run.anew = run.done == 0 and run.told_s > 0
        run.saved = run.done - round(epoch.key * 7.3 % self._snapshot_s * float(epoch.fs))  # not all at once
        return stream

    def _analyzer(self, epoch: EpochRow) -> StreamAnalyzer:
        return StreamAnalyzer(epoch.fs, epoch.leads, model=self._models.of(epoch.choice))

    def _given(self, run: Run, stream: StreamAnalyzer, verdicts: list[Verdict], ended: bool) -> Turn:
        """What came of a turn."""
        run.wanted = stream.wanted
        turn = Turn(found=self._found(run, stream))
        for verdict in verdicts:
            row = self._row(run, verdict)
            if row is not None:
                turn.verdicts.append(row)
                run.given = row.start
        turn.rows += turn.verdicts
        if ended:
            turn.rows.append(JudgedRow(run.epoch.key))
            turn.found.append(EpochEnded(_now_us(), run.epoch.stream, run.epoch.number))
            run.analyzer = None  # nothing more comes
        elif run.done - run.saved >= self._snapshot_s * run.epoch.fs:
            turn.rows.append(SnapshotRow(run.epoch.key, run.done, stream.save()))
            run.saved = run.done
        return turn

    def _found(self, run: Run, analyzer: StreamAnalyzer) -> list[Found | ToldAgain | EpochEnded]:
        """What is new of the findings, with the time of day; once the stream has caught up, what lasts by then too,
        and what is over but seemed late while nobody knew of a silence before it."""
        now_us, before_s = _now_us(), run.told_s
        new = [finding for finding in analyzer.found() if finding.told_s > before_s]
        found: list[Found | ToldAgain | EpochEnded] = [_told(run, finding, now_us) for finding in new]
        run.told_s = max([before_s, *(finding.told_s for finding in new)])
        second = float(run.done // run.epoch.fs)
        late = [finding for finding in new if run.is_late(finding, now_us)]
        run.missed = [finding for finding in (*run.missed, *late) if (second - finding.told_s) * 1e6 <= LATE_US]
        caught_up = now_us - run.clock.at(run.done) < LATE_US and second >= before_s
        if caught_up and (run.behind or late):
            if run.anew:  # of what another model told, nothing here would tell the end
                found.append(EpochEnded(now_us, run.epoch.stream, run.epoch.number))
                run.anew = False
            again = run.over(new, now_us)
            again += [replace(finding, told_s=second) for finding in analyzer.lasting()]
            found += [ToldAgain(_told(run, finding, now_us)) for finding in again]
            run.missed = []
        run.behind = not caught_up
        return found

    def _row(self, run: Run, verdict: Verdict) -> VerdictRow | None:
        epoch = run.epoch
        start, end = (ceil(round(second * epoch.fs, 3)) for second in (verdict.start_s, verdict.end_s))
        if start <= run.given:
            return None
        number = self._next_verdict()
        fields: dict[str, Any] = {name: getattr(verdict, name) for name in Verdict.__slots__}
        place = {"stream": epoch.stream, "epoch": epoch.number, "start_sample": start, "end_sample": end}
        times = {"start_at": utc(run.clock.at(start)), "end_at": utc(run.clock.at(end))}
        body = orjson.dumps({"type": "verdict", "id": number, **place, **times, **fields}, option=orjson.OPT_UTC_Z)
        return VerdictRow(number, epoch.key, start, verdict.start_s, verdict.verdict, body.decode())


def _told(run: Run, finding: Finding, now_us: int) -> Found:
    """With the time of day, counted back from when it is told: the clock may have stepped since it began, by a silence
    or by the server's, and what is told in time would seem late."""
    told_us = run.clock.at(round(finding.told_s * run.epoch.fs))
    start_us = told_us - round((finding.told_s - finding.start_s) * 1e6)
    end_us = None if finding.end_s is None else told_us - round((finding.told_s - finding.end_s) * 1e6)
    return Found(now_us, run.epoch.stream, run.epoch.number, finding, start_us, end_us)


def _now_us() -> int:
    return time.time_ns() // 1000
