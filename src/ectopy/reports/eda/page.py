"""The report: one HTML file that needs no other, and its figures as files beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from glob import escape
from pathlib import Path

from ectopy.data import CATALOGUE
from ectopy.reports.eda import classes, neighbours, rhythm, sets, shapes, signal
from ectopy.reports.eda.tables import Tables
from ectopy.reports.page import Part, drawn, page, write_files
from ectopy.reports.save import check_folder
from ectopy.reports.section import Section, listed, plural, short


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
    progress : called with sections done, sections in all, and the title of the last one

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
    report = _page(tables, parts).encode()
    written = write_files(folder, {**files, f"{stem}.html": report})
    for old in folder.glob(f"{escape(stem)}.[0-9][0-9]-*.png"):
        if old.name not in files:
            old.unlink()
    return written


def _drawn(tables: Tables, data_dir: Path | None, progress: Callable[[int, int, str], None]) -> Iterator[Part]:
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
        yield drawn(section)
        progress(done + 1, len(steps), section.title)


def _name(tables: Tables) -> str:
    """What was looked at, for file names: `mitdb-svdb`, `demo`, `100-and-2-more`."""
    whole = [_database(source) for source in tables.asked]
    return "-".join(whole) if len(whole) <= 3 else f"{whole[0]}-and-{len(whole) - 1}-more"


def _database(source: str) -> str:
    return source if source in CATALOGUE else short(source)


def _page(tables: Tables, parts: list[Part]) -> str:
    title = f"{listed([_database(source) for source in tables.asked])}: a look at the data"
    records = tables.records
    beats = int(records[["N", "S", "V", "F", "Q"]].to_numpy().sum())
    facts = f"{plural(len(records), 'record')} of {plural(records['patient'].nunique(), 'patient')}, "
    facts += f"{records['hours'].sum():.1f} hours, {plural(beats, 'beat')}."
    databases = {name.partition("/")[0] for name in records["record"]}
    return page(title, facts, tables.notes, parts, databases)
