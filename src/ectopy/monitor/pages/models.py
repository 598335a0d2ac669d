"""The models page: what is installed, what judges, how good each is, and what its operating points are."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ectopy.figures import CLASS_NAMES
from ectopy.monitor.asking import ask
from ectopy.monitor.frame import facts, page, table
from ectopy.monitor.pages.choosing import POINTS, confirmation, operating_point, streams_choice
from ectopy.wire import ModelOut

_FIGURES = {
    "interval.abnormal.f1": "interval F1",
    "interval.abnormal.auprc": "interval AUPRC",
    "interval.false_alarms.per_hour": "false alarms an hour",
    "interval.unreadable.share": "unreadable share",
    "beat.detection.se": "beats found (Se)",
    "beat.V.f1": "V F1",
    "beat.S.f1": "S F1",
    "beat.abnormal.auroc": "abnormal beat AUROC",
}
_LEVELS = {"beat": "beats", "interval": "intervals", "patient": "patients"}
_RATIOS = {"se": "sensitivity", "ppv": "precision", "f1": "F1", "auroc": "AUROC", "auprc": "AUPRC"}


@page("Models", "What is installed, what judges, and how good each model is.")
def show() -> None:
    """Draw it."""
    models = sorted(ask(lambda client: client.models()), key=lambda model: not model.default)
    streams = ask(lambda client: client.streams())
    running = [stream for stream in streams if stream.epoch and not stream.epoch.ended]
    default = next((model for model in models if model.default), None)
    facts(
        {
            "judges unless named": f"{default.name} {default.version}" if default else "unknown",
            "streams that run": f"{len(running)}",
            "they are judged by": ", ".join(sorted({stream.epoch.model for stream in running if stream.epoch})) or "–",
        }
    )
    st.caption(
        "What judges where nothing is chosen is a setting of the service: `ectopy config` shows `model` and "
        "`operating_point`."
    )
    confirmation()
    _compared(models)
    st.subheader("A model, and its operating point", anchor=False)
    named = {model.name: model for model in models}
    model = named[st.selectbox("Model", [*named])]
    st.markdown(f"**{model.name}** {model.card.get('does', '')}.")
    if {*model.card.get("operating_points", {})} >= {*POINTS}:
        streams_choice(model, operating_point(model), streams)
    else:
        st.info("Its card names no operating points.", icon=":material/info:")
    st.subheader("Its card", anchor=False)
    _card(model)


def _compared(models: list[ModelOut]) -> None:
    st.subheader("Compared", anchor=False)
    columns = {key: name for key, name in _FIGURES.items() if any(key in _table(model) for model in models)}
    rows = [
        [model.name + " (default)" * model.default, *(_figure(_table(model).get(key)) for key in columns)]
        for model in models
    ]
    table("Figures of each card, with their 95 % intervals", ["model", *columns.values()], rows)
    basis = {str(model.card.get("figures", {}).get("of", "unknown")) for model in models}
    on = "; ".join(sorted(basis))
    st.caption(f"All at `balanced`, on {on}. These are no figures of a test split: `ectopy compare` makes those.")


def _card(model: ModelOut) -> None:
    card = model.card
    facts(
        {
            "version": model.version,
            "trained on": f"{len(card.get('records', []))} records, protocol {card.get('protocol', 'unknown')}",
            "a beat is known after": f"{card['delay_s']:g} s" if "delay_s" in card else "unknown",
            "size": f"{card['bytes'] / 1e6:.1f} MB" if "bytes" in card else "unknown",
        }
    )
    st.caption(f"Limits: {card.get('limits', 'none are named')}.")
    with st.expander("All figures of the card"):
        rows = [[_words(key), _figure(value)] for key, value in _table(model).items()]
        table(
            f"{model.name}: {card.get('figures', {}).get('of', '')}",
            ["figure", "value and 95 % interval"],
            rows,
            wide=0,
        )
    with st.expander("Data"):
        st.markdown(str(card.get("data", "not named")))


def _table(model: ModelOut) -> dict[str, Any]:
    found: dict[str, Any] = model.card.get("figures", {}).get("table", {})
    return found


def _figure(value: Any) -> str:
    if not isinstance(value, dict) or value.get("value") is None:
        return "–"
    digits = 1 if value["value"] >= 2 else 3
    text = f"{value['value']:.{digits}f}"
    if value.get("low") is None or value.get("high") is None:
        return text
    return f"{text} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"


def _words(key: str) -> str:
    """beat.V.se as words."""
    level, what, ratio = [*key.split("."), "", ""][:3]
    named = {str(aami): name for aami, name in CLASS_NAMES.items()}
    named |= {"false_alarms": "false alarms", "per_hour": "an hour"}
    parts = (_LEVELS.get(level, level), named.get(what, what), _RATIOS.get(ratio, named.get(ratio, ratio)))
    return ", ".join(parts[:2]) + f": {parts[2]}"
