"""A real browser for tests: the machine's Chromium, driven by Playwright, which downloads none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

NAMED = "ECTOPY_CHROMIUM"
_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--autoplay-policy=document-user-activation-required"),
]
DESK, PHONE = (1280, 900), (380, 800)
WALL = ".wall .link[data-state=live]"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that ECTOPY_CHROMIUM names, else Debian's. Where one is named (as in CI) it must be there."""
    path = os.environ.get(NAMED, "/usr/bin/chromium")
    if not Path(path).exists():
        if NAMED in os.environ:
            pytest.fail(f"{NAMED}={path}: no such browser; install one (Debian: apt-get install chromium)")
        pytest.skip(f"no Chromium at {path}; {NAMED} names another (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Viewer:
    """Somebody who looks at the monitor.

    shown : what is there once the page is
    said : errors and warnings of the console
    outside : what was asked for of other machines
    heartbeats : how often the service was told that somebody looks
    """

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = DESK, dark: bool = False, shown: str = WALL):
        scheme = "dark" if dark else "light"
        viewport = {"width": size[0], "height": size[1]}
        self._context = browser.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
        self.page: Page = self._context.new_page()
        self.said: list[str] = []
        self.outside: list[str] = []
        self.heartbeats = 0
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(url)
        self.page.wait_for_selector(shown)

    def close(self) -> None:
        self._context.close()

    def enter(self, name: str) -> None:
        """Say who is at the desk, which arms the sound."""
        self.page.fill(".who input", name)
        self.page.click(".who button")

    def wall(self, script: str) -> object:
        """What a JavaScript function of the wall says."""
        return self.page.eval_on_selector(".wall", f"(element) => ({script})(element.monitor)")

    def until(self, script: str, seconds: float) -> None:
        """Wait for a function of the wall to be true."""
        found = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.wall')).find(Boolean)"
        whole = f"() => {{ const wall = {found}; return Boolean(wall?.monitor && ({script})(wall.monitor)); }}"
        self.page.wait_for_function(whole, timeout=seconds * 1000)

    def _heard(self, message: ConsoleMessage) -> None:
        readback = "willReadFrequently" in message.text  # the tests' own looking at pixels
        if message.type in ("error", "warning") and not readback:
            self.said.append(message.text)

    def _asked(self, request: Request) -> None:
        self.heartbeats += request.url.endswith("/v1/viewers") and request.method == "POST"
        if "//127.0.0.1:" not in request.url and not request.url.startswith(("data:", "blob:")):
            self.outside.append(request.url)
