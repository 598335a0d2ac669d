"""The monitor as people meet it: a real service, real pages, a real browser."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.browsing import DESK, PHONE, WALL, Viewer, chromium

from ectopy.monitor import monitoring

NAME = "Sister Ruth"
PAINTED = """(wall, id) => {
    const { canvas } = wall.tiles.get(id);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, at) => (sum * 31 + value) % 1000003, 7);
}"""
# Of each verdict's band, where it is on the canvas: the verdict's start, the colour, and the colours that there are.
TURN = (
    "Object.defineProperty(document, 'hidden', {{ get: () => {}, configurable: true }});"
    " document.dispatchEvent(new Event('visibilitychange'))"
)
BANDS = """(wall) => {
    const { sweep } = wall.tiles.get("demo");
    const ctx = sweep.canvas.getContext("2d");
    const hex = ([r, g, b]) => "#" + [r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("");
    const row = Math.round((sweep.height - 3) * sweep.ratio);
    return sweep.memory.verdicts.flatMap(({ start_s, start_sample, end_sample }) =>
        [start_sample + 20, (start_sample + end_sample) / 2, end_sample - 20]
            .map((sample) => sweep.columnOf(sample))
            .filter((x) => x !== null)
            .map((x) => hex(ctx.getImageData(Math.round(x * sweep.ratio), row, 1, 1).data))
            .map((colour) => [start_s, colour, sweep.palette.bands]));
}"""


class Ward:
    """A service that can be killed, and a monitor of it."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.service = f"http://127.0.0.1:{self.port}"
        self.pages = ""
        self.start()

    def start(self) -> None:
        data = str(self.folder / "data")
        command = [sys.executable, "-m", "ectopy", "serve", "--port", str(self.port), "--data", data]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(command, stderr=log, cwd=self.folder)
        for _ in range(600):
            try:
                if httpx.get(f"{self.service}/readyz").is_success:
                    return
            except httpx.TransportError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(30)

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.service}{path}").raise_for_status().json()

    def post(self, path: str, body: object) -> Any:
        return httpx.post(f"{self.service}{path}", json=body).raise_for_status().json()


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    ward = Ward(tmp_path_factory.mktemp("ward"))
    try:
        with monitoring(ward.service) as running:
            ward.pages = running.url
            yield ward
    finally:
        ward.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def viewer(ward: Ward) -> Iterator[Viewer]:
    """Somebody at a desk, from the empty ward on: the tests below are one sitting, in this order."""
    with chromium() as browser:
        viewer = Viewer(browser, ward.pages)
        viewer.page.evaluate("window.neverReloaded = true")
        yield viewer


def test_an_empty_ward_offers_the_recording_and_a_button_plays_it(ward, viewer):
    assert viewer.page.is_visible(".empty .play")
    assert "not a medical device" in viewer.page.inner_text(".foot")
    viewer.enter(NAME)
    viewer.wall("(wall) => { wall.first = true; }")
    viewer.page.click(".play")
    viewer.until("(wall) => wall.tiles.get('demo')?.feed.state === 'live'", 20)
    change = {"tachycardia": {"priority": "high", "on_s": 0}}
    httpx.put(f"{ward.service}/v1/streams/demo/rules", json={"author": NAME, "changes": change}).raise_for_status()


def test_the_trace_moves_evenly_behind_what_comes(viewer):
    viewer.until("(wall) => wall.tiles.get('demo').feed.playout.head > 720", 20)
    painted = []
    for _ in range(3):
        painted.append(viewer.wall(f"(wall) => ({PAINTED})(wall, 'demo')"))
        time.sleep(0.3)
    assert len(set(painted)) == 3
    waits = "(wall) => { const { feed } = wall.tiles.get('demo'); return feed.memory.end - feed.playout.head; }"
    behind_s = [viewer.wall(waits) / 360 for _ in range(10)]
    assert min(behind_s) > 0.8 and max(behind_s) < 1.8


