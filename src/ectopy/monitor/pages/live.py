"""The live page: nothing but the wall, which keeps itself up to date in the browser."""

from __future__ import annotations

import sys

from ectopy.monitor import desk
from ectopy.monitor.player import play_demo
from ectopy.monitor.wall import wall


def show() -> None:
    """Draw it. It stands at one place under one key: so a rerun leaves what runs in the browser alone, and the name is
    read when it is mounted."""
    service = sys.argv[1]
    data = {"service": service, "name": desk.name()}
    asked = wall(key="wall", data=data, on_play_change=lambda: None, on_name_change=lambda: None)
    if asked.name:
        desk.keep(asked.name)
    if asked.play:
        play_demo(service)
