"""Whatever version of Ectopy made a database: this one opens it, reads all of it, and goes on."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from tests.crash import Lives
from tests.serving import post, serving

import ectopy
from ectopy.service import schema
from ectopy.wire import Form

FORM = Form(1, "int16", "mV", 200.0)
LENGTH, GAP, CUT = 7200, (1000, 1360), 4000  # samples in all; those that never came; where two chunks meet


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).with_name("migrations")))
    return config


REVISIONS = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def first(database: sqlite3.Connection) -> None:
    """Two streams: one that runs, with a gap and two verdicts, and one that has ended and is judged."""
    rows: dict[str, list[tuple[object, ...]]] = {
        "streams": [("bed-1", "Bed 1", 1), ("bed-2", None, 2)],
        "epochs": [
            (1, "bed-1", 1, "360", '["II"]', "int16", "mV", 200.0, 0.0, "Bed 1", 1_000_000, None, None, False),
            (2, "bed-2", 1, "1000/3", '["I", "V1"]', "float32", "mV", 1.0, 0.0, None, 2_000_000, 1_500_000, 4, True),
        ],
        "chunks": [
            (1, 0, 1000, 1, 0),
            (1, 1360, CUT - 1360, 1, 2000),
            (1, CUT, LENGTH - CUT, 2, 0),
            (2, 0, 4, 2, 6400),
        ],
        "late": [(1, 1, 1000, 360, 2, 6432)],
        "gaps": [(1, 1000, 360, "never came")],
        "conflicts": [(1, 1, 5, 1, 3_000_000)],
        "anchors": [(1, 0, 1_000_000, None), (2, 0, 2_000_000, 1_500_000)],
        "verdicts": [(number + 1, 1, 1800 * number, 5.0 * number, "normal", _body(number)) for number in (0, 1)],
    }
    for table, lines in rows.items():
        columns = len(database.execute(f"PRAGMA table_info({table})").fetchall())  # newer ones came behind
        marks = ", ".join([*"?" * len(lines[0]), *["NULL"] * (columns - len(lines[0]))])
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", lines)


def second(database: sqlite3.Connection) -> None:
    """The same, a finding that lasts, the alarm that it raised, a notification to somebody who is told no longer."""
    first(database)
    place = {"type": "finding", "id": 1, "stream": "bed-1", "epoch": 1, "start_at": "1970-01-01T00:00:01Z"}
    found = {"name": "irregular rhythm", "start_s": 0.0, "end_s": None, "abnormal": True, "told_s": 5.0, "value": None}
    log = [
        (1, 8_000_000, "finding", "bed-1", 1, 5.0, json.dumps({**found, **place, "end_at": None})),
        (2, 9_000_000, "tick", None, None, None, '{"at_us":9000000}'),
    ]
    database.executemany("INSERT INTO alarm_log VALUES (?, ?, ?, ?, ?, ?, ?)", log)
    database.execute("INSERT INTO alarms VALUES (1, 'bed-1', 1, ?)", (json.dumps(ALARM),))
    database.execute("INSERT INTO alarm_changes VALUES (1, 'bed-1', ?)", (json.dumps(ALARM),))
    notice = ("1", "json-gone", "[1]", "raised", "medium", 1, "MEDIUM: irregular rhythm", "", 9_000_000, 0, 0)
    database.execute(f"INSERT INTO outbox VALUES ({'?, ' * 11}'waiting', NULL)", notice)


def third(database: sqlite3.Connection) -> None:
    """The same, and what somebody said of a beat."""
    second(database)
    said = (1, 1, 77, "S", "N", "Ruth", "early", 9_000_000)
    database.execute("INSERT INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", said)


def fourth(database: sqlite3.Connection) -> None:
    """The same, and a stream that another model judges."""
    third(database)
    for table, name in (("streams", "id"), ("epochs", "stream")):
        database.execute(f"UPDATE {table} SET choice = ? WHERE {name} = 'bed-2'", (json.dumps(CHOICE),))


CHOICE = {"model": "sequence", "operating_point": "few-alarms"}
ALARM = {
    **{"type": "alarm", "id": 1, "change": 1, "stream": "bed-1", "epoch": 1, "code": "irregular rhythm"},
    **{"kind": "physiological", "priority": "medium", "presence": "on", "signal": "on", "acknowledged": False},
    **{"acknowledged_by": None, "acknowledged_at": None, "onset_at": "1970-01-01T00:00:01Z"},
    **{"told_at": "1970-01-01T00:00:08Z", "ended_at": None, "late": False, "reason": "as it was said", "value": None},
}


def test_the_newest_revision_is_the_one_that_is_said_to_be() -> None:
    assert REVISIONS[-1] == schema.NEWEST


FILLED: dict[str, Callable[[sqlite3.Connection], None]] = {"0001": first, "0002": second, "0003": third, "0004": fourth}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_an_older_version_opens_with_all_that_is_in_it(
    tmp_path: Path, demo: ectopy.Recording, revision: str
) -> None:
    raw = np.frombuffer(FORM.encode(demo.samples[: 2 * LENGTH]), "<i2")
    other = np.arange(8, dtype="<f4")
    _make(tmp_path, revision, raw, other)
    expected = raw[:LENGTH].copy()
    expected[slice(*GAP)] = -32768
    with Lives(tmp_path) as lives, httpx.Client(base_url=f"{lives.url}/v1", timeout=30) as api:
        lives.begin()
        lives.ready()
        if revision >= "0002":
            kept = api.get("/alarms/1").json()
            assert kept["reason"] in (ALARM["reason"], "irregular RR intervals for a minute: possible AF")
            acknowledged = api.post("/alarms/1/acknowledge", json={"author": "Ruth"}).raise_for_status().json()
            assert (acknowledged["id"], acknowledged["acknowledged_by"]) == (1, "Ruth")
        if revision >= "0003":
            (said,) = api.get("/streams/bed-1/annotations").json()["items"]
            assert (said["sample"], said["aami"], said["author"]) == (77, "S", "Ruth")
        if revision >= "0004":
            stream = api.get("/streams/bed-2").json()
            assert stream["chosen"] == {**CHOICE, "author": None}
            assert stream["epoch"]["model"].startswith("sequence ")
        assert [(one["id"], one["label"]) for one in api.get("/streams").json()] == [
            ("bed-1", "Bed 1"),
            ("bed-2", None),
        ]
        epoch = api.get("/streams/bed-2/epochs").json()[0]
        assert (epoch["fs"], epoch["ended"], epoch["next"]) == ("1000/3", True, 4)
        assert epoch["device_time"] == "1970-01-01T00:00:01.500000Z"
        assert api.get("/streams/bed-2/samples").content == other.tobytes()
        assert api.get("/streams/bed-1/offset").json()["next"] == LENGTH
        assert api.get("/streams/bed-1/samples").content == expected.tobytes()
        assert [gap["first"] for gap in api.get("/streams/bed-1/gaps").json()] == [1000]
        values = FORM.decode(raw.tobytes())[:, 0].tolist()
        at = LENGTH
        while at < 2 * LENGTH:
            more = {"epoch": 1, "first": at, "samples": values[at : at + 1800]}
            at = post(api, "/streams/bed-1/samples", json=more).json()["next"]
        api.post("/streams/bed-1/end", json={"epoch": 1, "n": 2 * LENGTH}).raise_for_status()
        given = api.get("/streams/bed-1/verdicts").json()["items"]
        assert given[:2] == [json.loads(_body(0)), json.loads(_body(1))]
        whole = FORM.decode(np.concatenate([expected, raw[LENGTH:]]).tobytes())
        offline = ectopy.analyze(ectopy.Recording(whole, demo.fs, ("II",))).verdicts
        assert [v["start_s"] for v in given] == [v.start_s for v in offline]
        assert [v["score"] for v in given[2:]] == [v.score for v in offline[2:]]


def _make(data: Path, revision: str, raw: np.ndarray, other: np.ndarray) -> None:
    """A folder as the version with this schema left it."""
    engine = create_engine(f"sqlite:///{data / 'ectopy.db'}")
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    with closing(sqlite3.connect(data / "ectopy.db")) as database, database:
        FILLED[revision](database)
    (data / "samples").mkdir()
    (data / "samples" / "00000001.seg").write_bytes(raw[:1000].tobytes() + raw[1360:CUT].tobytes() + b"never indexed")
    late = raw[slice(*GAP)].tobytes()
    (data / "samples" / "00000002.seg").write_bytes(raw[CUT:LENGTH].tobytes() + other.tobytes() + late)


def _body(number: int) -> str:
    """A verdict of then, in the words of then."""
    verdict = {
        **{"type": "verdict", "id": number + 1, "stream": "bed-1", "epoch": 1},
        **{"start_sample": 1800 * number, "end_sample": 1800 * (number + 1)},
        **{"start_at": f"1970-01-01T00:00:{1 + 5 * number:02}Z", "end_at": f"1970-01-01T00:00:{6 + 5 * number:02}Z"},
        **{
            "start_s": 5.0 * number,
            "end_s": 5.0 * (number + 1),
            "verdict": "normal",
            "score": 0.25,
            "heart_rate": 71.5,
        },
        **{"quality": 1.0, "n_beats": 0, "n_abnormal": 0, "reason": "as it was said then", "beats": [], "findings": []},
        "model": "another 0.0.1, balanced",
    }
    return json.dumps(verdict)


def test_a_database_that_can_t_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "mine.seg").touch()  # a stranger's: that is no trouble

    def said() -> str:
        command = [sys.executable, "-m", "ectopy", "serve", "--port", "0", "--data", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
        return done.stderr.splitlines()[-1]

    with closing(schema.open_database(tmp_path / "ectopy.db").raw_connection()) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    assert "made by a newer Ectopy" in said()
    for path in tmp_path.glob("ectopy.db*"):
        path.unlink()
    (tmp_path / "ectopy.db").write_bytes(b"no database" * 1000)
    assert "file is not a database" in said()
    (tmp_path / "ectopy.db").unlink()
    with serving(tmp_path) as url:
        assert httpx.get(f"{url}/readyz").status_code == 200
