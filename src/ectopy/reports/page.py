"""A report as one HTML file that needs no other: sections with their figures inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ectopy.data import CATALOGUE
from ectopy.errors import OutputError
from ectopy.figures import DISCLAIMER
from ectopy.reports.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 110
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem } img { max-width: 100%; height: auto }
p, li { max-width: 52rem } .quiet { color: #6e6e6e } nav { columns: 2 18rem }
table { border-collapse: collapse; font-size: 0.9rem; margin-top: 0.5rem }
th, td { padding: 0.15rem 0.8rem; text-align: right; border-bottom: 1px solid #e4e4e4 }
th:first-child, td:first-child { text-align: left }
"""


@dataclass(frozen=True)
class Part:
    """A section drawn."""

    section: Section
    png: bytes | None


def drawn(section: Section) -> Part:
    """The section with its figure as a PNG; the figure itself may then be let go."""
    return Part(section, None if section.figure is None else _png(section.figure))


def page(title: str, facts: str, notes: Sequence[str], parts: Sequence[Part], databases: Iterable[str]) -> str:
    """The whole file.

    facts : a line below the title
    databases : those whose records were used, to be cited
    """
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    contents = "".join(f'<div><a href="#{p.section.key}">{escape(p.section.title)}</a></div>' for p in parts)
    used = set(databases)
    cited = "".join(
        f"<li>{escape(known.title)}, {escape(known.licence)}. {escape(known.citation)}.</li>"
        for known in CATALOGUE.values()
        if known.name in used
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        f'<p>{facts} <span class="quiet">{DISCLAIMER}</span></p>\n<ul>{listed}</ul>\n<nav>{contents}</nav>\n'
        f"{''.join(map(_section, parts))}"
        f"{'<h2>Sources</h2><ul>' + cited + '</ul>' if cited else ''}</body></html>\n"
    )


def write_files(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which is made where it is missing: each beside its place first, then all moved.

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".ectopy-", dir=folder) as temporary:
            for name, content in contents.items():
                (Path(temporary) / name).write_bytes(content)
            return [(Path(temporary) / name).replace(folder / name) for name in contents]
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(f"{folder}: can't be written as a folder ({why}); choose another folder") from None


def _section(part: Part) -> str:
    section = part.section
    picture = table = ""
    if part.png is not None:
        data = base64.b64encode(part.png).decode()
        picture = f'<img alt="{escape(section.title)}" src="data:image/png;base64,{data}">\n'
    if section.table is not None:
        table = section.table.to_html(index=False, border=0)
    text = f"<p>{escape(section.text)}</p>\n"
    return f'<section id="{section.key}"><h2>{escape(section.title)}</h2>\n{text}{picture}{table}</section>\n'


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
