"""What became of the devices' samples: compared with what they sent, and with the offline analysis of the log."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Set
from contextlib import closing, suppress
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import httpx
import numpy as np
from tests.crash import Lives
from tests.service_load import Device, Run, Ward

from ectopy import Recording, analyze
from ectopy.alarms import Alarm, AlarmChanged, Desk
from ectopy.service.desk_json import read_input
from ectopy.service.reading import Reader
from ectopy.service.schema import open_database
from ectopy.service.segments import Segments
from ectopy.verdict import Finding

SHORT = {"late_s": 1.5, "snapshot_s": 5}  # settings with which all there is happens within a second or two


def ward_of(url: str, demo: Recording, length_s: float = 60) -> Ward:
    """Seven devices on every way there is."""
    ecg = demo.samples[:, 0]
    return Ward(
        url,
        [
            ("socket", [Device("alone", ecg, length_s=length_s)]),
            ("socket", [Device("two-leads", ecg, kind="float32", n_leads=2, fs="1000/3", length_s=length_s)]),
            ("gateway", [Device(f"gate-{n}", ecg, fs=(360, 250, 128)[n], length_s=length_s) for n in range(3)]),
            ("frame", [Device("frames", ecg, n_leads=3, length_s=length_s)]),
            ("json", [Device("json", ecg, gain=1000, length_s=length_s)]),
        ],
    )


def through(
    lives: Lives,
    ward: Ward,
    outages: Callable[[Judged], Awaitable[None]],
    *,
    models: list[str] | None = None,
    troubles: Set[str] = frozenset(),
) -> dict[str, int]:
    """Let the devices play through outages and to an end in peace; compare everything after that.

    troubles : what the service's log must tell of; nothing else
    """

    async def scenario() -> dict[str, int]:
        judged = Judged(ward)
        playing = asyncio.create_task(ward.play())
        work = asyncio.ensure_future(outages(judged))
        await asyncio.wait({playing, work}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            work.cancel()
            await playing
        await work
        ward.stop()
        await asyncio.wait_for(playing, 120)
        counts = await judged.check(models)
        lives.kill()
        counts["alarms"] = check_alarms(lives)
        lives.begin()  # and all of it once more from the disk alone
        await asyncio.to_thread(lives.ready)
        assert await judged.check(models) == {name: n for name, n in counts.items() if name != "alarms"}
        return counts

    counts = asyncio.run(scenario())
    lines = [json.loads(line) for line in lives.log().splitlines() if line.startswith("{")]
    told = {line["what"] for line in lines if line["level"] not in ("debug", "info")}
    assert told == troubles, lives.log()
    return counts


def check_alarms(lives: Lives) -> int:
    """The log of a service that doesn't run gives the alarms and the notices that are kept; how many alarms."""
    reader = Reader(open_database(lives.data / "ectopy.db"), Segments(lives.data / "samples"))
    desk, changes, notices = Desk(), dict[int, Alarm](), set[str]()
    log = [*reader.alarm_log()]
    assert [row.id for row in log] == list(range(1, len(log) + 1))
    for row in log:
        for output in desk.step(read_input(row)):
            if isinstance(output, AlarmChanged):
                changes[output.alarm.id] = output.alarm
            else:
                notices.add(output.key)
    if lives.settings.get("notify"):
        with closing(sqlite3.connect(lives.data / "ectopy.db")) as database:
            assert {key for (key,) in database.execute("SELECT key FROM outbox")} == notices
    kept = [json.loads(body) for _, body in reader.alarms(only_open=False, limit=1_000_000)]
    assert [alarm["id"] for alarm in kept] == sorted(changes)
    for alarm in kept:
        folded = changes[alarm["id"]]
        for name in ("stream", "epoch", "code", "priority", "presence", "acknowledged", "late", "reason", "value"):
            assert alarm[name] == getattr(folded, name), (alarm, folded)
    return len(kept)


async def until(so: Callable[[], bool], timeout: float = 60) -> None:
    async with asyncio.timeout(timeout):
        while not so():
            await asyncio.sleep(0.02)


async def verdicts_of(http: httpx.AsyncClient, name: str, after: int = 0) -> list[dict[str, Any]]:
    """All of a stream, page by page."""
    found: list[dict[str, Any]] = []
    following: int | None = after
    while following is not None:
        params = {"after": following, "limit": 500}
        page = (await http.get(f"/v1/streams/{name}/verdicts", params=params)).raise_for_status().json()
        found += page["items"]
        following = page["next"]
    return found


_OWN = {"type", "id", "stream", "epoch", "start_sample", "end_sample", "start_at", "end_at"}