def test_missing_samples_are_a_gap_and_never_zero(ward, viewer):
    form = {"fs": 250, "leads": ["I", "II"], "kind": "int16", "gain": 200, "offset": 5, "label": "With a gap"}
    samples: list[list[float | None]] = [[0.5, 0.5] for _ in range(1000)]
    samples[300:500] = [[None, None]] * 200
    samples[600:700] = [[None, 0.5]] * 100
    epoch = ward.post("/v1/streams/gappy/epochs", form)["epoch"]
    ward.post("/v1/streams/gappy/samples", {"epoch": epoch, "first": 0, "samples": samples})
    ward.post("/v1/streams/gappy/end", {"epoch": epoch, "n": 1000})
    viewer.until("(wall) => wall.tiles.get('gappy')?.feed.memory?.end === 1000", 10)
    at = "(i) => [0, 1].map((lead) => tiles.get('gappy').feed.memory.at(lead, i))"
    seen = np.array(viewer.wall(f"({{ tiles }}) => [299, 300, 499, 500, 650].map({at})"), float)
    assert np.isnan(seen[1:3]).all() and np.isnan(seen[4, 0])
    assert np.allclose(seen[[0, 3]], 0.5) and seen[4, 1] == pytest.approx(0.5)
    viewer.until("(wall) => wall.tiles.get('gappy').feed.state === 'ended'", 10)


def test_an_alarm_is_on_the_screen_within_a_second_and_heard(ward, viewer):
    for _ in range(300):
        if found := ward.get("/v1/alarms?stream=demo")["items"]:
            break
        time.sleep(0.1)
    viewer.page.wait_for_selector(f".alarm[data-alarm='{found[0]['id']}']", timeout=1000)
    assert found[0]["reason"] in viewer.page.inner_text(".alarm.high")
    assert "tachycardia" in viewer.page.inner_text("[data-stream=demo] .tile-alarm")
    hidden = "(wall) => { const { alarm } = wall.tiles.get('demo'); wall.layout(); return alarm.hidden; }"
    assert not viewer.wall(hidden)  # at once, and not with the next verdict
    viewer.until("(wall) => wall.sound.armed && wall.sound.bursts > 0", 3)
    assert viewer.page.title().startswith("(1 high)")


def test_intervals_are_marked_as_the_api_gives_them(ward, viewer):
    viewer.until("(wall) => wall.tiles.get('demo').feed.memory.verdicts.length >= 4", 30)
    time.sleep(0.2)
    said = {verdict["start_s"]: verdict["verdict"] for verdict in ward.get("/v1/streams/demo/verdicts")["items"]}
    marked = viewer.wall(BANDS)
    assert marked
    for start_s, colour, bands in marked:
        assert colour == bands[said[start_s]][0], start_s
    assert "abnormal" in said.values()


def test_the_browser_notifies_of_a_new_alarm_where_nobody_sees_the_page(ward, viewer):
    (alarm,) = [one for one in ward.get("/v1/alarms")["items"] if one["priority"] == "high"]
    viewer.page.click(".settings-button")
    assert "Off until you allow them" in viewer.page.inner_text(".notes")
    viewer.page.context.grant_permissions(["notifications"])
    viewer.page.evaluate(
        "() => { window.shown = []; window.Notification = class { static permission = 'granted';"
        " constructor(title, { body, tag }) { window.shown.push([title, body, tag]); } }; }"
    )
    viewer.page.keyboard.press("Escape")
    viewer.page.evaluate(TURN.format("true"))
    viewer.wall("(wall) => (wall.alarms.open.clear(), wall.alarms.changed(), wall.alarms.look())")  # it comes anew
    shown = viewer.page.evaluate("window.shown")
    assert [f"HIGH: {alarm['code']}", f"demo: {alarm['reason']}", f"ectopy {alarm['id']}"] in shown
    viewer.page.evaluate(TURN.format("false"))
    viewer.page.click(".settings-button")
    assert "on, for alarms of high and medium priority" in viewer.page.inner_text(".notes")
    viewer.page.keyboard.press("Escape")


def test_an_alarm_is_acknowledged_by_one_key_and_its_strip_shown_by_one_click(ward, viewer):
    (alarm,) = [one for one in ward.get("/v1/alarms")["items"] if one["priority"] == "high"]
    viewer.page.click(f"[data-alarm='{alarm['id']}'] >> text=Show strip")
    viewer.page.wait_for_selector("dialog.full[open] canvas")
    assert "tachycardia" in viewer.page.inner_text("dialog.full h2")
    mark = viewer.wall("(wall) => wall.full.mark")
    assert 5 < mark < 20
    viewer.page.click("dialog.full [data-do=calipers]")
    assert "calipers" in viewer.page.inner_text(".reading")
    viewer.page.keyboard.press("Escape")
    viewer.page.keyboard.press("a")
    viewer.page.wait_for_selector(f"[data-alarm='{alarm['id']}'].seen")
    assert ward.get(f"/v1/alarms/{alarm['id']}")["acknowledged_by"] == NAME


