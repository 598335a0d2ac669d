"""The wall in a real browser for minutes: frames a second; memory of page, browser, monitor and service; errors.

    monitor.py [--streams N] [--minutes M]

Devices, service, monitor and a headless Chromium (`ECTOPY_CHROMIUM` names another than Debian's) share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import CDPSession, sync_playwright

from _common import heading, judged, row, run
from ectopy import read
from ectopy.client import Client
from ectopy.monitor import monitoring
from ectopy.wire import EpochRequest
from service import Service

EVERY_S = 60
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--minutes", type=int, default=10)
    words = parser.parse_args()
    heading("The wall in Chromium, headless, without a graphics card", "streamlit", "playwright")
    with tempfile.TemporaryDirectory(prefix="ectopy-bench-") as folder:
        service = Service(Path(folder))
        service.start()
        asyncio.run(service.ready())
        url = f"http://127.0.0.1:{service.port}"
        over = threading.Event()
        playing = threading.Thread(target=lambda: asyncio.run(_play(url, words.streams, over)), daemon=True)
        playing.start()
        try:
            with monitoring(url) as monitor:
                _watch(monitor.url, service, words.streams, words.minutes)
        finally:
            over.set()
            playing.join(10)
            service.stop()


async def _play(url: str, streams: int, over: threading.Event) -> None:
    """Devices in real time, their phases spread, each with the installed recording again and again."""
    samples = read("demo").samples[:, :1]
    async with Client(url) as client:

        async def device(number: int) -> None:
            await asyncio.sleep(number / streams)
            begin, first = time.monotonic(), 360 * 7 * number
            async with client.writer(f"bed-{number}", EpochRequest(fs=360, leads=["II"], gain=200)) as writer:
                for second in range(24 * 3600):
                    await writer.send(np.take(samples, range(first, first + 360), axis=0, mode="wrap"))
                    first += 360
                    await asyncio.sleep(max(0.0, begin + second + 1 - time.monotonic()))
                    if over.is_set():
                        return

        await asyncio.gather(*(device(number) for number in range(streams)))


def _watch(url: str, service: Service, streams: int, minutes: int) -> None:
    said: list[str] = []
    path = os.environ.get("ECTOPY_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1200})
        page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        page.wait_for_selector(".wall .link[data-state=live]")
        page.wait_for_function(_WALL.format(f"wall.tiles.size === {streams}"), timeout=60_000)
        time.sleep(20)  # until there are verdicts
        session = page.context.new_cdp_session(page)
        row("after", "frames/s", "page MB", "browser MB", "monitor MB", "service MB")
        lines = []
        for minute in range(minutes + 1):
            rate = float(page.evaluate(_WALL.format("wall.rate")))
            lines.append((rate, _heap_mb(session), *_processes(service)))
            row(f"{minute} min", *(f"{figure:.1f}" for figure in lines[-1]))
            if minute < minutes:
                time.sleep(EVERY_S)
        browser.close()
    judged("frames a second, the least", min(line[0] for line in lines), "", at_least=30)
    for place, what in enumerate(("page", "browser", "monitor", "service"), 1):
        grown = lines[-1][place] / lines[min(2, len(lines) - 1)][place]
        judged(f"memory of the {what}, at the end to that after 2 min", grown, "x", below=1.1)
    row(f"errors and warnings in the console: {len(said)}{': ' if said else ''}{'; '.join(said[:3])}")


_WALL = (
    "(() => {{ const all = [...document.querySelectorAll('*')];"
    " const wall = all.map((e) => e.shadowRoot?.querySelector('.wall') ?? null).find(Boolean)?.monitor"
    " ?? document.querySelector('.wall')?.monitor; return wall && ({}); }})()"
)


def _heap_mb(session: CDPSession) -> float:
    """What lives in the page, after a collection."""
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def _processes(service: Service) -> tuple[float, float, float]:
    """Megabytes of the browser with all its parts, of the monitor, and of the service."""
    mine = psutil.Process().children(recursive=True)
    browser = sum(_mb(one) for one in mine if "chrom" in one.name())
    monitor = sum(_mb(one) for one in mine if "streamlit" in " ".join(one.cmdline()))
    return browser, monitor, service.memory_mb()


def _mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


if __name__ == "__main__":
    run(main)
