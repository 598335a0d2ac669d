"""Whatever happens to the service, nothing that it acknowledged is lost, and each verdict is given once."""

import asyncio
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import pytest
from tests.crash import RARE, STEPS, Fault, Lives
from tests.service_check import SHORT, Judged, through, until, ward_of
from tests.service_load import Device, Ward
from tests.sinks import HttpSink, told_to

import ectopy


@pytest.mark.parametrize("turns", range(6))
def test_a_device_lets_go_whatever_it_is_told_while_its_link_breaks(turns: int, demo: ectopy.Recording) -> None:
    """Else it waits for an acknowledgement that nobody sends; `turns` of the event loop lie between both."""

    async def told_then_broken() -> bool:
        device = Device("bed", demo.samples[:, 0], holes=False, speed=1e6)
        device.credit = 360
        begun = httpx.MockTransport(lambda _: httpx.Response(200, json={"epoch": 1}))
        async with httpx.AsyncClient(base_url="http://service", transport=begun) as http:
            playing = asyncio.create_task(device.play(http, AsyncMock()))
            await until(lambda: device.cursor == device.credit)
            await asyncio.sleep(0.01)  # it waits, with all sent that it may send
            device.acknowledged(1, 0, 360)
            for _ in range(turns):
                await asyncio.sleep(0)
            playing.cancel()
            await asyncio.wait({playing}, timeout=1)
            return playing.cancelled()

    assert asyncio.run(told_then_broken())


def killed_at_random(lives: Lives, ward: Ward, times: int, seed: int) -> dict[str, int]:
    rng = random.Random(seed)

    async def outages(judged: Judged) -> None:
        for _ in range(times):
            chance = rng.random()
            lives.begin(Fault(rng.choice(list(STEPS)), at=rng.randint(1, 30)) if chance < 0.2 else None)
            if chance > 0.35:
                await asyncio.to_thread(lives.ready)
                await judged.look()
            await asyncio.sleep(rng.uniform(0, 2))
            lives.kill()
        lives.begin()
        await asyncio.to_thread(lives.ready)
        await asyncio.sleep(1)

    counts = through(lives, ward, outages)
    print(counts)
    return counts


def test_ten_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path, demo: ectopy.Recording) -> None:
    with HttpSink() as sink, Lives(tmp_path, **SHORT, **told_to(sink)) as lives:
        counts = killed_at_random(lives, ward_of(lives.url, demo, length_s=30), 10, seed=1)
    assert counts["verdicts"] and counts["gaps"] and counts["alarms"]


@pytest.mark.soak
def test_three_hundred_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path, demo: ectopy.Recording) -> None:
    with HttpSink() as sink, Lives(tmp_path, **SHORT, **told_to(sink)) as lives:
        counts = killed_at_random(lives, ward_of(lives.url, demo), 300, seed=2)
    keys = [post["key"] for post in sink.posts]
    assert keys and len(keys) - len(set(keys)) <= 300  # the one under way may come twice
    assert counts["conflicts"] > 0


def test_a_kill_at_each_step_of_the_store_loses_nothing_and_doubles_nothing(
    tmp_path: Path, demo: ectopy.Recording
) -> None:
    rng = random.Random(3)
    with Lives(tmp_path, **SHORT) as lives:

        async def outages(judged: Judged) -> None:
            for step in STEPS:
                lives.begin(Fault(step, RARE.get(step) or rng.randint(1, 5)))
                code = await asyncio.to_thread(lives.ended, 60)
                assert code == -9, f"{step}: {code}"
            lives.begin()
            await asyncio.to_thread(lives.ready)
            await judged.look()

        through(lives, ward_of(lives.url, demo, length_s=30), outages)


def test_another_model_goes_on_where_the_killed_one_was(tmp_path: Path, demo: ectopy.Recording) -> None:
    """Verdicts that were given stay as they are; those to come are the new model's, from an interval's edge on."""
    with Lives(tmp_path, **SHORT, model="instant") as lives:
        ward = ward_of(lives.url, demo)

        async def outages(judged: Judged) -> None:
            lives.begin()
            await until(lambda: all(device.runs and device.run.acked > 20 * 360 for device in ward.devices[:2]))
            lives.kill()
            lives.settings["model"] = "sequence"
            lives.begin()
            await asyncio.to_thread(lives.ready)
            before = await judged.look()
            await until(lambda: all(device.run.acked > 40 * 360 for device in ward.devices[:1]))
            assert before > 0

        through(lives, ward, outages, models=["instant", "sequence"])


def test_told_to_stop_it_keeps_what_it_has_and_ends_within_ten_seconds(tmp_path: Path, demo: ectopy.Recording) -> None:
    with Lives(tmp_path, **SHORT) as lives:
        ward = ward_of(lives.url, demo)

        async def listen() -> None:
            async with ward.http() as http, http.stream("GET", "/v1/events") as events:
                with suppress(httpx.TransportError):
                    async for _ in events.aiter_lines():
                        pass

        async def outages(judged: Judged) -> None:
            lives.begin()
            await asyncio.to_thread(lives.ready)
            listening = asyncio.create_task(listen())
            await asyncio.sleep(2)
            code, took = await asyncio.to_thread(lives.stop)
            assert code == 0
            assert took < 10
            await listening
            lives.begin()
            await asyncio.to_thread(lives.ready)
            await judged.look()

        through(lives, ward, outages)


def test_a_folder_is_one_service_s_own_as_long_as_it_lives(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ectopy", "serve", "--port", "0", "--data", str(tmp_path)]
    with Lives(tmp_path) as lives:
        lives.begin()
        lives.ready()
        second = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert second.returncode == 2
        assert "another service works with it" in second.stderr.splitlines()[-1]
        lives.kill()
        lives.begin()
        lives.ready()
