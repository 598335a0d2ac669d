"""Getting a database from PhysioNet: a file in the folder is whole, or it is not there.

A file grows as `NAME.part`, is checked against the database's SHA256SUMS.txt, and only then gets its name.
What is whole is not fetched again, and a `.part` goes on where it stopped (HTTP Range), in this run or the
next; a lock keeps two processes from writing to one. pooch is not used, as it starts every file from nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.data.catalogue import CHECKSUMS, PHYSIONET, Database, database
from ectopy.data.lookup import roots
from ectopy.errors import DownloadError, OutputError

if TYPE_CHECKING:
    from requests import Session

Progress = Callable[[int, int, int], None]

_SUFFIXES = (".hea", ".dat", ".mat", ".atr")
_LISTS = ("RECORDS", "ANNOTATORS", "REFERENCE.csv")
_BUSY = (429, 500, 502, 503, 504)
_TRIES = 5
_TIMEOUT_S = (10, 60)  # to connect, to wait for bytes


def fetch(name: str, data_dir: str | Path | None = None, progress: Progress | None = None) -> Path:
    """Fetch a database into the first folder of the look-up order and return its folder.

    Records come with headers, signals and reference annotations; the environment variable ECTOPY_MIRROR names
    another address to get them from, laid out as https://physionet.org/files.

    progress : called with files done, files in all, and bytes received since the last call

    Raises
    ------
    RecordError
        If there is no database of that name.
    DownloadError
        If the server can't be reached, lacks a file, or sends wrong bytes.
    OutputError
        If the folder can't be written.
    """
    import requests
    from filelock import FileLock

    known = database(name)
    folder = roots(data_dir)[0] / known.name
    report = progress or (lambda done, total, received: None)
    with requests.Session() as session:
        # bytes as they are stored, so that a part can go on at its length
        session.headers.update({"Accept-Encoding": "identity", "User-Agent": "ectopy"})
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".lock"):
                _fetch_all(session, known, folder, report)
        except OSError as error:
            raise OutputError(
                f"{folder}: can't be written ({error.strerror}); free some space, or name another folder "
                "with --data-dir"
            ) from error
    return folder


def _fetch_all(session: Session, known: Database, folder: Path, report: Progress) -> None:
    mirror = os.environ.get("ECTOPY_MIRROR") or PHYSIONET
    address = f"{mirror.rstrip('/')}/{known.slug}/{known.version}"
    sums = _checksums(session, f"{address}/{CHECKSUMS}", folder / CHECKSUMS)
    prefix = f"{known.folder}/" if known.folder else ""
    wanted = _wanted({file.removeprefix(prefix): sha for file, sha in sums.items() if file.startswith(prefix)})
    if not wanted:
        raise DownloadError(f"{address}/{CHECKSUMS}: lists no record of {known.name}; check ECTOPY_MIRROR")
    for done, (file, sha256) in enumerate(wanted.items()):
        report(done, len(wanted), 0)
        if not _is_whole(folder / file, sha256):
            _fetch_one(
                session,
                f"{address}/{prefix}{file}",
                folder / file,
                sha256,
                partial(report, done, len(wanted)),
            )
    report(len(wanted), len(wanted), 0)


def _wanted(sums: dict[str, str]) -> dict[str, str]:
    """The files of records and the lists beside them, not the sources, pictures and old versions."""
    return {
        file: sums[file]
        for file in sorted(sums)
        if file in _LISTS or (file.endswith(_SUFFIXES) and "/" not in file and f"{Path(file).stem}.hea" in sums)
    }


def _checksums(session: Session, url: str, kept: Path) -> dict[str, str]:
    """SHA-256 of each file; the list is kept, as a published version never changes."""
    if not kept.is_file():
        part = kept.with_name(kept.name + ".part")
        part.unlink(missing_ok=True)  # nothing to check it by, so it never goes on
        _receive(session, url, part, lambda received: None)
        _parse(url, part)
        part.replace(kept)
    return _parse(str(kept), kept)


def _parse(name: str, path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [re.fullmatch(r"([0-9a-f]{64}) [ *]?(\S.*)", line) for line in lines if line.strip()]
    sums = {row[2]: row[1] for row in rows if row}
    if not sums or None in rows:
        path.unlink()
        raise DownloadError(f"{name}: no list of checksums; check ECTOPY_MIRROR and the network, and try again")
    return sums


def _is_whole(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _fetch_one(session: Session, url: str, path: Path, sha256: str, received: Callable[[int], None]) -> None:
    part = path.with_name(path.name + ".part")
    for fresh in (not part.exists(), True):  # an old part may be of something else: once more from nothing
        _receive(session, url, part, received)
        if _is_whole(part, sha256):
            part.replace(path)
            return
        part.unlink()
        if fresh:
            break
    raise DownloadError(f"{url}: wrong bytes (SHA-256 differs from {CHECKSUMS}); deleted them; try again later")


def _receive(session: Session, url: str, part: Path, received: Callable[[int], None]) -> None:
    """Let `part` grow to the whole of `url`, through breaks; as long as bytes come, it is not given up."""
    from requests import exceptions

    failures = 0
    while True:
        size = part.stat().st_size if part.exists() else 0
        pause = 0.5 * 2**failures
        try:
            with session.get(
                url, headers={"Range": f"bytes={size}-"} if size else {}, stream=True, timeout=_TIMEOUT_S
            ) as answer:
                if answer.status_code == 416:  # nothing beyond `size`: it is whole, or too long and found out
                    return
                if answer.status_code in _BUSY:
                    problem = f"the server answers {answer.status_code} {answer.reason}"
                    pause = max(pause, min(_seconds(answer.headers.get("Retry-After")), 30.0))
                elif not answer.ok:
                    raise DownloadError(
                        f"{url}: the server answers {answer.status_code} {answer.reason}; expected the file; "
                        "check ECTOPY_MIRROR if it is set, or try again later"
                    )
                else:
                    with part.open("ab" if answer.status_code == 206 else "wb") as file:
                        for block in answer.iter_content(1 << 16):
                            file.write(block)
                            received(len(block))
                    return
        except (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError) as error:
            problem = f"the connection failed ({type(error).__name__})"
            if part.exists() and part.stat().st_size > size:
                failures = 0
        except exceptions.RequestException as error:
            raise DownloadError(f"{url}: can't be fetched ({error}); check ECTOPY_MIRROR if it is set") from error
        failures += 1
        if failures == _TRIES:
            raise DownloadError(
                f"{url}: {problem}, {_TRIES} times; check the network and run the same command again, "
                "which goes on where this one stopped"
            )
        time.sleep(pause)


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdigit() else 0.0
