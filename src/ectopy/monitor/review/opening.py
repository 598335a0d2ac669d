"""What is to be reviewed: chosen, uploaded, or named in the page's address."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import streamlit as st

from ectopy.figures import clock
from ectopy.monitor.asking import ask, service
from ectopy.monitor.frame import empty, plain
from ectopy.monitor.review.case import Case
from ectopy.monitor.review.stored import Stored
from ectopy.monitor.review.uploaded import Upload
from ectopy.monitor.times import local

_LOOK_S = 0.5
LEAD_S = 2.0  # of a strip before what it shows
_FILE, _STREAM = "A file of yours", "A stored stream"


def choose() -> Case | None:
    """What is open, below the ways to open another."""
    state = st.session_state
    _follow_address()
    upload: Upload | None = state.get("upload")
    if upload is not None and upload.done:
        state.upload = None
        if upload.case is None:
            st.error(plain(f"{upload.error}"), icon=":material/error:")
        else:
            show_case(upload.case)
    case: Case | None = state.get("case")
    with st.expander("Open a recording", expanded=case is None, icon=":material/folder_open:"):
        stored = bool(st.query_params.get("stream"))
        how = st.radio("What to review", [_FILE, _STREAM], index=int(stored), horizontal=True, key="review_how")
        if state.get("upload") is not None:
            _progress()
        elif how == _FILE:
            _ask_for_files()
        else:
            _ask_for_stream()
    case = cast("Case | None", state.get("case"))
    if isinstance(case, Stored) and not case.epoch.ended:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("The device is still running.")
            if st.button("Ask for what is new", icon=":material/refresh:"):
                case.refresh()
    return case


def show_case(case: Case, at_s: float = 0.0) -> None:
    """Make it the one that is looked at."""
    st.session_state.case = case
    st.session_state.at_s = at_s
    st.session_state.list_page = 0


def _follow_address() -> None:
    """Open the stream that the address names, as a link from an event does; each address once."""
    params = st.query_params
    asked = tuple(params.get(name) for name in ("stream", "epoch", "at", "when"))
    stream, epoch, at, when = asked
    if stream is None or asked == st.session_state.get("address"):
        return
    st.session_state.address = asked
    text = f"Loading the verdicts of {stream} …"
    bar = st.progress(0.0, text=text)
    case = Stored(stream, int(epoch) if epoch and epoch.isdecimal() else None)
    case.refresh(lambda share: bar.progress(share, text=text))
    bar.empty()
    show_case(case, _second(case, at, when))


def _second(case: Stored, at: str | None, when: str | None) -> float:
    """What the address says of the place, as a second or as a time; the first of its strip."""
    try:
        return case.second(datetime.fromisoformat(when)) - LEAD_S if when else float(at or 0) - LEAD_S * bool(at)
    except (ValueError, TypeError):  # somebody's own words
        return 0.0


def _ask_for_files() -> None:
    models = ask(lambda client: client.models())
    with st.form("files", border=False):
        files = st.file_uploader(
            "All files of one record together, such as a WFDB header (.hea) and its signals (.dat), or a zip of them",
            accept_multiple_files=True,
        )
        names = [model.name for model in sorted(models, key=lambda model: not model.default)]
        model = st.selectbox("Model that judges", names)
        begin = st.form_submit_button("Analyse", type="primary")
    if begin and not files:
        st.warning("Choose the record's files first.", icon=":material/info:")
    elif begin:
        content = {file.name: file.getvalue() for file in files}
        own = any(one.default for one in models if one.name == model)  # judges as the service is set
        st.session_state.upload = Upload(service(), content, None if own else model)
        st.rerun()


def _ask_for_stream() -> None:
    streams = ask(lambda client: client.streams())
    if not streams:
        empty("No stream has been stored yet", "Play the installed recording on the page *Live*, or connect a device.")
        return
    labels = {stream.id: stream.label for stream in streams}
    stream = st.selectbox("Stream", [*labels], format_func=lambda id_: labels[id_] or id_)
    epochs = {epoch.epoch: epoch for epoch in ask(lambda client: client.epochs(stream))}

    def told(number: int) -> str:
        epoch = epochs[number]
        running = "" if epoch.ended else ", still running"
        return f"{number}: from {local(epoch.started_at)}, {clock(round(float(epoch.next / epoch.rate)))} long{running}"

    number = st.selectbox("Run of the device", sorted(epochs, reverse=True), format_func=told)
    if st.button("Open", type="primary"):
        st.query_params.from_dict({"stream": stream, "epoch": str(number)})
        st.session_state.address = None
        st.rerun()


@st.fragment(run_every=_LOOK_S)
def _progress() -> None:
    upload: Upload | None = st.session_state.get("upload")
    if upload is None or upload.done:
        st.rerun()
        return
    st.progress(upload.progress, text=f"The service analyses the recording: {upload.progress:.0%}")
    if st.button("Cancel", icon=":material/close:"):
        upload.cancel()
        st.rerun()
