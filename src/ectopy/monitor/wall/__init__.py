"""The wall: one component in the browser that hears the service by itself, draws the traces and keeps the alarms.

Its modules are ES modules, one purpose each. Streamlit takes a component as one script, so they are joined here: each
becomes a function that gives what it exports.
"""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_MODULES = [  # each behind those that it imports
    *("words", "frames", "memory", "playout", "colours", "paper", "service", "feed", "marks", "sweep", "still"),
    *("beats", "tile", "rebuilt", "full", "strips", "sound", "alarms", "panel", "desk", "pauses"),
    *("notes", "settings", "home", "wall"),
]
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:default )?((?:class|const|(?:async )?function)\*? (\w+))", re.MULTILINE)


def script() -> str:
    """All modules as one."""
    return "\n".join(map(_module, _MODULES)) + "\nexport default $wall.mount;\n"


def _module(name: str) -> str:
    text = _read(f"{name}.js")
    exported = ", ".join(match[2] for match in _EXPORT.finditer(text))
    text = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = $\2;", text))
    return f"const ${name} = (() => {{\n{text}return {{ {exported} }};\n}})();"


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


wall = st.components.v2.component("ectopy_wall", html=_read("wall.html"), css=_read("wall.css"), js=script())
