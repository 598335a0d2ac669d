"""Where to be on the trade between what is found and false alarms, and which model judges a stream from then on."""

from __future__ import annotations

from typing import cast, get_args

import streamlit as st
from matplotlib.figure import Figure

from ectopy.figures.compare import trade_curve
from ectopy.monitor import desk
from ectopy.monitor.asking import ask
from ectopy.monitor.frame import facts, plain, sheet, table
from ectopy.verdict import OperatingPoint
from ectopy.wire import Choice, ModelOut, Stream, TradeOut

POINTS: tuple[OperatingPoint, ...] = get_args(OperatingPoint)


def operating_point(model: ModelOut) -> OperatingPoint:
    """Have one chosen, and show what it gives."""
    points: dict[str, float] = model.card["operating_points"]
    chosen: OperatingPoint = st.select_slider("Operating point", POINTS, "balanced", key=f"point {model.name}")
    trade = model.trade
    if trade is None:
        st.info(
            f"What it gives is not known of this model. `ectopy evaluate {model.name} --trade` finds out.",
            icon=":material/info:",
        )
        return chosen
    places: dict[str, int] = {name: _place(trade.threshold, points[name]) for name in POINTS}
    at = places[chosen]
    drawn, said = st.columns([3, 2])
    with said:
        _said(trade, at, points[chosen])
    figure = Figure(figsize=(7, 3.9), layout="constrained")
    trade_curve(figure.add_subplot(), trade.false_alarms_per_hour, trade.sensitivity, places, chosen)
    found = f"{100 * trade.sensitivity[at]:.0f} % of abnormal intervals found"
    with drawn:
        sheet(
            figure,
            f"{model.name}: at {chosen} {found}, {trade.false_alarms_per_hour[at]:.0f} false alarms an hour",
            "26rem",
        )
    return chosen


def _said(trade: TradeOut, at: int, threshold: float) -> None:
    """What the threshold at a place gives, in numbers, and on what."""
    precision = trade.precision[at]
    facts(
        {
            "abnormal from a probability of": f"{threshold:g}",
            "abnormal intervals found": f"{100 * trade.sensitivity[at]:.0f} %",
            "false alarms an hour of normal signal": f"{trade.false_alarms_per_hour[at]:.0f}",
            "of those told, truly abnormal": "–" if precision is None else f"{100 * precision:.0f} %",
        }
    )
    st.caption(
        f"Intervals of 5 s, by their score, before findings; {trade.of}: `{trade.made_by}`. The points themselves were "
        "chosen before, out of fold, on the patients that trained the model: one in twenty abnormal intervals missed, "
        "the best F1 of beats, six false alarms an hour. Other patients are another matter, as can be seen."
    )


def _place(thresholds: list[float], wanted: float) -> int:
    return min(range(len(thresholds)), key=lambda place: abs(thresholds[place] - wanted))


def streams_choice(model: ModelOut, point: OperatingPoint, streams: list[Stream]) -> None:
    """Who judges which stream, and who shall."""
    st.subheader("Which model judges which stream", anchor=False)
    if not streams:
        st.info("There is no stream yet: a device begins one.", icon=":material/info:")
        return
    names = {stream.id: stream.label or stream.id for stream in streams}
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    stream = left.selectbox("Stream", [*names], format_func=lambda id_: names[id_])
    author = desk.asked(right)
    with st.container(horizontal=True):
        wanted = f"{model.name}, {point}"
        if st.button(f"Judge it by {wanted}", type="primary", help="From its next epoch on"):
            _choose(stream, model.name, point, author, f"{plain(names[stream])}: judged by {wanted}")
        if st.button("As the service is set"):
            _choose(stream, None, None, author, f"{plain(names[stream])}: judged by what the service is set to")
    rows = [
        [names[one.id], one.epoch.model if one.epoch and not one.epoch.ended else "–", _chosen(one)] for one in streams
    ]
    table("Streams and what judges them", ["stream", "now", "from its next epoch on"], rows)
    st.caption("An epoch is one run of the device. What judges it is settled when it begins, and holds to its end.")


def _choose(stream: str, model: str | None, point: OperatingPoint | None, author: str, words: str) -> None:
    if not author:
        st.warning("Say who you are: a choice carries a name.", icon=":material/person:")
        return
    desk.keep(author)
    ask(lambda client: client.choose(stream, Choice(model=model, operating_point=point, author=author)))
    st.session_state.chose = f"{words} from its next epoch on."
    st.rerun()


def _chosen(stream: Stream) -> str:
    chosen = stream.chosen
    if chosen is None:
        return "as the service is set"
    what = f"{chosen.model}, {chosen.operating_point or 'balanced'}" if chosen.model else "as the service is set"
    return f"{what} (chosen by {chosen.author})" if chosen.author else what


def confirmation() -> None:
    """What was chosen just now, said once."""
    said = cast("str | None", st.session_state.pop("chose", None))
    if said:
        st.success(said, icon=":material/check:")
