"""The pages beside Live as people meet them: a real service, a real monitor, a real browser."""

import asyncio
import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest
import wfdb
from axe_playwright_python.sync_playwright import Axe
from tests.browsing import DESK, PHONE, Viewer, chromium
from tests.serving import serving
from tests.sinks import until

import ectopy
from ectopy.client import Client
from ectopy.monitor import monitoring
from ectopy.wire import EpochRequest

NAME = "Sister Ruth"
FORM = EpochRequest(fs=360, leads=["II"], gain=200, label="Bed 1")
STRIP = "[role=region][aria-label^='Strip of 10 s']"
STREAMLIT_S_OWN = "the server responded with a status of 404"  # it asks for its paths below a page's, first


async def play(service: str, samples: np.ndarray) -> None:
    """As a device would, from beginning to end."""
    async with Client(service) as client, client.writer("bed-1", FORM) as writer:
        for first in range(0, len(samples), 720):
            await writer.send(samples[first : first + 720])
        await writer.end()


class House:
    """A service with a stream that has ended, and a monitor of it.

    files : a record to upload
    """

    def __init__(self, folder: Path, demo: ectopy.Recording, running: ExitStack):
        (folder / "data").mkdir()
        self.service = running.enter_context(serving(folder / "data"))
        self.running = running
        samples = demo.section(0, 60).samples
        kind = {"fmt": ["16"], "write_dir": str(folder)}
        wfdb.wrsamp("bedside", 360, ["mV"], ["II"], samples[:, :1].astype(float), **kind)
        self.files = [str(folder / name) for name in ("bedside.hea", "bedside.dat")]
        asyncio.run(play(self.service, samples))
        with httpx.Client(base_url=f"{self.service}/v1/streams/bed-1", timeout=30) as api:
            until(lambda: len(api.get("/verdicts").json()["items"]) == 12, 30)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, demo: ectopy.Recording) -> Iterator[House]:
    with ExitStack() as running:
        yield House(tmp_path_factory.mktemp("house"), demo, running)


@pytest.fixture(scope="module")
def viewer(house: House) -> Iterator[Viewer]:
    """Somebody at a desk: the tests below are one sitting, in this order."""
    with monitoring(house.service) as monitor, chromium() as browser:
        yield Viewer(browser, f"{monitor.url}/review", shown="h1:has-text('Review')")


def choose(viewer: Viewer, label: str, option: str) -> None:
    """Pick from a list by its label."""
    viewer.page.get_by_role("combobox", name=label).first.click()
    viewer.page.get_by_role("option", name=option).first.click()


def settle(viewer: Viewer) -> None:
    viewer.page.wait_for_timeout(200)
    viewer.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def strip(viewer: Viewer) -> str:
    return str(viewer.page.get_attribute(STRIP, "aria-label"))


def correct(viewer: Viewer, aami: str, note: str) -> None:
    choose(viewer, "Class", aami)
    viewer.page.get_by_label("Your name").fill(NAME)
    viewer.page.get_by_label("Note (may be empty)").fill(note)
    viewer.page.click("text=Keep the correction")
    viewer.page.wait_for_selector(f"td:has-text('{NAME}: {note}')")


def downloaded(viewer: Viewer, button: str) -> bytes:
    with viewer.page.expect_download() as download:
        viewer.page.click(f"text={button}")
    return Path(download.value.path()).read_bytes()


def upload(viewer: Viewer, files: list[str], shown: str) -> None:
    """Have files analysed, and wait for what comes of it."""
    viewer.page.set_input_files("input[type=file]", files)
    viewer.page.wait_for_selector(f"text={Path(files[-1]).name}")
    settle(viewer)
    viewer.page.click("text=Analyse")
    viewer.page.wait_for_selector(shown)
    settle(viewer)


def test_a_file_is_uploaded_and_an_episode_leads_to_its_strip(house, viewer):
    upload(viewer, house.files, "h3:has-text('bedside')")
    assert "from 0:00" in strip(viewer)
    viewer.page.click("button:has-text('ventricular, 3 intervals')")
    viewer.page.wait_for_selector(f"{STRIP}[aria-label*='from 0:13']")
    assert "V at 0:16.3" in strip(viewer)


def test_a_corrected_label_of_a_file_is_on_the_strip_and_in_what_is_taken_home(viewer, tmp_path):
    before = strip(viewer)
    correct(viewer, "S supraventricular", "early")
    settle(viewer)
    assert before != strip(viewer) and "S* at 0:13" in strip(viewer)
    (tmp_path / "bedside.atr").write_bytes(downloaded(viewer, "WFDB annotations"))
    marks = wfdb.rdann(str(tmp_path / "bedside"), "atr")
    (changed,) = np.flatnonzero([NAME in note for note in marks.aux_note])
    assert (marks.symbol[changed], marks.aux_note[changed].rstrip("\0")) == ("S", f"was N: {NAME}")
    assert marks.fs == 360 and marks.symbol.count("V") > 5
    rows = list(csv.DictReader(io.StringIO(downloaded(viewer, "Beats as CSV").decode())))
    (said,) = [row for row in rows if row["author"]]
    assert (int(said["sample"]), said["aami"], said["model_aami"], said["note"]) == (
        *(marks.sample[changed], "S", "N", "early"),
    )
    assert len(rows) == len(marks.sample)


def test_an_archive_of_a_record_is_opened_too(house, viewer, tmp_path):
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as packed:
        for file in map(Path, house.files):
            packed.write(file, f"some/folder/{file.name}")
    other = Viewer(viewer.page.context.browser, viewer.page.url, shown="button:has-text('Analyse')")
    upload(other, [str(tmp_path / "sent.zip")], "h3:has-text('bedside')")
    assert "from 0:00" in strip(other)
    other.close()


