"""What every page but Live has around it: a heading, the words of what it is not, and what is said when things fail."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from functools import wraps
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ectopy.errors import EctopyError, ServiceError
from ectopy.figures import DISCLAIMER
from ectopy.monitor.asking import ask, service

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AGAIN_S = 3.0
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])")
_DPI = 160
_STYLE = f"<style>{Path(__file__).with_name('frame.css').read_text(encoding='utf-8')}</style>"
# Streamlit would write in white on the dark theme's primary colour, which is light.
_DARK = """<style>
[data-testid*="aseButton-primary"] p { color: #0b1117; }
.rows thead th { background: #0f1419; }
</style>"""


def page(title: str, about: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Make a function a page with a heading and a line about it; a failed call is said, and tried again."""

    def made(show: Callable[[], None]) -> Callable[[], None]:
        @wraps(show)
        def whole() -> None:
            st.html(_STYLE + _DARK * is_dark())
            st.title(title, anchor=False)
            st.caption(about)
            try:
                show()
            except ServiceError as error:
                _disconnected(str(error))
            except EctopyError as error:
                st.error(f"That could not be done: {plain(str(error))}", icon=":material/error:")
                st.button("Try again")
            st.divider()
            st.caption(f"{DISCLAIMER} It must not be used to diagnose, treat or monitor anyone.")

        return whole

    return made


def is_dark() -> bool:
    """Whether the viewer's theme is."""
    return bool(st.context.theme.type == "dark")


def plain(text: str) -> str:
    """Words of others (labels, file names, reasons) for where Streamlit reads Markdown: as they are, and no picture of
    theirs is fetched from anywhere."""
    return _MARKDOWN.sub(r"\\\1", text)


def empty(title: str, advice: str) -> None:
    """Nothing is there yet: why, and what to do."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.markdown(advice)


def sheet(figure: Figure, said: str, least: str = "100%") -> None:
    """Show a drawing as `picture` does."""
    picture(png_of(figure), said, least)


def png_of(figure: Figure, dpi: int = _DPI) -> bytes:
    """A drawing as a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def picture(png: bytes, said: str, least: str = "100%") -> None:
    """Show a picture, wide ones to be scrolled on a phone.

    said : what is on it, for who can't see it
    least : the width below which it isn't shrunk, in CSS
    """
    data = base64.b64encode(png).decode()
    dark = " dark" * is_dark()
    text = escape(said, quote=True)
    st.html(
        f'<div class="sheet{dark}" tabindex="0" role="region" aria-label="{text}" style="--least: {least}">'
        f'<img alt="{text}" src="data:image/png;base64,{data}"></div>'
    )


def facts(rows: dict[str, str]) -> None:
    """Names and values, side by side."""
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows.items())
    st.html(f'<dl class="facts">{cells}</dl>')


def table(caption: str, heads: list[str], rows: list[list[str]], wide: int | None = None) -> None:
    """A table of text.

    wide : the column whose text may be wrapped
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    opened = ['<td class="wide">' if place == wide else "<td>" for place in range(len(heads))]
    lines = "".join(
        "<tr>" + "".join(f"{td}{escape(cell)}</td>" for td, cell in zip(opened, row, strict=True)) + "</tr>"
        for row in rows
    )
    label = escape(caption, quote=True)
    st.html(
        f'<div class="rows" tabindex="0" role="region" aria-label="{label}"><table><caption>{label}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _disconnected(why: str) -> None:
    st.error(f"Disconnected: {plain(why)}", icon=":material/cloud_off:")
    st.caption(f"This page goes on by itself once {service()} answers.")

    @st.fragment(run_every=_AGAIN_S)
    def look() -> None:
        try:
            ask(lambda client: client.streams())
        except EctopyError:
            return
        st.rerun()

    look()
