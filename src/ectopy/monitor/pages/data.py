"""The data page: the databases, how to get them, and a look at each where there has been one."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from ectopy.data import CATALOGUE, find
from ectopy.errors import RecordError
from ectopy.monitor.frame import empty, page, picture, table

_FOLDER = Path("eda")  # where `ectopy eda` writes, in the folder that the monitor was started in
_FIGURE = re.compile(r"\.eda\.\d\d-([\w-]+)\.png$")


@page("Data", "The PhysioNet databases that Ectopy knows, and a look at each.")
def show() -> None:
    """Draw it."""
    here = {name: _is_here(name) for name in CATALOGUE}
    rows = [
        [
            name,
            known.title,
            f"{known.records:,}",
            f"{float(known.fs):g}",
            str(known.leads),
            "on this machine" if here[name] else f"ectopy data get {name}",
        ]
        for name, known in CATALOGUE.items()
    ]
    table("Databases", ["name", "title", "records", "Hz", "leads", "how to get it"], rows, wide=1)
    st.caption("All are open (ODC-By 1.0); a broken download goes on where it stopped. Cite what you use.")
    st.subheader("A look at one", anchor=False)
    name = st.selectbox("Database", [*CATALOGUE], format_func=lambda name: f"{name}: {CATALOGUE[name].title}")
    known = CATALOGUE[name]
    st.markdown(f"{known.citation}.")
    st.caption(f"Ectopy uses it for {known.use}. Described at {known.address.removeprefix('https://')}")
    report = _FOLDER / f"{name}.eda.html"
    if not report.is_file():
        first = "" if here[name] else f"ectopy data get {name}\n"
        empty("Nobody has looked at it here yet", "This makes a report, which is shown here then:")
        st.code(f"{first}ectopy eda {name}", language="sh")
        return
    st.download_button("The whole report", report.read_bytes(), report.name, "text/html", on_click="ignore")
    for path in sorted(_FOLDER.glob(f"{name}.eda.*.png")):
        if figure := _FIGURE.search(path.name):
            title = figure[1].replace("-", " ").capitalize()
            st.markdown(f"**{title}**")
            picture(path.read_bytes(), f"{title}, of {name}", least="36rem")


def _is_here(name: str) -> bool:
    try:
        find(name)
    except RecordError:
        return False
    return True