def test_a_damaged_file_is_refused_in_words(viewer, tmp_path):
    other = Viewer(viewer.page.context.browser, viewer.page.url, shown="button:has-text('Analyse')")
    (tmp_path / "notes.dat").write_text("no recording")
    upload(other, [str(tmp_path / "notes.dat")], "[data-testid=stAlert]:has-text('notes')")
    other.close()


def test_events_are_filtered_exported_and_lead_to_their_strips(house, viewer):
    viewer.page.click("a:has-text('Events')")
    viewer.page.wait_for_selector(".event:has-text('tachycardia')")
    viewer.page.get_by_label("Words in the reason").fill("no such words")
    viewer.page.keyboard.press("Enter")
    viewer.page.wait_for_selector("text=No event is like that")
    viewer.page.get_by_label("Words in the reason").fill("")
    viewer.page.keyboard.press("Enter")
    viewer.page.click("button:has-text('abnormal verdicts')")
    viewer.page.wait_for_selector(".event .tag.abnormal")
    for priority in ("high", "medium", "low"):
        viewer.page.click(f"button:has-text('{priority} alarms')")
    viewer.page.wait_for_selector(".event .tag.medium", state="detached")
    settle(viewer)
    given = httpx.get(f"{house.service}/v1/streams/bed-1/verdicts?verdict=abnormal").json()["items"]
    rows = list(csv.DictReader(io.StringIO(downloaded(viewer, "Export as CSV").decode())))
    assert sorted(row["reason"] for row in rows) == sorted(verdict["reason"] for verdict in given)
    viewer.page.click("button:has-text('medium alarms')")
    viewer.page.click("button:has-text('abnormal verdicts')")
    viewer.page.wait_for_selector(".event .tag.abnormal", state="detached")
    viewer.page.click("text=Show strip")
    viewer.page.wait_for_selector("h3:has-text('Bed 1, run 1')")
    settle(viewer)
    assert "from 0:08" in strip(viewer)  # tachycardia from 0:10 on


def test_a_corrected_label_of_a_stream_is_kept_by_the_service(house, viewer):
    correct(viewer, "F fusion", "look again")
    (said,) = httpx.get(f"{house.service}/v1/streams/bed-1/annotations?epoch=1").json()["items"]
    assert (said["aami"], said["replaced"], said["author"], said["note"]) == ("F", "N", NAME, "look again")
    beats = httpx.get(f"{house.service}/v1/streams/bed-1/beats").json()["items"]
    assert said["sample"] in [beat["sample"] for beat in beats]


def test_a_label_is_shown_as_it_is_and_fetches_nothing(house, viewer):
    label = "![x](https://example.org/x.png) **Bed** <b>2</b> $a$"
    epoch = {**FORM.model_dump(mode="json"), "label": label}
    httpx.post(f"{house.service}/v1/streams/bed-2/epochs", json=epoch).raise_for_status()
    base = viewer.page.url.partition("/review")[0]
    other = Viewer(viewer.page.context.browser, f"{base}/review?stream=bed-2", shown="h3:has-text('run 1')")
    assert other.page.inner_text("h3 >> nth=0").startswith(f"{label}, run 1")
    assert other.outside == []
    other.close()


def test_a_model_and_an_operating_point_are_chosen_for_a_stream(house, viewer):
    viewer.page.click("a:has-text('Models')")
    viewer.page.wait_for_selector("text=abnormal intervals found")
    choose(viewer, "Model", "sequence")
    settle(viewer)
    viewer.page.get_by_role("slider").press("ArrowRight")
    viewer.page.click("button:has-text('Judge it by sequence, few-alarms')")
    viewer.page.wait_for_selector("text=Bed 1: judged by sequence, few-alarms from its next epoch on.")
    viewer.page.wait_for_selector("td:has-text('sequence, few-alarms')")
    chosen = httpx.get(f"{house.service}/v1/streams/bed-1").json()["chosen"]
    assert chosen == {"model": "sequence", "operating_point": "few-alarms", "author": NAME}  # as said on Review
    viewer.page.click("button:has-text('As the service is set')")
    viewer.page.wait_for_selector("td:has-text('as the service is set (chosen by')")
    assert httpx.get(f"{house.service}/v1/streams/bed-1").json()["chosen"]["model"] is None
    viewer.page.go_back()


@pytest.mark.parametrize(("size", "dark"), [(DESK, False), (PHONE, True)])
def test_every_page_is_accessible_and_fits(viewer, size, dark):
    base = viewer.page.url.partition("/review")[0]
    other = Viewer(viewer.page.context.browser, f"{base}/review?stream=bed-1", size, dark, shown=STRIP)
    _looks_right(other)
    for name, shown in (
        ("Events", ".event"),
        ("Models", "td:has-text('instant (default)')"),
        ("Data", "td:has-text('mitdb')"),
    ):
        other.page.goto(f"{base}/{name.lower()}")
        other.page.wait_for_selector(shown)
        _looks_right(other)
    assert other.outside == []
    assert [line for line in other.said if STREAMLIT_S_OWN not in line] == []
    other.close()


def _looks_right(viewer: Viewer) -> None:
    settle(viewer)
    assert viewer.page.is_visible("text=not a medical device")
    found = Axe().run(viewer.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    serious = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in serious]
    width = viewer.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]


def test_a_page_says_that_the_service_is_gone(house, viewer):
    assert viewer.outside == []
    assert [line for line in viewer.said if STREAMLIT_S_OWN not in line] == []
    house.running.close()
    viewer.page.click("a:has-text('Events')")
    viewer.page.wait_for_selector("[data-testid=stAlert]:has-text('Disconnected')")
    assert viewer.page.is_visible("text=goes on by itself")