def test_audio_is_paused_with_a_reason_and_goes_on(ward, viewer):
    viewer.page.click(".pause-button")
    viewer.page.fill(".pausing [name=reason]", "washing")
    viewer.page.click(".pausing button.primary")
    viewer.page.wait_for_selector(".pause")
    (pause,) = ward.get("/v1/pauses")
    assert (pause["what"], pause["author"], pause["reason"]) == ("audio", NAME, "washing")
    viewer.page.click(".pause button")
    viewer.page.wait_for_selector(".pause", state="detached")
    assert ward.get("/v1/pauses") == []


def test_a_stream_is_seen_in_full_and_frozen(viewer):
    viewer.page.click("[data-stream=demo] .title")
    viewer.page.wait_for_selector("dialog.full tbody tr")
    viewer.page.click("[data-do=freeze]")
    before = viewer.wall("(wall) => wall.full.from")
    viewer.page.click("[data-do=earlier]")
    viewer.page.click("[data-do=faster]")
    assert viewer.wall("(wall) => wall.full.from") < before
    assert "50 mm/s" in viewer.page.inner_text(".reading")


def test_a_beat_is_shown_over_what_the_autoencoder_makes_of_it(viewer):
    viewer.page.wait_for_selector("dialog.full[open] tbody tr")
    viewer.page.click("dialog.full tbody tr:last-child button")
    viewer.page.wait_for_selector("dialog.full .rebuilt canvas[aria-label*=anomaly]")
    assert "autoencoder-adaptive" in viewer.page.inner_text(".rebuilt figcaption")
    inked = "(canvas) => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert viewer.page.eval_on_selector(".rebuilt canvas", inked) > 20
    viewer.page.click("[data-do=close]")


def test_a_hidden_tab_says_that_it_is_no_alarm_channel_and_is_no_viewer(viewer):
    viewer.page.evaluate(TURN.format("true"))
    assert viewer.page.title().startswith("Not watched")
    beats = viewer.heartbeats
    assert beats
    viewer.page.evaluate(TURN.format("false"))
    assert "no alarm channel" in viewer.page.inner_text(".banners")
    viewer.until("(wall) => !document.title.startsWith('Not watched')", 2)
    assert viewer.heartbeats == beats + 1


@pytest.mark.parametrize(("size", "dark"), [(DESK, False), (DESK, True), (PHONE, False), (PHONE, True)])
def test_pages_are_accessible_and_fit(ward, viewer, size, dark):
    other = Viewer(viewer.page.context.browser, ward.pages, size, dark)
    try:
        _looks_right(other, asks=True)
        other.enter(NAME)
        other.until("(wall) => wall.tiles.get('demo')?.feed.verdict", 15)
        _looks_right(other)
        other.page.click("[data-stream=demo] .title")
        other.page.click("dialog.full tbody tr button")
        other.page.wait_for_selector("dialog.full .rebuilt canvas[aria-label*=anomaly]")
        _looks_right(other)
        other.page.keyboard.press("Escape")
        other.page.click(".pause-button")
        _looks_right(other)
        assert other.outside == []
        assert other.said == []
    finally:
        other.close()


def _looks_right(viewer, asks=False):
    assert viewer.page.is_visible(".who") == asks
    found = Axe().run(viewer.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in serious]
    width = viewer.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]


def test_a_phone_can_put_it_on_its_home_screen(ward, viewer):
    other = Viewer(viewer.page.context.browser, ward.pages, PHONE)
    session = other.page.context.new_cdp_session(other.page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["url"].endswith("/app/static/manifest.json") and manifest["errors"] == []
    told = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in told if one["errorId"] != "in-incognito"] == []  # as each test's context is
    start = json.loads(manifest["data"])["start_url"]
    other.page.goto(ward.pages + start)
    other.page.wait_for_selector(WALL)
    assert not other.page.is_visible("text=Page not found")
    assert other.said == []
    other.close()


