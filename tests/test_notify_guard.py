"""No notification reaches the inside network, unless its host is allowed."""

import socket
import subprocess
import threading

import pytest
import requests
from tests.sinks import HttpSink, alone, message, target

from ectopy.errors import SettingsError
from ectopy.service.notify import (
    Guard,
    NotifyError,
)
from ectopy.service.notify.guard import is_outside


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    alone(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0",
        "fd00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "localhost", "127.1", "0x7f000001", "2130706433", "example.org",
    ],
)  # fmt: skip
def test_inside_addresses_and_names_are_not_outside(host):
    assert not is_outside(host)


@pytest.mark.parametrize("host", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "::ffff:1.1.1.1"])
def test_public_addresses_are_outside(host):
    assert is_outside(host)


@pytest.mark.parametrize("scheme", ["json", "mailto"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "10.1.2.3"])
def test_an_address_that_is_plainly_inside_is_refused_at_the_start(scheme, host):
    with pytest.raises(SettingsError, match=f"{host} is on the inside network; allow it with notify_inside"):
        target(f"{scheme}://u:secretly@{host}:8025/?to=a@example.org&from=b@example.org", "other.example:8025")


@pytest.mark.parametrize("scheme", ["json", "mailto"])
def test_a_name_that_resolves_to_the_inside_is_refused_when_it_connects(scheme, monkeypatch):
    with HttpSink() as sink:
        to = target(f"{scheme}://hooks.example.org:{sink.port}/?to=a@example.org&from=b@example.org")
        resolve_to(monkeypatch, "127.0.0.1")
        with pytest.raises(NotifyError, match=r"127\.0\.0\.1 port \d+ is on the inside network"):
            to.send(message(to))
    assert not sink.requests


def test_an_allowed_host_opens_the_inside_to_no_other_name(monkeypatch):
    with HttpSink() as sink:
        to = target(f"json://hooks.example.org:{sink.port}/", sink.place, "localhost")
        resolve_to(monkeypatch, "127.0.0.1")
        with pytest.raises(NotifyError, match="inside network"):
            to.send(message(to))
    assert not sink.requests


def test_an_allowed_name_is_reached_wherever_it_is():
    with HttpSink() as sink:
        to = target(f"json://localhost:{sink.port}/", "localhost")
        to.send(message(to))
    assert len(sink.posts) == 1


def test_another_port_of_an_allowed_host_is_not_allowed():
    with HttpSink() as sink, HttpSink() as other:
        fetch(f"http://{sink.place}/", Guard([sink.place]))
        with pytest.raises(NotifyError, match="inside network"):
            fetch(f"http://{other.place}/", Guard([sink.place]))
    assert (len(sink.requests), len(other.requests)) == (1, 0)


@pytest.mark.parametrize("wanted", ["", "?redirect=yes"])
def test_a_redirect_is_not_followed(wanted):
    with HttpSink() as other, HttpSink(307, location=f"http://{other.place}/") as sink:
        to = target(f"json://{sink.place}/{wanted}", sink.place, other.place)
        with pytest.raises(NotifyError, match="307"):
            to.send(message(to))
    assert len(sink.requests) == 1
    assert not other.requests


def test_a_redirect_that_were_followed_could_not_leave_what_is_allowed():
    with HttpSink() as other, HttpSink(302, location=f"http://{other.place}/") as sink:
        guard = Guard([sink.place])
        with pytest.raises(NotifyError, match="inside network"):
            fetch(f"http://{sink.place}/", guard)
    assert (len(sink.requests), len(other.requests)) == (1, 0)


def test_a_proxy_from_the_environment_has_to_be_allowed_as_well(monkeypatch):
    with HttpSink() as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.place}")
        to = target("json://93.184.216.34/")
        with pytest.raises(NotifyError, match="inside network"):
            to.send(message(to))
        assert not proxy.requests
        to = target("json://93.184.216.34/", proxy.place)
        to.send(message(to))
    assert proxy.requests == ["POST http://93.184.216.34/"]


def test_nothing_but_connections_over_ip_leaves_a_send(tmp_path):
    with socket.socket(socket.AF_UNIX) as local, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        with Guard().watching() as watch:
            with pytest.raises(PermissionError, match="over IP only"):
                local.connect(str(tmp_path / "socket"))
            with pytest.raises(PermissionError, match=r"may not do this: socket\.sendto"):
                datagram.sendto(b"x", ("1.1.1.1", 53))
            with pytest.raises(PermissionError, match="may not do this: subprocess"):
                subprocess.Popen(["true"])
        assert watch.refused


def test_the_guard_watches_only_the_thread_that_sends():
    seen: list[int] = []

    def unwatched() -> None:
        go.wait(5)
        seen.append(requests.get(f"http://{sink.place}/", timeout=5).status_code)

    with HttpSink() as sink:
        go = threading.Event()
        thread = threading.Thread(target=unwatched)
        thread.start()
        with Guard().watching():
            go.set()
            thread.join()
        unwatched()
    assert seen == [200, 200]


def fetch(url: str, guard: Guard) -> None:
    """As a sender would that follows redirects."""
    with guard.watching():
        assert requests.get(url, timeout=5).status_code == 200


def resolve_to(monkeypatch, address: str) -> None:
    """Have every name resolve to an address, as whoever owns a name may do at any moment."""

    def answer(host, port, *_args, **_kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port)))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