class Judged:
    """Verdicts that were read or told, over all lives: none may change or go."""

    def __init__(self, ward: Ward):
        self._ward = ward
        self._seen: dict[str, dict[int, Any]] = {device.name: {} for device in ward.devices}

    async def look(self) -> int:
        """Read what is new; how many verdicts there are."""
        async with self._ward.http() as http:
            for name, seen in self._seen.items():
                with suppress(httpx.HTTPStatusError):  # no such stream yet
                    seen.update({v["id"]: v for v in await verdicts_of(http, name, max(seen, default=0))})
        return sum(map(len, self._seen.values()))

    async def check(self, models: list[str] | None = None) -> dict[str, int]:
        """Compare everything with what the devices sent, and with the offline analysis of the committed log.

        models : those that judged, one after the other; the default alone if not given
        """
        counts = {"streams": 0, "epochs": 0, "samples": 0, "gaps": 0, "verdicts": 0, "conflicts": 0}
        async with self._ward.http() as http:
            for device in self._ward.devices:
                counts["streams"] += 1
                counts["conflicts"] += device.conflicts
                given = await verdicts_of(http, device.name)
                by_id = {verdict["id"]: verdict for verdict in given}
                assert len(by_id) == len(given)
                for known in (device.told, self._seen[device.name]):
                    for number, verdict in known.items():
                        assert by_id.get(number) == verdict, (number, verdict)
                runs = {run.number: run for run in device.runs if run.number}
                for epoch in (await http.get(f"/v1/streams/{device.name}/epochs")).json():
                    run = runs.pop(epoch["epoch"], None)
                    if run is None:  # begun, and killed before it could say so
                        assert epoch["next"] == 0
                        continue
                    assert epoch["next"] >= run.acked and epoch["ended"] >= run.ended
                    mine = [verdict for verdict in given if verdict["epoch"] == run.number]
                    counts["gaps"] += await _check_log(http, device, run, epoch["next"])
                    await _check_verdicts(http, device, run, epoch, mine, models or [""])
                    if models is None:
                        await _check_findings(http, device, run, epoch["next"])
                    counts["epochs"] += 1
                    counts["samples"] += epoch["next"]
                    counts["verdicts"] += len(mine)
                assert not runs, f"{device.name} lost {list(runs)}"
        return counts


async def _check_log(http: httpx.AsyncClient, device: Device, run: Run, n: int) -> int:
    """The committed log is what was sent, with holes where some were left and nowhere else."""
    kept, expected = await _raw(http, device, run, n), run.expected(n)
    if kept != expected:
        width = device.form.width
        others = [i for i in range(n) if kept[i * width : (i + 1) * width] != expected[i * width : (i + 1) * width]]
        raise AssertionError(f"{device.name}, epoch {run.number}: {len(others)} samples differ, {others[:5]}; {run}")
    answer = await http.get(f"/v1/streams/{device.name}/gaps", params={"epoch": run.number})
    missing = np.zeros(n, bool)
    for gap in answer.json():
        assert not missing[gap["first"] : gap["first"] + gap["n"]].any()
        missing[gap["first"] : gap["first"] + gap["n"]] = True
    left = np.zeros(n, bool)
    for hole in run.holes:
        left[hole.first : hole.end] = True
    assert np.array_equal(missing, left)
    return len(answer.json())


async def _raw(http: httpx.AsyncClient, device: Device, run: Run, n: int) -> bytes:
    params = {"epoch": run.number, "first": 0, "n": n}
    answer = await http.get(f"/v1/streams/{device.name}/samples", params=params)
    assert answer.headers["Ectopy-N"] == str(n)
    return answer.raise_for_status().content


async def _check_verdicts(
    http: httpx.AsyncClient,
    device: Device,
    run: Run,
    epoch: dict[str, Any],
    given: list[dict[str, Any]],
    models: list[str],
) -> None:
    """Each interval's verdict is there once, and is that of the offline analysis to the last bit."""
    samples = device.form.decode(await _raw(http, device, run, epoch["next"]))
    if len(samples) < 2 * device.rate or not np.isfinite(samples).any():
        return
    recording = Recording(samples, Fraction(device.rate), tuple(device.leads))
    offline = []
    for model in models:
        verdicts = analyze(recording, model=model).verdicts if model else analyze(recording).verdicts
        offline.append([_same(verdict.to_dict()) for verdict in verdicts])
    assert epoch["ended"] and len(given) == len(offline[0]), (len(given), len(offline[0]))
    which = 0
    for number, verdict in enumerate(given):
        own = _same({name: value for name, value in verdict.items() if name not in _OWN})
        while own != offline[which][number]:
            which += 1  # a newer model, from here on
            assert which < len(models), f"{device.name}, epoch {run.number}:\n{own}\n{offline[-1][number]}"
        for name in ("start", "end"):
            assert abs(verdict[f"{name}_sample"] - verdict[f"{name}_s"] * float(device.rate)) < 1


async def _check_findings(http: httpx.AsyncClient, device: Device, run: Run, n: int) -> None:
    """Each finding is told once when it begins and once when it ends, as the offline analysis tells it."""
    samples = device.form.decode(await _raw(http, device, run, n))
    if len(samples) < 2 * device.rate or not np.isfinite(samples).any():
        return
    told, following = [], 0
    while following is not None:
        params = {"epoch": run.number, "after": following, "limit": 500}
        page = (await http.get(f"/v1/streams/{device.name}/findings", params=params)).raise_for_status().json()
        told += [_same({name: found[name] for name in Finding.__slots__}) for found in page["items"]]
        following = page["next"]
    offline = analyze(Recording(samples, Fraction(device.rate), tuple(device.leads))).findings
    assert told == [_same(asdict(finding)) for finding in offline], f"{device.name}, epoch {run.number}"


def _same(verdict: dict[str, Any]) -> str:
    """As text: the shortest that stands for each number, so that equal means equal bits."""
    return json.dumps(verdict, sort_keys=True)
