"""The wall in a real browser: frames a second, sample to pixel, alarm to screen, memory and CPU of all parts, errors.

    monitor.py [wall|full] [--streams N] [--minutes M]

`wall`: N one-lead streams for M minutes. `full`: one stream of twelve equal leads in full, for one minute. Devices,
service, monitor and a headless Chromium (`ECTOPY_CHROMIUM` names another than Debian's) share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from _common import heading, judged, row, run
from ectopy import read
from ectopy.client import Client
from ectopy.monitor import monitoring
from ectopy.wire import EpochRequest
from service import Service

EVERY_S, WARM_S = 60, 20  # between two looks; until there are verdicts
FS = 360
TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["wall", "full"], help="both if left out")
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--minutes", type=int, default=10)
    words = parser.parse_args()
    heading("The wall in Chromium, headless, without a graphics card", "streamlit", "playwright")
    if words.part != "full":
        with _ward(Ward(words.streams, ["II"])) as ward:
            _wall(ward, words.minutes)
    if words.part != "wall":
        with _ward(Ward(1, TWELVE)) as ward:
            _full(ward)


class Ward:
    """A service, a monitor of it, and devices that play the installed recording into it, again and again."""

    def __init__(self, streams: int, leads: list[str]):
        self.streams, self.leads = streams, leads
        self.over = threading.Event()
        self.began: dict[str, float] = {}  # time of day of each stream's sample 0
        self.service: Service
        self.url = self.pages = ""
        self.monitor: psutil.Process

    def play(self) -> None:
        asyncio.run(self._play())

    async def _play(self) -> None:
        """In real time, a second of samples at its end, the streams' phases spread."""
        samples = read("demo").samples[:, [0] * len(self.leads)]
        async with Client(self.url) as client:

            async def device(number: int) -> None:
                await asyncio.sleep(number / self.streams)
                begin, first, name = time.monotonic() + 1, FS * 7 * number, f"bed-{number}"
                self.began[name] = time.time()
                async with client.writer(name, EpochRequest(fs=FS, leads=self.leads, gain=200)) as writer:
                    for second in range(24 * 3600):
                        await asyncio.sleep(max(0.0, begin + second - time.monotonic()))
                        await writer.send(np.take(samples, range(first, first + FS), axis=0, mode="wrap"))
                        first += FS
                        if self.over.is_set():
                            return

            await asyncio.gather(*(device(number) for number in range(self.streams)))

    def memory_mb(self) -> tuple[float, float, float]:
        """Of the browser with all its parts, of the monitor, and of the service."""
        mine = psutil.Process().children(recursive=True)
        browser = sum(_mb(one) for one in mine if "chrom" in one.name())
        return browser, _mb(self.monitor), self.service.memory_mb()

    def cpu_s(self) -> float:
        """Of the monitor, so far."""
        times = self.monitor.cpu_times()
        return float(times.user + times.system)


@contextmanager
def _ward(ward: Ward) -> Iterator[Ward]:
    with tempfile.TemporaryDirectory(prefix="ectopy-bench-") as folder:
        ward.service = Service(Path(folder))
        ward.service.start()
        asyncio.run(ward.service.ready())
        ward.url = f"http://127.0.0.1:{ward.service.port}"
        playing = threading.Thread(target=ward.play, daemon=True)
        playing.start()
        try:
            with monitoring(ward.url) as monitor:
                ward.pages, ward.monitor = monitor.url, psutil.Process(monitor.process.pid)
                yield ward
        finally:
            ward.over.set()
            playing.join(10)
            ward.service.stop()


