"""What a request brings, written to a folder as it comes; never wholly in memory."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from ectopy.errors import BusyError
from ectopy.formats import file_name
from ectopy.service.limits import MIB, AnalysisLimits, RefusedError, size

_SILENT_S = 60  # without a byte: nobody sends any more
_LONGEST_FIELD = 1024


async def body(request: Request, most: int) -> AsyncIterator[bytes]:
    """The bytes of a request as they come.

    Raises
    ------
    RefusedError
        If they are more than `most`, or stop coming.
    """
    announced = request.headers.get("content-length", "")
    too_large = RefusedError(f"body larger than {size(most)}; send it in parts", 413)
    if announced.isdecimal() and int(announced) > most:
        raise too_large
    stream, got = aiter(request.stream()), 0
    while True:
        try:
            async with asyncio.timeout(_SILENT_S):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise RefusedError(f"nothing came for {_SILENT_S} s; send it again", 408) from None
        except ClientDisconnect:
            raise RefusedError("the connection was closed before the end; send it again", 400) from None
        got += len(piece)
        if got > most:
            raise too_large
        yield piece


class Spool:
    """Pieces of files on their way to a folder, a MiB or so at once on another thread: a disk may be slow."""

    def __init__(self, folder: Path, spare: int):
        self._folder, self._spare = folder, spare
        self._pieces: list[tuple[str, bytes]] = []
        self._held = 0

    def add(self, name: str, piece: bytes) -> None:
        self._pieces.append((name, piece))
        self._held += len(piece)

    async def write(self, *, all_of_it: bool = False) -> None:
        """Raises BusyError if the disk is full, or would soon be."""
        if not (all_of_it or self._held >= MIB):
            return
        pieces, held = self._pieces, self._held
        self._pieces, self._held = [], 0
        try:
            await asyncio.to_thread(self._append, pieces, held)
        except OSError as error:
            reason = f"no room on the service's disk ({error.strerror or error}); try again later"
            raise BusyError(reason, retry_after_s=60, status=503) from None

    def _append(self, pieces: list[tuple[str, bytes]], held: int) -> None:
        if shutil.disk_usage(self._folder).free < held + self._spare:
            raise OSError(f"less than {size(self._spare)} are free")
        for name, run in groupby(pieces, key=itemgetter(0)):
            with (self._folder / name).open("ab") as file:
                file.writelines(piece for _, piece in run)


class Form:
    """A multipart body, taken apart as it comes: files go to the spool, the name of a model is kept.

    boundary : as the content type names it

    Raises
    ------
    RefusedError
        If no form can have such a boundary.
    """

    def __init__(self, boundary: bytes, spool: Spool, limits: AnalysisLimits):
        self._model: bytes | None = None
        self.files: set[str] = set()
        self._spool, self._limits = spool, limits
        self._header: tuple[list[bytes], list[bytes]] = ([], [])  # pieces of its name and value
        self._disposition = b""
        self._put: Callable[[bytes], None] = self._nowhere
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_header_field": lambda data, start, end: self._header[0].append(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].append(data[start:end]),
                    "on_header_end": self._on_header,
                    "on_headers_finished": self._on_part,
                    "on_part_data": lambda data, start, end: self._put(data[start:end]),
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:  # its boundary is too long
            raise _no_form(error) from None

    @property
    def model(self) -> str | None:
        """The model asked for."""
        return None if self._model is None else self._model.decode(errors="replace")

    def feed(self, piece: bytes) -> None:
        """Raises RefusedError if this is no form, or one of other parts than expected."""
        try:
            self._parser.write(piece)
        except MultipartParseError as error:
            raise _no_form(error) from None

    def close(self) -> None:
        """Raises RefusedError if it was cut, or holds no file."""
        if not self._ended:
            raise RefusedError("the form ends before its last boundary; send it again", 400)
        if not self.files:
            raise RefusedError("no file in the form; expected parts called 'file', each with a file name", 422)

    def _nowhere(self, piece: bytes) -> None:
        raise RefusedError("a part without headers; expected parts called 'file', each with a file name", 400)

    def _on_header(self) -> None:
        name, value = map(b"".join, self._header)
        self._header = ([], [])
        if name.lower() == b"content-disposition":
            self._disposition = value

    def _on_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._disposition = b""
        name, given = options.get(b"name", b"").decode(errors="replace"), options.get(b"filename")
        if given is None:
            self._put = self._field(name)
        elif name != "file":
            raise RefusedError(f"a part called {name[:64]!r}; expected files as parts called 'file'", 422)
        else:
            self._put = self._file(file_name(given.decode(errors="replace")))

    def _field(self, name: str) -> Callable[[bytes], None]:
        if name != "model" or self._model is not None:
            raise RefusedError(f"a field called {name[:64]!r}; expected files and, once, 'model'", 422)
        self._model = b""

        def put(piece: bytes) -> None:
            self._model = (self._model or b"") + piece
            if len(self._model) > _LONGEST_FIELD:
                raise RefusedError(f"field 'model' is longer than {_LONGEST_FIELD} bytes; expected a name", 413)

        return put

    def _file(self, name: str) -> Callable[[bytes], None]:
        if name in self.files:
            raise RefusedError(f"two files are called {name}; expected the files of one record", 422)
        self.files.add(name)
        if len(self.files) > self._limits.members:
            raise RefusedError(f"more than {self._limits.members} files; expected those of one record", 413)
        self._spool.add(name, b"")  # an empty file is one, too

        return lambda piece: self._spool.add(name, piece)

    def _on_end(self) -> None:
        self._ended = True


def _no_form(error: FormParserError) -> RefusedError:
    return RefusedError(f"no multipart form ({error}); send files as curl -F file=@100.hea does", 400)
