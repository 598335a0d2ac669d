"""Alarms where people meet them: through `ectopy.client`, in a recording sent in, on a terminal, in the docs."""

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.serving import serving

import ectopy
from ectopy.alarms import RULES, episodes, rules_table
from ectopy.analysis import StreamAnalyzer
from ectopy.client import Client
from ectopy.errors import EctopyError, RecordError
from ectopy.wire import AlarmOut, AnalysisRequest, EpochRequest, FoundOut, VerdictOut

ECTOPY = (sys.executable, "-m", "ectopy")
ROOT = Path(__file__).parent.parent
REQUEST = EpochRequest.model_validate({"fs": 360, "leads": ["II"], "kind": "float32"})
HIGH = {"tachycardia": {"priority": "high"}}  # 120 a minute from 0:10 to 0:20 of the installed recording


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("service")) as url:
        yield url


async def play(client: Client, stream: str, recording: ectopy.Recording, rules=HIGH) -> None:
    """All at once, after the stream has got its rules; returns when all of it is judged."""
    async with client.writer(stream, REQUEST) as writer:
        await client.set_rules(stream, rules, author="Dr. Lind")
        await writer.send(recording.samples)
        epoch = await writer.end()
    async with aclosing(client.watch(stream, ["verdicts"], epoch=epoch.epoch)) as verdicts:
        async for verdict in verdicts:
            if isinstance(verdict, VerdictOut) and verdict.end_s >= recording.duration_s:
                return


def running(url, scenario):
    async def run():
        async with Client(url) as client:
            return await scenario(client)

    return asyncio.run(asyncio.wait_for(run(), 60))


def test_an_alarm_is_found_acknowledged_and_no_longer_open(url, demo):
    async def scenario(client):
        await play(client, "bed-1", demo.section(0, 60))
        (alarm,) = [alarm async for alarm in client.alarms(stream="bed-1")]
        assert (alarm.code, alarm.priority, alarm.acknowledged) == ("tachycardia", "high", False)
        assert await client.alarm(alarm.id) == alarm
        seen = await client.acknowledge(alarm.id, author="Sister Ruth")
        assert (seen.acknowledged, seen.acknowledged_by) == (True, "Sister Ruth")
        changes = [change async for change in client.alarm_changes("bed-1")]
        assert [c.change for c in changes] == sorted({c.change for c in changes})
        assert changes[-1].acknowledged and await client.newest_change("bed-1") == changes[-1].change
        assert [a.id async for a in client.alarms("all", "bed-1")] == [alarm.id]
        for call in (client.alarm(10**6), client.acknowledge(10**6, "Sister Ruth")):
            with pytest.raises(RecordError, match="alarm 1000000"):
                await call

    running(url, scenario)


def test_findings_are_those_of_the_offline_analysis_and_alarms_come_of_them_as_they_do_there(url, demo):
    part = demo.section(0, 180)

    async def scenario(client):
        await play(client, "bed-2", part, rules={})
        found = [found async for found in client.findings("bed-2", 1)]
        assert found[-1].id == await client.newest_finding("bed-2")
        changes = [change async for change in client.alarm_changes("bed-2")]
        return found, {change.id: change for change in changes}

    found, alarms = running(url, scenario)
    analysis = ectopy.analyze(ectopy.Recording(part.samples, part.fs, ("II",)))
    assert [{name: getattr(one, name) for name in asdict(analysis.findings[0])} for one in found] == [
        asdict(one) for one in analysis.findings
    ]
    expected = episodes(analysis.findings, 180)
    assert [(a.code, a.priority, a.reason, a.value) for a in alarms.values()] == [
        (e.code, e.priority, e.reason, e.value) for e in expected
    ]
    began = found[0].start_at.timestamp() - found[0].start_s
    onsets = [alarm.onset_at.timestamp() - began for alarm in alarms.values()]
    assert onsets == pytest.approx([e.start_s for e in expected], abs=0.01)


def test_rules_and_pauses_are_set_and_read(url):
    async def scenario(client):
        await client.open_epoch("bed-3", REQUEST)
        assert [rule.code for rule in await client.rules()] == [rule.code for rule in RULES]
        before = {rule.code: rule for rule in await client.rules("bed-3")}
        after = {rule.code: rule for rule in await client.set_rules("bed-3", HIGH, author="Dr. Lind")}
        assert [code for code in after if after[code] != before[code]] == ["tachycardia"]
        assert (after["tachycardia"].latches, after["tachycardia"].changed) == (True, True)
        with pytest.raises(EctopyError, match=r"expected 100, 110, \.\.\. 220") as refused:
            await client.set_rules("bed-3", {"tachycardia": {"limit": 125}}, author="Dr. Lind")
        assert refused.value.status == 422
        (pause,) = await client.pause("audio", "Sister Ruth", "washing", 120, stream="bed-3")
        assert (pause.stream, pause.what, pause.reason) == ("bed-3", "audio", "washing")
        assert await client.pauses() == [pause]
        assert await client.resume("audio", "Sister Ruth", stream="bed-3") == []
        await client.viewed()

    running(url, scenario)


