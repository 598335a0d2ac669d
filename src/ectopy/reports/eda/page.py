"""The report: one HTML file that needs no other, and its figures as files beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ectopy.data import CATALOGUE
from ectopy.errors import OutputError
from ectopy.figures import DISCLAIMER
from ectopy.reports.eda import classes, neighbours, rhythm, sets, shapes, signal
from ectopy.reports.eda.section import Section, listed, plural, short
from ectopy.reports.eda.tables import Tables
from ectopy.reports.save import check_folder

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
class _Part:
    """A section drawn."""

    section: Section
    png: bytes | None


def save(
    tables: Tables,
    folder: Path | str,
    data_dir: Path | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, title: None,
) -> list[Path]:
    """Write the report into a folder, which is made where it is missing, and say what was written.

    NAME.eda.html : everything, figures included; NAME says what was looked at
    NAME.eda.01-counts-by-record.png ... : its figures

    All are written beside their place first, then moved, the report last: a report there is whole. Figures that an
    earlier report of that name had and this one has not are removed.

    data_dir : where to look for databases first, for the strips
    progress : called with sections done, sections in all, and the title of the next

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    folder = Path(folder)
    check_folder(folder)
    parts = list(_drawn(tables, data_dir, progress))
    stem = f"{_name(tables)}.eda"
    files = {
        f"{stem}.{place:02}-{part.section.key}.png": part.png
        for place, part in enumerate(parts, 1)
        if part.png is not None
    }
    page = _page(tables, parts).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".ectopy-", dir=folder) as temporary:
            for name, content in {**files, f"{stem}.html": page}.items():
                (Path(temporary) / name).write_bytes(content)
            for old in folder.glob(f"{stem}.[0-9][0-9]-*.png"):
                if old.name not in files:
                    old.unlink()
            return [(Path(temporary) / name).replace(folder / name) for name in (*files, f"{stem}.html")]
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(f"{folder}: can't be written as a folder ({why}); choose another folder") from None


def _drawn(tables: Tables, data_dir: Path | None, progress: Callable[[int, int, str], None]) -> Iterator[_Part]:
    steps: tuple[Callable[[Tables], Section], ...] = (
        classes.by_record,
        classes.balance,
        shapes.beat_shapes,
        partial(shapes.strips, data_dir=data_dir),
        rhythm.rhythm,
        rhythm.prematurity,
        signal.amplitude,
        signal.quality,
        signal.missing,
        rhythm.correlation,
        neighbours.embedding,
        neighbours.nearest,
        sets.splits,
        sets.databases,
        classes.one_patient,
    )
    for done, step in enumerate(steps):
        section = step(tables)
        yield _Part(section, None if section.figure is None else _png(section.figure))
        progress(done + 1, len(steps), section.title)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def _name(tables: Tables) -> str:
    """What was looked at, for file names: `mitdb-svdb`, `demo`, `100-and-2-more`."""
    whole = [_database(source) for source in tables.asked]
    return "-".join(whole) if len(whole) <= 3 else f"{whole[0]}-and-{len(whole) - 1}-more"


def _database(source: str) -> str:
    return source if source in CATALOGUE else short(source)


def _page(tables: Tables, parts: list[_Part]) -> str:
    title = f"{listed([_database(source) for source in tables.asked])}: a look at the data"
    records = tables.records
    beats = int(records[["N", "S", "V", "F", "Q"]].to_numpy().sum())
    facts = f"{plural(len(records), 'record')} of {plural(records['patient'].nunique(), 'patient')}, "
    facts += f"{records['hours'].sum():.1f} hours, {plural(beats, 'beat')}."
    notes = "".join(f"<li>{escape(note)}</li>" for note in tables.notes)
    contents = "".join(f'<div><a href="#{p.section.key}">{escape(p.section.title)}</a></div>' for p in parts)
    body = "".join(map(_section, parts))
    names = {name.partition("/")[0] for name in records["record"]}
    cited = "".join(
        f"<li>{escape(known.title)}, {escape(known.licence)}. {escape(known.citation)}.</li>"
        for known in CATALOGUE.values()
        if known.name in names
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        f'<p>{facts} <span class="quiet">{DISCLAIMER}</span></p>\n<ul>{notes}</ul>\n<nav>{contents}</nav>\n{body}'
        f"{'<h2>Sources</h2><ul>' + cited + '</ul>' if cited else ''}</body></html>\n"
    )


def _section(part: _Part) -> str:
    section = part.section
    picture = table = ""
    if part.png is not None:
        data = base64.b64encode(part.png).decode()
        picture = f'<img alt="{escape(section.title)}" src="data:image/png;base64,{data}">\n'
    if section.table is not None:
        table = section.table.to_html(index=False, border=0)
    text = f"<p>{escape(section.text)}</p>\n"
    return f'<section id="{section.key}"><h2>{escape(section.title)}</h2>\n{text}{picture}{table}</section>\n'
