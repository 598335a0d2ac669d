"""No notification reaches the inside network, unless the operator has allowed its host.

What counts is the address about to be connected to, when it is: Python tells its audit hooks. So neither a name that
resolves to another address the second time, nor a redirect, nor a proxy from the environment gets around it. A host
in `notify_inside` opens the addresses that it has just then, and only to a send that asked for it by that name; a proxy
allowed there decides by itself what it fetches. The hook is idle in all threads but those that send.

It sees each connection, so it ends those of a send that takes too long: the timeouts of a sender hold for one step, and
an answer that trickles in has no end of them.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from ectopy.errors import EctopyError

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_6TO4 = IPv6Network("2002::/16")
_LONGEST_S = 30.0  # of one send
# What no sender on the list does, and would go on out of sight. (Of threads, Python tells from 3.12 on.)
_NEVER = frozenset(
    {
        "socket.sendto", "socket.sendmsg", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.fork",
        "os.forkpty", "os.posix_spawn", "os.spawn", "_thread.start_new_thread", "_thread.start_joinable_thread",
    }
)  # fmt: skip

_here = threading.local()
_lock = threading.Lock()
_hooked = False


class NotifyError(EctopyError):
    """A notification that didn't get through, or may not."""

    status = 502


class Guard:
    """inside : hosts, each with or without a port, that may be reached though they are inside."""

    def __init__(self, inside: Sequence[str] = ()):
        self._inside = frozenset(host_port(entry) for entry in inside)

    def allows(self, host: str, port: int | None) -> bool:
        """Whether a host may be reached by this name though it is inside."""
        name = host.lower().rstrip(".")
        return (name, None) in self._inside or (name, port) in self._inside

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """Within it, this thread connects to nothing that isn't allowed, nor, but for the look-up of a name, for longer
        than 30 s in all: whoever tries finds a connection that fails.

        Raises
        ------
        NotifyError
            Instead of what came of it. `Watch.refused` says so too, in case that they kept it to themselves.
        """
        _hook_once()
        watch = Watch(self)
        late = threading.Timer(_LONGEST_S, watch.give_up)
        late.daemon = True
        late.start()
        _here.watch = watch
        try:
            yield watch
        except Exception:
            if reason := watch.refused or watch.given_up:
                raise NotifyError(reason) from None
            raise
        finally:
            _here.watch = None
            late.cancel()
            watch.close()
        if watch.given_up:  # what it read until then may look like a whole answer
            raise NotifyError(watch.given_up)


class Watch:
    """One send: what it asked for by name, and what it was refused."""

    def __init__(self, guard: Guard):
        self.refused: str | None = None
        self.given_up: str | None = None
        self._guard = guard
        self._open: set[tuple[str, int]] = set()
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []  # a handle of its own on each: TLS takes theirs away

    def give_up(self) -> None:
        """It has taken too long: from another thread, have its connections end, and none be made any more."""
        with self._lock:
            self.given_up = f"no answer, or none that ends, within {_LONGEST_S:g} s"
            for connection in self._connections:
                with suppress(OSError):  # it may have ended
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def told(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            self._looking_up(args[0], args[1])
        elif event == "socket.connect":
            self._connecting(args[0], args[1])
        elif event in _NEVER:
            self._refuse(f"a notification may not do this: {event}")

    def _looking_up(self, host: object, port: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        number = int(port) if isinstance(port, int | str) and str(port).isdigit() else None
        if not isinstance(name, str) or number is None or not self._guard.allows(name, number):
            return
        _here.watch = None  # the look-up below tells the hook as well
        try:
            found = socket.getaddrinfo(name, number, type=socket.SOCK_STREAM)
        except OSError:
            found = []  # whoever asked will hear of it
        finally:
            _here.watch = self
        self._open |= {(str(place[0]), number) for *_, place in found}

    def _connecting(self, sock: socket.socket, place: Any) -> None:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            self._refuse("a notification goes over IP only")
        host, port = place[0], place[1]
        if (host, port) not in self._open and not is_outside(host):
            self._refuse(f"{host} port {port} is on the inside network; if it shall be told, add it to notify_inside")
        with self._lock:
            if self.given_up:
                self._refuse(self.given_up)
            self._connections.append(sock.dup())

    def _refuse(self, reason: str) -> None:
        self.refused = reason
        raise PermissionError(reason)  # an OSError, as other connections that fail: then sockets are closed as well


def is_outside(host: str) -> bool:
    """Whether an address is one of the public internet; a name is none."""
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = IPv4Address(int(address) & 0xFFFF_FFFF)
        elif address in _6TO4 or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def host_port(entry: str) -> tuple[str, int | None]:
    """An entry of `notify_inside`, taken apart.

    Raises
    ------
    ValueError
        If it is none.
    """
    parts = urlsplit(f"//{entry.strip()}")
    rest = parts.path + parts.query + parts.fragment
    bare = entry.count(":") > 1 and "[" not in entry  # an IPv6 address has to stand in brackets
    if not parts.hostname or rest or parts.username is not None or bare:
        raise ValueError("expected a host or host:port, as mail.example.org or 10.0.0.5:25 or [fd00::5]:25")
    return parts.hostname.rstrip("."), parts.port


def _hook_once() -> None:
    global _hooked
    with _lock:
        if not _hooked:
            sys.addaudithook(_hook)  # for the rest of the process: there is no taking it off
            _hooked = True


def _hook(event: str, args: tuple[Any, ...]) -> None:
    watch = getattr(_here, "watch", None)
    if watch is not None:
        watch.told(event, args)
