"""The review page: what is open, and its parts one below the other."""

from __future__ import annotations

import streamlit as st

from ectopy.monitor.frame import page
from ectopy.monitor.review import opening, views


@page("Review", "Look through a recording or a stored stream, beat by beat, and correct what is wrong.")
def show() -> None:
    """Draw it."""
    case = opening.choose()
    if case is None:
        return
    views.heading(case)
    views.strip(case)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        views.episode_list(case)
    with right:
        views.beats_of_strip(case)
    views.trend(case)
    views.disclosure(case)
    views.downloads(case)
