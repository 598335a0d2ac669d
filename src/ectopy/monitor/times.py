"""Times as the viewer's own clock has them, with the offset said."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def zone() -> tzinfo | None:
    """The viewer's; None, this machine's, where the browser doesn't say."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError):
        return None


def local(time: datetime) -> str:
    """As 2026-01-31 14:05:09 +01:00."""
    there = time.astimezone(zone())
    offset = f"{there:%z}"
    return f"{there:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:5]}"
