"""Who is at the desk: one name in all pages of a tab, beside each act."""

from __future__ import annotations

import streamlit as st

from ectopy.wire import LONGEST_AUTHOR


def name() -> str:
    """As it was given last; empty before."""
    return str(st.session_state.get("at the desk", ""))


def keep(given: str) -> None:
    """The name from now on."""
    st.session_state["at the desk"] = given


def asked(place: st.delta_generator.DeltaGenerator) -> str:
    """A field for it, where somebody has to say it before something is done."""
    return str(place.text_input("Your name", name(), max_chars=LONGEST_AUTHOR)).strip()
