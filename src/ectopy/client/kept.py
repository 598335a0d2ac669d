"""What a writer keeps until the service has it."""

from __future__ import annotations


class Kept:
    """The end of a signal, in stored form: from sample `first` to `end`, at most `most` samples.

    width : bytes of a sample
    """

    def __init__(self, width: int, most: int):
        self._width = width
        self._most = most
        self._stored = bytearray()
        self.first = 0

    @property
    def end(self) -> int:
        return self.first + len(self._stored) // self._width

    def add(self, stored: bytes) -> None:
        """At the end; what is over the most goes at the beginning."""
        self._stored += stored
        self.forget(self.end - self._most)

    def take(self, first: int, n: int) -> bytes:
        at = (first - self.first) * self._width
        return bytes(self._stored[at : at + n * self._width])

    def forget(self, upto: int) -> None:
        """All before sample `upto`."""
        n = min(max(upto, self.first), self.end) - self.first
        del self._stored[: n * self._width]
        self.first += n