def test_the_newest_alarm_is_there_however_many_are_open(viewer):
    many = [
        {"id": number, "change": number, "presence": "latched", "acknowledged": True, "priority": "low"}
        for number in range(100_000, 101_500)
    ]
    page = (
        "(wall) => { wall.asked = wall.alarms.service.get; wall.alarms.service.get = async (path) => {"
        " const all = " + json.dumps(many) + "; const q = new URLSearchParams(path.split('?')[1]);"
        " if (!path.startsWith('/v1/alarms?')) return wall.asked.call(wall.alarms.service, path);"
        " const items = all.filter(({ id }) => id > q.get('after')).slice(0, q.get('limit'));"
        " return { items, next: items.length == q.get('limit') ? items.at(-1).id : null }; }; }"
    )
    viewer.wall(page)
    assert viewer.wall("(wall) => wall.alarms._all().then((all) => [all.length, all.at(-1).id])") == [1500, 101_499]
    viewer.wall("(wall) => { wall.alarms.service.get = wall.asked; }")


def test_one_name_goes_from_page_to_page(ward, viewer):
    other = Viewer(viewer.page.context.browser, ward.pages)
    other.enter("Li")
    other.page.click("a:has-text('Models')")
    field = other.page.get_by_label("Your name")
    field.wait_for()
    assert field.input_value() == "Li"
    field.fill("Ada")
    field.press("Enter")
    other.page.click("button:has-text('As the service is set')")
    other.page.wait_for_selector("td:has-text('as the service is set (chosen by Ada)')")
    assert "Ada" in [one["chosen"] and one["chosen"]["author"] for one in ward.get("/v1/streams")]
    other.page.click("a:has-text('Live')")
    other.page.wait_for_selector(".name:has-text('At the desk: Ada')")
    for name in ("Ada", "Grace"):
        other.page.click("a:has-text('Models')")
        field.wait_for()
        assert field.input_value() == name  # the newest, wherever it was given
        other.page.click("a:has-text('Live')")
        other.page.click(".name")
        other.enter("Grace")
    assert other.said == []
    other.close()


def test_a_killed_service_greys_the_trace_and_it_goes_on_without_a_reload(ward, viewer):
    assert viewer.outside == []
    assert viewer.said == []
    ward.end(signal.SIGKILL)
    viewer.until("(wall) => wall.tiles.get('demo').element.dataset.state === 'disconnected'", 3)
    look = "(wall) => getComputedStyle(wall.tiles.get('demo').canvas).filter + wall.tiles.get('demo').away.textContent"
    assert viewer.page.inner_text("[data-stream=demo] .beats") == "--"
    assert "grayscale(1)" in viewer.wall(look) and "disconnected since" in viewer.wall(look)
    viewer.until("(wall) => document.title.startsWith('disconnected')", 4)
    ward.start()
    viewer.until("(wall) => wall.tiles.get('demo').feed.state === 'live' && !wall.tiles.get('demo').feed.ended", 10)
    head = viewer.wall("(wall) => wall.tiles.get('demo').feed.playout.head")
    viewer.until(f"(wall) => wall.tiles.get('demo').feed.playout.head > {head} + 360", 5)
    viewer.until("(wall) => wall.alarms.connected && wall.reached", 5)
    assert viewer.page.evaluate("window.neverReloaded") and viewer.wall("(wall) => wall.first")


def test_without_a_service_or_a_free_port_a_line_says_so(ward):
    def monitor(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ectopy", "monitor", *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ)

    nowhere = monitor("--to", "http://127.0.0.1:9", "--port", "0")
    assert nowhere.returncode == 2 and "no service there" in nowhere.stderr
    taken = monitor("--to", ward.service, "--port", ward.pages.rpartition(":")[2])
    assert taken.returncode == 2 and "name another" in taken.stderr


def test_the_pages_end_with_the_command(ward):
    command = [sys.executable, "-m", "ectopy", "monitor", "--to", ward.service, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        line = next(line for line in process.stderr if "runs at" in line)
        url = line.partition("runs at ")[2].partition(";")[0]
        assert httpx.get(url).is_success
        process.terminate()
    assert process.returncode == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(url)
