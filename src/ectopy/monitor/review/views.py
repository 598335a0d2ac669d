"""The parts of the review page."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median

import streamlit as st
from matplotlib.figure import Figure

from ectopy.figures import (
    CLASS_NAMES,
    LINE_S,
    clock,
    full_disclosure,
    labelled_strip,
    rate_trend,
    strip_figure,
)
from ectopy.monitor import desk
from ectopy.monitor.frame import facts, picture, plain, png_of, sheet, table
from ectopy.monitor.review.case import Case, beats_between, classes, said_of
from ectopy.monitor.review.episodes import KINDS, Episode, episodes
from ectopy.monitor.review.export import as_csv, as_wfdb
from ectopy.monitor.review.opening import LEAD_S
from ectopy.monitor.times import local
from ectopy.recording import AAMI_CLASSES
from ectopy.reports import record_name
from ectopy.wire import BeatOut

STRIP_S = 10
_LISTED, _FITTING = 50, 14  # episodes at once, and without a bar to scroll them
_LINES = 15  # of a page of full disclosure
_KIND_NAMES = {"S": "S supraventricular", "V": "V ventricular", "F": "F fusion"}


def at_s(case: Case) -> float:
    """Where the strip begins."""
    last = max(case.duration_s - STRIP_S, 0.0)
    return min(max(float(st.session_state.get("at_s", 0.0)), 0.0), last)


def go(second: float) -> None:
    """Show the strip from there on; full disclosure follows."""
    st.session_state.at_s = second
    st.session_state.pop("minutes", None)


def heading(case: Case) -> None:
    """What it is, in a few numbers."""
    st.subheader(plain(case.title), anchor=False)
    words = [interval.verdict for interval in case.intervals]
    counts = [*classes(case).values()]
    rates = [one.heart_rate for one in case.intervals if one.heart_rate is not None]
    numbers = {aami: counts.count(aami) for aami in (*AAMI_CLASSES, None)}
    beats = ", ".join(f"{n:,} {aami or 'without class'}" for aami, n in numbers.items() if n)
    rows = {
        "length": clock(round(case.duration_s)),
        "intervals": f"{len(words):,}, {words.count('abnormal'):,} abnormal",
        "unreadable": f"{words.count('unreadable') / len(words):.1%}" if words else "nothing judged yet",
        "beats": beats or "none",
        "heart rate": f"{median(rates):.0f} a minute (median)" if rates else "unknown",
        "model": case.model,
        "corrected beats": f"{len(said_of(case)):,}",
    }
    if case.started_at is not None:
        rows["start"] = local(case.started_at)
    facts(rows)
    for note in case.notes:
        st.caption(f"Note: {plain(note)}")


def strip(case: Case) -> None:
    """Ten seconds on ECG paper."""
    start = at_s(case)
    recording, first_s = case.part(start, STRIP_S)
    said = said_of(case)
    beats = []
    for beat in beats_between(case, start, start + STRIP_S):
        one = said.get(beat.sample)
        aami = one.aami if one else beat.aami
        beats.append((beat.time_s, (aami or "•") + "*" * bool(one), aami))
    reasons = [one.reason for one in case.intervals if one.start_s < start + STRIP_S and one.end_s > start]
    if len(recording.samples):
        title = f"{clock(start)}  {'; '.join(dict.fromkeys(reasons))}"
        figure, ax = strip_figure(recording)
        labelled_strip(recording, beats, ax, title, first_s)
        letters = ", ".join(f"{letter} at {clock(second)}" for second, letter, _ in beats)
        sheet(figure, f"Strip of {STRIP_S} s from {clock(start)}. Beats: {letters or 'none'}", least="44rem")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Back 10 s", on_click=go, args=(start - STRIP_S,), icon=":material/chevron_left:")
        st.button(
            "On 10 s", on_click=go, args=(start + STRIP_S,), icon=":material/chevron_right:", icon_position="right"
        )
        most = max(case.duration_s, 0.1)
        second = st.number_input("Strip from second", 0.0, most, start, STRIP_S / 2, format="%.1f", width=170)
    if second != start:
        go(second)
        st.rerun()


def episode_list(case: Case) -> None:
    """What is worth a look; a click shows its strip."""
    st.subheader("Episodes", anchor=False)
    chosen = st.pills(
        "Show",
        KINDS,
        selection_mode="multi",
        default=KINDS,
        format_func=lambda kind: _KIND_NAMES.get(kind, kind),
        wrap=True,
    )
    order = st.radio("Order", ["in time", "worst first"], horizontal=True)
    found = [episode for episode in episodes(case) if episode.kinds & {*chosen}]
    if order == "worst first":
        found.sort(key=lambda episode: -episode.score)
    if not found:
        st.info("Nothing of these kinds." if episodes(case) else "Nothing abnormal was found.", icon=":material/check:")
        return
    pages = math.ceil(len(found) / _LISTED)
    turned = st.number_input(f"Page (of {pages})", 1, pages, 1) if pages > 1 else 1
    st.caption(f"{len(found):,} episodes; alarms are those of the rules, live or replayed.")
    listed = found[(turned - 1) * _LISTED : turned * _LISTED]
    with st.container(height=560 if len(listed) > _FITTING else "content", border=True, gap=None, key="episodes"):
        for place, episode in enumerate(listed):
            _episode(episode, place)


def _episode(episode: Episode, place: int) -> None:
    st.button(
        f"**{clock(round(episode.start_s, 1))}**  {episode.mark}: {episode.text}",
        key=f"episode {place} {episode.start_s:.2f} {episode.mark}",
        on_click=go,
        args=(max(episode.start_s - LEAD_S, 0.0),),
        type="tertiary",
    )


def beats_of_strip(case: Case) -> None:
    """The strip's beats, and another class for one of them."""
    start = at_s(case)
    beats = beats_between(case, start, start + STRIP_S)
    st.subheader("Beats of the strip", anchor=False)
    if not beats:
        st.info("No beat on this strip.", icon=":material/info:")
        return
    said = said_of(case)
    rows = []
    for beat in beats:
        one = said.get(beat.sample)
        sure = (getattr(beat, beat.aami) if beat.aami else None) or beat.anomaly
        by = f"{one.author}: {one.note}".rstrip(": ") if one else "model"
        interval = "" if beat.rr_s is None else f"{beat.rr_s:.2f} s"
        now = one.aami if one else beat.aami
        rows.append([clock(round(beat.time_s, 1)), now or "–", beat.aami or "–", f"{sure:.2f}", interval, by])
    _correct(case, [(beat, f"{row[0]}  {row[1]}") for beat, row in zip(beats, rows, strict=True)])
    table("Classes as they stand", ["time", "class", "by the model", "sure", "RR", "said by"], rows, wide=5)