@contextmanager
def _page(ward: Ward) -> Iterator[Page]:
    """The wall with all its tiles, in a browser; at the end, what the console said."""
    said: list[str] = []
    path = os.environ.get("ECTOPY_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1200})
        page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(ward.pages)
        page.wait_for_selector(".wall .link[data-state=live]")
        page.wait_for_function(f"() => {_WALL}?.tiles.size === {ward.streams}", timeout=60_000)
        yield page
        browser.close()
    row(f"errors and warnings in the console: {len(said)}{': ' if said else ''}{'; '.join(said[:3])}")


def _wall(ward: Ward, minutes: int) -> None:
    with _page(ward) as page:
        page.evaluate(_NOTE_ALARMS)
        since = time.time()
        time.sleep(WARM_S)
        session = page.context.new_cdp_session(page)
        row("after", "frames/s", "page MB", "browser MB", "monitor MB", "service MB", "monitor CPU, ms/s")
        lines, ages = [], []
        for minute in range(minutes + 1):
            began, used = time.monotonic(), ward.cpu_s()
            ages += _ages(ward, page)
            if minute:
                time.sleep(EVERY_S - (time.monotonic() - began))
            cpu_ms = 1000 * (ward.cpu_s() - used) / (time.monotonic() - began)
            session.send("HeapProfiler.collectGarbage")
            heap_mb = float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
            lines.append((_rate(page), heap_mb, *ward.memory_mb(), cpu_ms))
            row(f"{minute} min", *(f"{figure:.1f}" for figure in lines[-1]))
        late = _alarms_late(ward, page, since)
    judged("frames a second, the least", min(line[0] for line in lines), "", at_least=30)
    judged(f"sample to pixel, p95 of {len(ages)}", float(np.percentile(ages, 95)), "s", below=2.5)
    if not late:
        row("alarm to screen: no alarm was raised and shown")
    else:
        judged(f"alarm to screen, p95 of {len(late)}", float(np.percentile(late, 95)), "s", below=1)
    cpu_ms = float(np.median([line[5] for line in lines]))
    judged("the monitor's CPU a second, one viewer at rest", cpu_ms, "ms", below=10)
    for place, what in enumerate(("page", "browser", "monitor", "service"), 1):
        grown = lines[-1][place] / lines[min(2, len(lines) - 1)][place]
        judged(f"memory of the {what}, at the end to that after 2 min", grown, "x", below=1.1)


def _full(ward: Ward) -> None:
    with _page(ward) as page:
        page.wait_for_function(f"() => {_WALL}.tiles.get('bed-0').feed.state === 'live'")
        page.click("[data-stream=bed-0] .title")
        page.wait_for_selector("dialog.full canvas")
        rates = []
        for _ in range(EVERY_S // 5):
            time.sleep(5)
            rates.append(_rate(page))
        drawn = page.evaluate(f"{_WALL}.full.sweeps.length")
    judged(f"frames a second, the least, {drawn} leads in full", min(rates), "", at_least=50)


def _rate(page: Page) -> float:
    """Frames a second, over the last 120."""
    return float(page.evaluate(f"{_WALL}.rate"))


def _ages(ward: Ward, page: Page) -> list[float]:
    """How old the newest samples on the canvases are, in seconds since the device had them; looked at for 5 s."""
    seen: list[tuple[str, float, float]] = page.evaluate(_HEADS)
    return [at_s - ward.began[name] - head / FS for name, at_s, head in seen]


def _alarms_late(ward: Ward, page: Page, since: float) -> list[float]:
    """Seconds from when each alarm was raised until the page showed it."""
    shown: dict[str, float] = page.evaluate("window.alarmsShown")
    answer = httpx.get(f"{ward.url}/v1/alarms", params={"state": "all", "limit": 1000}).raise_for_status()
    told: list[dict[str, Any]] = answer.json()["items"]
    at = {str(one["id"]): datetime.fromisoformat(one["told_at"]).timestamp() for one in told}
    return [shown[number] - at[number] for number in shown if at.get(number, 0) > since]


_WALL = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.wall')).find(Boolean)?.monitor"
_HEADS = (
    "() => new Promise((done) => { const seen = []; const look = () => {"
    f" for (const [id, tile] of {_WALL}.tiles)"
    " if (tile.feed.state === 'live') seen.push([id, Date.now() / 1000, tile.feed.playout.head]);"
    " performance.now() < until ? setTimeout(look, 100) : done(seen); };"
    " const until = performance.now() + 5000; look(); })"
)
_NOTE_ALARMS = (
    "() => { window.alarmsShown = {}; const list = " + _WALL + ".panel.list; new MutationObserver(() => {"
    " for (const { dataset } of list.children) window.alarmsShown[dataset.alarm] ??= Date.now() / 1000;"
    " }).observe(list, { childList: true }); }"
)


def _mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


if __name__ == "__main__":
    run(main)
