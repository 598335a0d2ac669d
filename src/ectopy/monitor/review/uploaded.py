"""Files that somebody brings: sent to the service to be analysed, kept here only for their pictures."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from ectopy.client import Client
from ectopy.data import read
from ectopy.errors import EctopyError, RecordError
from ectopy.formats import record_in
from ectopy.monitor.review.case import Said
from ectopy.recording import AamiClass, Recording
from ectopy.wire import AnalysisOut, BeatOut


class Uploaded:
    """A `Case` that lives as long as the viewer's session, with all that is said of it."""

    def __init__(self, recording: Recording, analysis: AnalysisOut):
        self._whole = recording
        self.key = uuid4().hex
        self.title = self.name = Path(analysis.name).name or "recording"
        self.fs: Fraction = recording.fs
        self.leads = tuple(analysis.leads)
        self.model = analysis.model
        self.notes = analysis.summary.notes
        self.intervals = analysis.intervals
        self.alarms = analysis.episodes
        self.said: list[Said] = []

    @property
    def duration_s(self) -> float:
        return self._whole.duration_s

    @property
    def started_at(self) -> datetime | None:
        start = self._whole.start
        return start if start is None or start.tzinfo else None  # a clock without its zone says little

    def part(self, start_s: float, seconds: float) -> tuple[Recording, float]:
        first = math.ceil(max(start_s, 0) * self.fs)
        last = min(math.ceil((start_s + seconds) * self.fs), len(self._whole.samples))
        samples = self._whole.samples[first : max(last, first)]
        recording = Recording(samples, self.fs, self._whole.leads, calibrated=self._whole.calibrated, name=self.name)
        return recording, float(first / self.fs)

    def say(self, beat: BeatOut, aami: AamiClass, author: str, note: str) -> None:
        replaced = next((one.aami for one in reversed(self.said) if one.sample == beat.sample), beat.aami)
        self.said.append(Said(beat.sample, aami, replaced, author, note, datetime.now(UTC)))


class Upload:
    """An analysis under way, in a thread of its own.

    files : name -> content, all of one record
    progress : share done, 0 to 1
    case, error : what came of it
    """

    def __init__(self, service: str, files: Mapping[str, bytes], model: str | None):
        self._folder = TemporaryDirectory(prefix="ectopy-review-")
        self._paths = []
        for name, content in files.items():
            path = Path(self._folder.name) / Path(name).name
            path.write_bytes(content)
            self._paths.append(path)
        self.progress = 0.0
        self.case: Uploaded | None = None
        self.error: EctopyError | None = None
        self._service, self._model = service, model
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._analyze())
        self._thread = threading.Thread(target=self._run, name="upload", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Stop it, here and in the service."""
        if not self.done:
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(5)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self.error = RecordError("the analysis was cancelled")
        except EctopyError as error:
            self.error = error
        finally:
            self._loop.close()

    async def _analyze(self) -> None:
        def told(share: float) -> None:
            self.progress = share

        async with Client(self._service) as client:
            result = await client.analyze(self._paths, model=self._model, progress=told)
        # Read here only after the service, which guards itself against damaged files, has read it.
        recording = await asyncio.to_thread(lambda: read(record_in(Path(self._folder.name))))
        self.case = Uploaded(recording, result)