def _correct(case: Case, names: list[tuple[BeatOut, str]]) -> None:
    """A form that keeps another class."""
    with st.form("correct"):
        st.markdown("**Correct a label**")
        left, right = st.columns(2)
        samples = {beat.sample: (beat, name) for beat, name in names}
        sample = left.selectbox("Beat", [*samples], format_func=lambda sample: samples[sample][1])
        aami = right.selectbox("Class", AAMI_CLASSES, None, lambda one: f"{one} {CLASS_NAMES[one]}")
        author = desk.asked(left)
        note = right.text_input("Note (may be empty)", max_chars=200).strip()
        keep = st.form_submit_button("Keep the correction", type="primary")
    if not keep:
        return
    if aami is None or not author:
        st.warning("Choose the class, and say who you are: a correction carries a name.", icon=":material/person:")
        return
    desk.keep(author)
    case.say(samples[sample][0], aami, author, note)
    st.rerun()


def trend(case: Case) -> None:
    """The heart rate over all of it."""
    if not case.intervals:
        return
    st.subheader("Heart rate", anchor=False)
    figure = Figure((11, 2.4), layout="constrained")
    rate_trend(case.intervals, figure.subplots(), at_s(case))
    sheet(figure, "Heart rate of each interval over time, verdicts below; a line marks the strip", least="36rem")


def disclosure(case: Case) -> None:
    """A page of the whole, a line a minute."""
    st.subheader("Full disclosure", anchor=False)
    span = LINE_S * _LINES
    pages = [*range(max(math.ceil(case.duration_s / span), 1))]
    shown = min(int(at_s(case) // span), pages[-1])
    if len(pages) > 1:
        shown = st.selectbox(
            "Part",
            pages,
            shown,
            format_func=lambda page: f"{clock(page * span)} to {clock(min((page + 1) * span, round(case.duration_s)))}",
            key="minutes",
        )
    lead = f"Lead {case.leads[0]}, a line a minute"
    with st.spinner("Drawing …"):
        seen = [one for one in case.intervals if one.start_s < (shown + 1) * span and one.end_s > shown * span]
        png = _disclosed(case.key, shown, len(seen), at_s(case), case)
    if png is None:
        st.info("No signal has come yet.", icon=":material/info:")
        return
    abnormal = sum(one.verdict == "abnormal" for one in seen)
    picture(png, f"Full disclosure from {clock(shown * span)}. {lead}; {abnormal} abnormal intervals", least="44rem")
    st.caption(f"{lead}. Orange with a bold bar: abnormal. Grey with a thin bar: unreadable. Shaded: the strip above.")


@st.cache_data(max_entries=20, show_spinner=False)
def _disclosed(key: str, shown: int, n: int, looked_at: float, _case: Case) -> bytes | None:
    """A page as a picture, drawn once for that many intervals."""
    span = LINE_S * _LINES
    recording, first_s = _case.part(shown * span, span)
    if not len(recording.samples):
        return None
    spans = [(one.start_s, one.end_s, one.verdict) for one in _case.intervals]
    spans = [one for one in spans if one[0] < first_s + span and one[1] > first_s]
    figure = Figure((11, 0.5 + 0.5 * math.ceil(recording.duration_s / LINE_S)), layout="constrained")
    full_disclosure(recording, spans, figure.subplots(), first_s, (looked_at, looked_at + STRIP_S))
    return png_of(figure, dpi=120)  # many lines take long to encode


def downloads(case: Case) -> None:
    """The beats as they stand, as files."""
    st.subheader("Take it with you", anchor=False)
    name = record_name(case.name)
    files: dict[str, tuple[Callable[[], str | bytes], str, str]] = {
        "WFDB annotations (.atr)": (lambda: as_wfdb(case), f"{name}.atr", "application/octet-stream"),
        "Beats as CSV": (lambda: as_csv(case), f"{name}.beats.csv", "text/csv"),
    }
    with st.container(horizontal=True):
        for label, (content, file, kind) in files.items():
            st.download_button(label, content, file, kind, on_click="ignore", icon=":material/download:")
