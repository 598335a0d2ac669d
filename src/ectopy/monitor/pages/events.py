"""The events page: what happened over all streams, to be searched; each event leads to its strip."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time, timedelta
from html import escape

import streamlit as st

from ectopy.monitor.asking import ask
from ectopy.monitor.events import VERDICT, Event, Verdicts, alarms, as_csv
from ectopy.monitor.frame import empty, page
from ectopy.monitor.pages import review
from ectopy.monitor.times import local, zone

_PAGE = 20
_SINCE = {"any time": None, "last hour": 1, "last 24 hours": 24, "last 7 days": 168}
_DAYS = "days of your choice"
_MARKS = ("high", "medium", "low", VERDICT)


@page("Events", "Alarms and abnormal verdicts of all streams, newest first.")
def show() -> None:
    """Draw it."""
    streams = {stream.id: stream.label or stream.id for stream in ask(lambda client: client.streams())}
    known = alarms()
    if not streams and not known:
        empty("Nothing has happened yet", "Play the installed recording on the page *Live*, or connect a device.")
        return
    found = _chosen(streams, known)
    found.sort(key=lambda event: event.at, reverse=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(found):,} event{'s' * (len(found) != 1)}**")
        st.button("Refresh", icon=":material/refresh:")
        icon = ":material/download:"
        st.download_button("Export as CSV", as_csv(found), "events.csv", "text/csv", on_click="ignore", icon=icon)
    if not found:
        st.info("No event is like that. Widen the filters above.", icon=":material/filter_alt_off:")
        return
    pages = math.ceil(len(found) / _PAGE)
    turned = st.number_input(f"Page (of {pages})", 1, pages, 1, width=150) if pages > 1 else 1
    for event in found[(turned - 1) * _PAGE : turned * _PAGE]:
        _row(event, streams)


def _chosen(streams: dict[str, str], known: list[Event]) -> list[Event]:
    """What the filters let through."""
    marks = st.pills("Priority", _MARKS, selection_mode="multi", default=_MARKS[:3], wrap=True, format_func=_name) or []
    one, two, three, four = st.columns(4)
    chosen = one.multiselect("Stream", [*streams], format_func=lambda id_: streams[id_], placeholder="all")
    codes = two.multiselect("Code", sorted({event.code for event in known}), placeholder="all")
    since = three.selectbox("Time", [*_SINCE, _DAYS])
    words = four.text_input("Words in the reason").strip().lower()
    first, last = _span(since)
    found = [event for event in known if event.mark in marks]
    if VERDICT in marks and not codes:
        seen: Verdicts = st.session_state.setdefault("verdicts_seen", Verdicts())
        with st.spinner("Asking for abnormal verdicts …"):
            found += seen.of(chosen or streams)
    return [
        event
        for event in found
        if (not chosen or event.stream in chosen)
        and (not codes or event.code in codes)
        and first <= event.at <= last
        and words in event.reason.lower()
    ]


def _name(mark: str) -> str:
    return "abnormal verdicts" if mark == VERDICT else f"{mark} alarms"


def _span(since: str) -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    if since != _DAYS:
        hours, ever = (
            _SINCE[since],
            datetime.max.replace(tzinfo=UTC),
        )  # a recording played quickly runs ahead of the clock
        return (datetime.min.replace(tzinfo=UTC) if hours is None else now - timedelta(hours=hours)), ever
    today = now.astimezone(zone()).date()
    days = st.date_input("From and to", (today - timedelta(days=7), today), max_value=today)
    first, last = (days[0], days[-1]) if isinstance(days, tuple) and days else (today, today)
    begin, end = (
        datetime.combine(day, hour, zone()).astimezone(UTC) for day, hour in ((first, time.min), (last, time.max))
    )
    return begin, end


def _row(event: Event, streams: dict[str, str]) -> None:
    where = streams.get(event.stream, event.stream)
    with st.container(horizontal=True, vertical_alignment="center", border=True, gap="small"):
        st.html(
            f'<div class="event"><span class="when">{escape(local(event.at))}</span>'
            f'<span class="tag {event.mark}">{escape(event.mark)}</span><span class="where">{escape(where)}</span>'
            f'<span class="why">{escape(event.reason)}</span><span class="then">{escape(event.then)}</span></div>'
        )
        if event.place:
            strip = st.Page(review.show, url_path="review")
            icon = ":material/arrow_forward:"
            st.page_link(strip, label="Show strip", icon=icon, icon_position="right", query_params=event.place)
