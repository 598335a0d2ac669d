"""Where databases and records lie on this machine, and `read`, which takes any of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ectopy import formats
from ectopy.data.catalogue import CATALOGUE, database
from ectopy.data.demo import demo
from ectopy.errors import FormatError, RecordError
from ectopy.recording import Recording


def roots(data_dir: str | Path | None = None) -> list[Path]:
    """Folders that may hold databases, in order: `data_dir`, `ECTOPY_DATA`, the user's cache."""
    from platformdirs import user_cache_path

    named = [data_dir, os.environ.get("ECTOPY_DATA")]
    return [*(Path(root).expanduser() for root in named if root), user_cache_path("ectopy")]


def find(name: str, data_dir: str | Path | None = None) -> Path:
    """The folder of a database on this machine.

    Raises
    ------
    RecordError
        If there is no such database, or it is not here.
    FormatError
        If its folder can't be read.
    """
    known, closed = database(name), None
    for root in roots(data_dir):
        folder = root / known.name
        try:
            if any(file.suffix == ".hea" for file in folder.iterdir()):  # `glob` takes no notice of permissions
                return folder
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            closed = closed or FormatError.unreadable(folder, error)  # unless it is elsewhere too
    if closed is not None:
        raise closed
    places = ", ".join(str(root) for root in roots(data_dir))
    raise RecordError(f"{name}: not on this machine (looked in {places}); fetch it with 'ectopy data get {name}'")


def records(name: str, data_dir: str | Path | None = None) -> tuple[str, ...]:
    """The records of a database that are on this machine, as `mitdb/100`; RecordError if none is."""
    folder = find(name, data_dir)
    return tuple(f"{folder.name}/{header.stem}" for header in sorted(folder.glob("*.hea")))


def present(names: Iterable[str], data_dir: str | Path | None = None) -> tuple[str, ...]:
    """Those of `names` (as `mitdb/100`) that are on this machine, in the same order."""
    return tuple(name for name in names if _header(name, data_dir))


def read(source: str | Path, *, leads: Sequence[str] | None = None, data_dir: str | Path | None = None) -> Recording:
    """Read a recording.

    source : `demo`, a database's record (`mitdb/100`), or the path of a file
    leads : names of the leads wanted, in this order; all ECG leads if None
    data_dir : where to look for databases first

    Raises
    ------
    RecordError
        If there is no such recording.
    FormatError
        If the file is in no known format, damaged, or can't be read.
    LeadError
        If it has no such lead, or no ECG at all.
    """
    if source == "demo":
        return demo().select(leads) if leads else demo()
    name = str(source)
    in_database = isinstance(source, str) and name.partition("/")[0] in CATALOGUE
    if in_database and (header := _header(name, data_dir)):
        remedy = f"download it again with 'ectopy data get {header.parent.name}'"
        return formats.read(header, leads=leads, remedy=remedy)
    if isinstance(source, Path) or _may_be_read(Path(name)):
        return formats.read(name, leads=leads)
    if not in_database:
        raise RecordError(f"{name}: no such recording; expected 'demo', a record as mitdb/100, or a file's path")
    folder, _, record = name.partition("/")
    if not record:
        raise RecordError(f"{name}: a database of {CATALOGUE[folder].records} records; name one, as {folder}/RECORD")
    place = find(folder, data_dir)
    raise RecordError(f"{name}: no record {record} in {place}; 'ectopy data get {folder}' fetches all")


def _header(name: str, data_dir: str | Path | None) -> Path | None:
    """Where a record of a database is; if it is nowhere, where nobody may know, for `formats.read` says so."""
    folder, _, record = name.partition("/")
    closed = None
    for root in roots(data_dir):
        header = root / folder / f"{record}.hea"
        try:
            if record and header.is_file():
                return header
        except PermissionError:
            closed = closed or header
        except OSError:  # no name that a file can have
            continue
    return closed


def _may_be_read(path: Path) -> bool:
    """Whether it is a file, a folder, or one of a record's files, perhaps a missing one."""
    if not path.name:
        return path.is_dir()
    try:
        return path.exists() or any(Path(f"{name}.hea").is_file() for name in (path, path.with_suffix("")))
    except PermissionError:
        return True
    except OSError:
        return False