def test_alarms_and_findings_are_watched_and_heard_among_all_streams_events(url, demo):
    async def until(messages, done):
        seen = []
        async with aclosing(messages):
            async for message in messages:
                seen.append(message)
                if done(message):
                    break
        return seen

    def high(message):
        return isinstance(message, AlarmOut) and message.priority == "high"

    async def scenario(client):
        await client.open_epoch("bed-4", REQUEST)
        watching = asyncio.create_task(until(client.watch("bed-4", ["alarms", "findings"]), high))
        listening = asyncio.create_task(until(client.events(), high))
        await asyncio.sleep(0.5)
        await play(client, "bed-4", demo.section(0, 30))
        watched, heard = await watching, await listening
        again = await until(client.events((heard[-1].id, watched[-1].change - 1)), lambda m: isinstance(m, AlarmOut))
        return watched, heard, again

    watched, heard, again = running(url, scenario)
    assert {type(message) for message in watched} == {AlarmOut, FoundOut}
    assert [found.name for found in watched[:-1]] == ["tachycardia"] * (len(watched) - 1)
    assert {type(message) for message in heard} == {AlarmOut, VerdictOut}
    assert heard[-1] == watched[-1] == again[-1]


def test_a_recording_that_is_sent_in_has_the_episodes_of_its_analysis(url, demo):
    part = demo.section(0, 100)
    samples = part.samples[:, 0].astype(float).round(6).tolist()
    wanted = ectopy.analyze(ectopy.Recording(part.samples.round(6), part.fs, part.leads))
    result = running(url, lambda client: client.analyze(AnalysisRequest(fs=360, samples=samples)))
    assert [episode.model_dump() for episode in result.episodes] == [
        {**asdict(episode), "late": True} for episode in episodes(wanted.findings, 100)
    ]
    assert {episode.code for episode in result.episodes} == {"tachycardia", "ectopic burden"}


def test_a_replay_raises_the_alarms_of_the_whole_recording_in_whatever_chunks_it_comes(demo):
    from ectopy.alarms import StreamDesk

    stream, desk, alarms = StreamAnalyzer(demo.fs, demo.leads), StreamDesk(), {}
    for first in range(0, len(demo.samples), 97):
        stream.push(demo.samples[first : first + 97])
        for alarm in desk.push(stream.found(), (first + 97) // 360):
            assert alarm.told_us <= (first + 97) * 1e6 / 360
            alarms[alarm.id] = alarm
    stream.finish()
    for alarm in [*desk.push(stream.found(), 300), *desk.finish(300)]:
        alarms[alarm.id] = alarm
    whole = episodes(ectopy.analyze(demo).findings, 300)
    assert [(a.code, a.onset_us, a.ended_us, a.told_us) for a in alarms.values()] == [
        (e.code, *(round(time_s * 1e6) for time_s in (e.start_s, e.end_s, e.told_s))) for e in whole
    ]


def test_the_demo_raises_an_alarm_that_latches_shows_its_notification_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("ECTOPY_SERVICE_NOTIFY", "json://nobody.example/")  # whom a demonstration must not page
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    done = subprocess.run([*ECTOPY, "demo", "--speed", "20"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (raised,) = [n for n, line in enumerate(lines) if re.match(r"\d:\d\d +HIGH +tachycardia: heart rate 120", line)]
    (over,) = [n for n, line in enumerate(lines) if "tachycardia; latched until somebody acknowledges it" in line]
    (shown,) = [n for n, line in enumerate(lines) if line == "    | HIGH: tachycardia, demo"]
    assert raised < over and raised < shown
    after = re.search(
        r"A notification has arrived at 127\.0\.0\.1:\d+, (.*) s after the alarm was raised", lines[shown - 1]
    )
    assert after and 0.5 < float(after[1]) < 5
    assert re.search(r"\| key: \S+", "\n".join(lines[shown:]))
    assert lines[-1].endswith("alarm 1, tachycardia: over, and latched until somebody acknowledges it")
    assert not [*tmp_path.glob("ectopy*")]


def test_ctrl_c_ends_the_demo_and_its_service(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = subprocess.Popen([*ECTOPY, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = process.stderr.readline().split()[4]
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, remarks = process.communicate(timeout=60)
    assert process.returncode == 130, remarks
    assert remarks.splitlines()[-1] == "ectopy: stopped"
    assert not [*tmp_path.glob("ectopy*")]
    with pytest.raises(EctopyError, match="no service there"):
        running(address, lambda client: client.streams())


def test_the_page_on_alarms_has_the_rules_as_they_are():
    page = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    assert rules_table() in page, f"docs/alarms.md needs this table:\n{rules_table()}"
    assert len(rules_table().splitlines()) == len(RULES) + 2
