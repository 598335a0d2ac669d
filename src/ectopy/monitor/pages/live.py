"""The live page: nothing but the wall, which keeps itself up to date in the browser."""

from __future__ import annotations

import sys

from ectopy.monitor.player import play_demo
from ectopy.monitor.wall import wall


def show() -> None:
    """Draw it. It stands at one place with one set of arguments: so a rerun leaves what runs in the browser alone."""
    service = sys.argv[1]
    asked = wall(key="wall", data={"service": service}, on_play_change=lambda: None)
    if asked.play:
        play_demo(service)
