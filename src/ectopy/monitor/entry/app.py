"""What Streamlit runs for each viewer: the pages, and the one that was chosen. `monitoring` names the service."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ectopy.monitor.pages import data, events, live, models, review

_ROOM = "<style>.stMainBlockContainer { padding: 3.9rem clamp(0.7rem, 2vw, 2rem) 1rem; }</style>"  # a wall needs it

st.set_page_config(page_title="Ectopy", page_icon=str(Path(__file__).parents[1] / "icon.svg"), layout="wide")
st.html(_ROOM)
st.navigation(
    [
        st.Page(live.show, title="Live", url_path="live", default=True),
        st.Page(review.show, title="Review", url_path="review"),
        st.Page(events.show, title="Events", url_path="events"),
        st.Page(models.show, title="Models", url_path="models"),
        st.Page(data.show, title="Data", url_path="data"),
    ],
    position="top",
).run()
