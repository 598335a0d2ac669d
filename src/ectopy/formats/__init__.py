"""File formats: one file a format; `read` picks by what is there, not by what a file is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ectopy.errors import FormatError, RecordError
from ectopy.formats.archive import file_name
from ectopy.formats.folder import record_in
from ectopy.formats.wfdb import header_path, read_wfdb
from ectopy.recording import Recording

__all__ = ["file_name", "read", "record_in"]


def read(path: str | Path, *, leads: Sequence[str] | None = None, remedy: str = "copy it again") -> Recording:
    """Read a recording: a WFDB record by its name without a suffix, or its `.hea`, `.dat` or `.mat` file.

    leads : names of the leads wanted, in this order; all ECG leads if None
    remedy : what to do about a damaged or missing file, for the message

    Raises
    ------
    RecordError
        If there is no such file.
    FormatError
        If it is in no format known here, damaged, or can't be read.
    LeadError
        If it has no such lead, or no ECG at all.
    """
    path = Path(path)
    try:
        has_header = bool(path.name) and header_path(path).is_file()
    except OSError as error:
        raise FormatError.unreadable(path, error) from None
    if has_header:
        return read_wfdb(path, leads=leads, remedy=remedy)
    if path.is_dir():
        found = min((header.with_suffix("") for header in path.glob("*.hea")), default=path / "100")
        raise RecordError(f"{path}: a folder; expected a recording in it, such as {found}")
    if path.is_file():
        header = f", or without its header {header_path(path).name}" if path.suffix in (".dat", ".mat") else ""
        raise FormatError(
            f"{path}: in no format that Ectopy reads{header}; it reads WFDB records (.hea with .dat or .mat); "
            "samples from elsewhere go through ectopy.analyze(x, fs=...) in Python"
        )
    raise RecordError(f"{path}: no such recording; expected a WFDB record, such as 100 where 100.hea and 100.dat are")
