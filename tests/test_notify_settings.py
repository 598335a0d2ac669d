"""Settings of notifications: what can't be is told at the start, and no password is ever shown."""

import logging
import re
import subprocess
import sys

import pytest
from tests.sinks import HttpSink, alone, message, target, until

from ectopy.errors import SettingsError
from ectopy.service.notify import (
    Address,
    DeadMan,
    Guard,
    MemoryOutbox,
    Notifier,
    Targets,
    notifier,
)
from ectopy.service.settings import load_settings


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    alone(monkeypatch, tmp_path)


@pytest.fixture
def _quick(monkeypatch):
    monkeypatch.setattr(notifier, "_FIRST_S", 0.05)


def test_secrets_are_in_no_log_and_in_no_reason(caplog, _quick):
    caplog.set_level(logging.DEBUG)
    secrets = ["hemmelig", "T0KEN-in-path", "tok%2Fquery", "tok/query"]
    with HttpSink(*[500] * 3) as sink:
        to = target(f"json://nurse:hemmelig@{sink.place}/T0KEN-in-path?+X-Auth=tok%2Fquery", sink.place)
        outbox = MemoryOutbox()
        outbox.add(message(to))
        sender = Notifier(outbox, [to])
        sender.start()
        until(lambda: sink.posts)
        sender.close()
        dead_man = DeadMan(Address(f"http://127.0.0.1:9/{secrets[1]}"), Guard(["127.0.0.1"]), lambda: True)
        dead_man.start()
        until(lambda: "can't be pinged" in caplog.text)
        dead_man.close()
    assert "can't be told" in caplog.text
    assert not [secret for secret in secrets if secret in caplog.text + str(to) + repr(to) + to.name]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mailto://me:secret@mail.example.org:587/?to=x@y.example", "mailto://mail.example.org:587/..."),
        ("json://me:se/cret@hooks.example.org/", "json://..."),
        ("slack://T0KEN/B/C", "slack://..."),
        ("ntfy://topic", "ntfy://..."),
        ("secret", "(an address without a scheme)"),
    ],
)
def test_an_address_shows_no_more_than_its_host(url, shown):
    assert (str(Address(url)), repr([Address(url)])) == (shown, f"[{shown}]")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NOTIFY", "file:///etc/passwd", r"notify = file://\.\.\.: expected one of discord, form, .* notify_schemes"),
        ("NOTIFY", "json:geheim", "notify = .an address without a scheme.: expected one of"),
        ("NOTIFY_ESCALATED", "syslog://geheim", "notify_escalated = syslog://"),
        ("HOST", "http://u:it's-geheim@example.org", 'host = "http://..."'),
        ("NOTIFY", " ".join(f"json://u:it's-geheim@h{n}.example" for n in range(17)), "^notify = ...: .*at most 16"),
        ("NOTIFY", " ".join(["geheim"] * 17), "^notify = ...: .*at most 16"),
        ("NOTIFY_INSIDE", "http://10.0.0.5/", "expected a host or host:port"),
        ("NOTIFY_INSIDE", "fd00::5", "expected a host or host:port"),
        ("DEAD_MAN", "ftp://geheim@example.org", "dead_man = .*expected http:// or https://"),
        ("HOST", "http://u:geheim@example.org", "host = 'http://...'"),
        ("NOTFY", "json://geheim.example.org", "^ECTOPY_SERVICE_NOTFY: no such setting"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_a_line_without_secrets(name, value, said, monkeypatch):
    monkeypatch.setenv(f"ECTOPY_SERVICE_{name}", value)
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings()
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("json://", "Apprise can't use it"),
        ("slack://geheim", "Apprise can't use it"),
        ("mailto://u:geheim@example.org/?to=a@x.example,b@x.example", "several recipients"),
        ("mailto://u:geheim@example.org/?to=a@x.example&cc=b@x.example", "several recipients"),
    ],
)
def test_a_target_that_cannot_be_is_told_at_the_start(url, said):
    with pytest.raises(SettingsError, match=said) as caught:
        Targets.of(load_settings(notify=[url]))
    assert "geheim" not in str(caught.value)


def test_settings_name_the_targets_of_each_level(monkeypatch, tmp_path):
    (tmp_path / "ectopy.toml").write_text('notify = ["json://a.example.org", "json://b.example.org"]\n')
    targets = Targets.of(load_settings())
    assert targets.at(1) == targets.at(2) == targets.all
    monkeypatch.setenv("ECTOPY_SERVICE_NOTIFY_ESCALATED", "json://b.example.org json://c.example.org")
    targets = Targets.of(load_settings())
    assert list(map(str, targets.at(2))) == ["json://b.example.org/...", "json://c.example.org/..."]
    assert len(targets.all) == 3
    assert targets.at(1)[0].name == Address("json://a.example.org").name


def test_ectopy_toml_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "ectopy.toml").write_text("port = 8701\n", encoding="utf-8-sig")
    assert load_settings().port == 8701


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_the_service_listens_on_no_address_that_others_reach(host, tmp_path):
    command = [sys.executable, "-m", "ectopy", "serve", "--host", host, "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2
    assert re.search(r"^ectopy: host = .*: only loopback addresses for now", done.stderr, re.MULTILINE)


def test_ectopy_config_shows_no_password(tmp_path):
    (tmp_path / "ectopy.toml").write_text(
        'notify = ["mailto://me:geheim@mail.example.org"]\ndead_man = "https://ping.example.org/geheim"\n'
    )
    shown = subprocess.run([sys.executable, "-m", "ectopy", "config"], capture_output=True, text=True, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "notify = [mailto://mail.example.org/...]  (set)" in shown.stdout
    assert "geheim" not in shown.stdout + shown.stderr


def test_apprise_is_not_imported_before_there_is_a_target():
    check = (
        "import sys; from ectopy.service.notify import Targets; from ectopy.service.settings import load_settings;"
        "Targets.of(load_settings()); sys.exit('apprise' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
