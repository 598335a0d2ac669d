"""Analyses over the API, by a real server: strips as JSON, records as files, jobs, and what people send by mistake or
on purpose."""

import io
import json
import os
import shutil
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
import wfdb
from fastapi import FastAPI
from tests.sinks import until

import ectopy
from ectopy import zoo
from ectopy.service.analyses import Analyses
from ectopy.service.errors import tell_errors
from ectopy.service.limits import MIB, AnalysisLimits
from ectopy.service.routes import analyze, models
from ectopy.verdict import DEFAULT_MODEL
from ectopy.wire import AnalysisOut, AnalysisRequest, Job
from ectopy.zoo import BALANCED

FS = 360


@dataclass
class Server:
    """A server with no more than these routes, and a client of it."""

    client: httpx.Client
    folder: Path

    def samples(self, **request) -> httpx.Response:
        return self.client.post("/v1/analyze", json=request)

    def files(self, files: dict[str, bytes], **fields: str) -> httpx.Response:
        return self.client.post("/v1/analyze", files=[("file", item) for item in files.items()], data=fields)

    def job(self, answer: httpx.Response, until: Callable[[dict], bool]) -> dict:
        """A job as soon as it is so."""
        assert answer.status_code == 202, answer.text
        for _ in range(600):
            job = self.client.get(answer.headers["Location"]).json()
            if until(job):
                return job
            time.sleep(0.05)
        raise AssertionError(f"never so: {job}")


@contextmanager
def serving(folder: Path, operating_point: str = BALANCED, **limits) -> Iterator[Server]:
    analyses = Analyses(AnalysisLimits(**limits), DEFAULT_MODEL, operating_point, folder=folder)

    @asynccontextmanager
    async def life(_):
        await analyses.start()
        yield
        await analyses.stop()

    app = FastAPI(lifespan=life)
    app.state.analyses = analyses
    tell_errors(app)
    app.include_router(analyze.router)
    app.include_router(models.router)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        yield Server(client, folder)
    server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()
    assert not folder.exists() and children(folder) == []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("service") / "uploads") as running:
        yield running


def children(folder: Path | None) -> list[int]:
    """Processes that this one started, for uploads to a folder; the workers if there is none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            argv = (process / "cmdline").read_text().split("\0")
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has just ended
        if parent == os.getpid() and "ectopy.service.child" in argv:
            task = json.loads(argv[argv.index("ectopy.service.child") + 1])
            if task["folder"] is None if folder is None else (task["folder"] or "").startswith(str(folder)):
                found.append(int(process.name))
    return found


@pytest.fixture(scope="module")
def strip(demo: ectopy.Recording) -> list[float]:
    return [round(float(v), 4) for v in demo.samples[: 10 * FS, 0]]


@pytest.fixture(scope="module")
def record(demo: ectopy.Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of the installed recording as a WFDB record with annotations."""
    folder = tmp_path_factory.mktemp("record")
    samples = demo.section(0, 60).samples.astype(float)
    kind = {"units": ["mV"], "sig_name": ["MLII"], "fmt": ["212"], "adc_gain": [200.0], "baseline": [0]}
    wfdb.wrsamp("one", fs=FS, p_signal=samples[:, :1], write_dir=str(folder), **kind)
    wfdb.wrann("one", "atr", np.array([100, 400]), np.array(["N", "V"]), write_dir=str(folder))
    return folder / "one"


@pytest.fixture(scope="module")
def long_record(demo: ectopy.Recording) -> dict[str, bytes]:
    """Fifteen hours: a child works on them for seconds."""
    samples = np.tile(np.rint(demo.samples[:, 0] * 200).astype("<i2"), 180)
    header = f"long 1 {FS} {len(samples)}\nlong.dat 16 200 16 0 0 0 0 MLII\n"
    return {"long.hea": header.encode(), "long.dat": samples.tobytes()}


def contents(record: Path, *suffixes: str) -> dict[str, bytes]:
    return {f"{record.name}{suffix}": record.with_suffix(suffix).read_bytes() for suffix in suffixes}


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def as_json(analysis: ectopy.analysis.Analysis) -> list[dict]:
    """Verdicts as they are after a way through JSON, which changes no bit."""
    return json.loads(json.dumps([verdict.to_dict() for verdict in analysis.verdicts]))


def reason(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert [*answer.json()] == ["reason"]
    text = answer.json()["reason"]
    assert text and "\n" not in text and "Traceback" not in text
    return text


# -- samples --------------------------------------------------------------------------------------------------------


def test_a_strip_is_judged_as_the_offline_analysis_judges_it_bit_for_bit(server, strip):
    answer = server.samples(fs=FS, samples=strip)
    assert answer.status_code == 200
    got, wanted = answer.json(), ectopy.analyze(np.array(strip), FS)
    AnalysisOut.model_validate(got)
    assert got["intervals"] == as_json(wanted)
    assert (got["name"], got["fs"], got["leads"], got["calibrated"]) == ("", FS, ["lead 1"], True)
    assert got["model"] == wanted.model
    assert got["summary"]["verdicts"] == wanted.summary.verdicts
    assert got["summary"]["beats"] == wanted.summary.beats
    assert got["summary"]["heart_rate"] == wanted.summary.heart_rate


def test_leads_side_by_side_have_names_and_null_is_missing(server, demo):
    samples = demo.samples[: 20 * FS].astype(float).round(4)
    both = np.column_stack([samples[:, 0], -0.5 * samples[:, 0]])
    both[1000:1400] = np.nan
    both[2000:2300, 0] = np.nan
    given = [[None if np.isnan(v) else v for v in row] for row in both.tolist()]
    got = server.samples(fs="360", leads=["II", "V1"], samples=given).json()
    assert got["leads"] == ["II", "V1"]
    wanted = ectopy.analyze(ectopy.Recording(both.astype(np.float32), demo.fs, ("II", "V1")))
    assert got["intervals"] == as_json(wanted)


@pytest.mark.parametrize(("unit", "size", "calibrated"), [("uV", 1000, True), ("V", 1e-3, True), ("unknown", 1, False)])
def test_a_unit_is_turned_into_millivolts_and_an_unknown_one_is_said_to_be(server, strip, unit, size, calibrated):
    got = server.samples(fs=FS, samples=[v * size for v in strip], unit=unit).json()
    assert got["calibrated"] is calibrated
    assert any("not calibrated" in note for note in got["summary"]["notes"]) is not calibrated
    assert [v["verdict"] for v in got["intervals"]] == ["normal", "abnormal"]


def test_another_installed_model_may_be_named(server, strip):
    got = server.samples(fs=FS, samples=strip, model="sequence").json()
    assert got["intervals"] == as_json(ectopy.analyze(np.array(strip), FS, model="sequence"))


def test_a_model_that_is_named_judges_balanced_as_for_a_stream_and_none_as_the_service_is_set(strip, record, tmp_path):
    files = contents(record, ".hea", ".dat")
    with serving(tmp_path / "uploads", "few-alarms") as server:
        by_none = [server.samples(fs=FS, samples=strip), server.files(files)]
        by_name = [server.samples(fs=FS, samples=strip, model="sequence"), server.files(files, model="sequence")]
    assert all(answer.json()["model"].endswith(", few-alarms") for answer in by_none)
    wanted = ectopy.analyze(ectopy.read(record), model="sequence").model
    assert [answer.json()["model"] for answer in by_name] == [wanted, wanted]


def test_a_model_without_classes_counts_its_beats_under_none(server, strip):
    got = server.samples(fs=FS, samples=strip, model="autoencoder-adaptive").json()
    AnalysisOut.model_validate(got)
    assert [*got["summary"]["beats"]] == ["none"]


WAVE = [0.0, 0.1] * 500
WRONG = {
    "a rate too low": ({"fs": 50, "samples": WAVE}, 400, "50 Hz"),
    "a rate that would fill the memory": ({"fs": "1e999999999", "samples": WAVE}, 400, "fs '1e999999999'"),
    "a rate of words": ({"fs": "fast", "samples": WAVE}, 400, "fs 'fast'"),
    "no rate": ({"samples": WAVE}, 422, "fs: Field required"),
    "text among the samples": (
        {"fs": 360, "samples": [*WAVE, "0.1"]},
        422,
        "samples.1000: Input should be a valid number",
    ),
    "text among leads": ({"fs": 360, "samples": [[0.1, 0.2], [0.1, "x"]]}, 422, "samples.1.1: "),
    "yes and no": ({"fs": 360, "samples": [True, False]}, 422, "samples.0: "),
    "leads that come and go": ({"fs": 360, "samples": [[0.1], [0.1, 0.2]]}, 400, "different numbers of leads"),
    "no lead": ({"fs": 360, "samples": [[], []]}, 400, "0 leads"),
    "too many leads": ({"fs": 360, "samples": [[0.0] * 17] * 999}, 400, "17 leads"),
    "names for other leads": ({"fs": 360, "leads": ["II", "V1"], "samples": WAVE}, 400, "2 leads"),
    "two leads of one name": (
        {"fs": 360, "leads": ["II", "II"], "samples": [[0, 0]] * 999},
        400,
        "two leads of one name",
    ),
    "no samples": ({"fs": 360, "samples": []}, 422, "samples: "),
    "less than 2 s": ({"fs": 360, "samples": [0.1] * 700}, 400, "expected at least 2 s"),
    "nothing but null": ({"fs": 360, "samples": [None] * 1000}, 400, "every sample"),
    "a number beyond all numbers": ({"fs": 360, "samples": [10**400] * 1000}, 422, "samples.0: "),
    "no model of that name": (
        {"fs": 360, "samples": WAVE, "model": "best"},
        422,
        "no model 'best'; expected one of autoenc",
    ),
    "a model by its path": (
        {"fs": 360, "samples": WAVE, "model": str(Path(zoo.__file__).parent / "instant")},
        422,
        "no model",
    ),
    "an unknown field": ({"fs": 360, "samples": WAVE, "gain": 3}, 422, "gain: Extra inputs are not permitted"),
    "a list": ([1, 2], 422, "body: "),
}


@pytest.mark.parametrize(("request_", "status", "why"), WRONG.values(), ids=WRONG)
def test_a_request_that_can_not_be_is_refused_with_a_reason(server, request_, status, why):
    body = json.dumps(request_).encode()
    answer = server.client.post("/v1/analyze", content=body, headers={"content-type": "application/json"})
    assert why in reason(answer, status)


@pytest.mark.parametrize(
    "body", [b"", b'{"fs": 360, "samples": [0.1,', b"\xff\xfe", b"[" * 100_000, b'{"fs":NaN,"samples":[1]}']
)
def test_what_is_no_json_is_refused(server, body):
    answer = server.client.post("/v1/analyze", content=body, headers={"content-type": "application/json"})
    reason(answer, 422)


def test_neither_json_nor_a_form_is_refused(server):
    answer = server.client.post("/v1/analyze", content=b"0.1,0.2", headers={"content-type": "text/csv"})
    assert "application/json" in reason(answer, 415)


def test_json_over_16_mib_is_refused_whether_its_length_is_announced_or_not(server):
    kind = {"content-type": "application/json"}
    assert "16 MiB" in reason(server.client.post("/v1/analyze", content=b" " * (16 * MIB + 1), headers=kind), 413)
    pieces = (b" " * MIB for _ in range(20))
    assert "16 MiB" in reason(server.client.post("/v1/analyze", content=pieces, headers=kind), 413)


def test_a_million_wrong_samples_are_one_reason_and_soon(server):
    body = b'{"fs": 360, "samples": [' + b",".join([b'"a"'] * 4_000_000) + b"]}"
    began = time.monotonic()
    answer = server.client.post("/v1/analyze", content=body, headers={"content-type": "application/json"})
    assert reason(answer, 422).startswith("samples.0: ")
    assert time.monotonic() - began < 10


def test_long_json_is_judged_as_a_strip_is(server, demo):
    samples = np.tile(demo.samples[:, 0].astype(float).round(4), 2)
    body = {"fs": FS, "samples": samples.tolist()}
    assert len(json.dumps(body)) > MIB
    assert server.samples(**body).json()["intervals"] == as_json(ectopy.analyze(samples, FS))


def test_strips_beyond_the_queue_are_told_to_come_again(tmp_path, strip):
    with serving(tmp_path / "uploads", waiting=0) as small:
        small.samples(fs=FS, samples=strip)
        with ThreadPoolExecutor(8) as pool:
            answers = [*pool.map(lambda _: small.samples(fs=FS, samples=strip), range(24))]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused and len(refused) < len(answers)
        assert all(answer.headers["Retry-After"] == "1" and reason(answer, 429) for answer in refused)


def test_a_worker_that_is_killed_costs_its_strip_and_no_other(server, strip):
    (worker,) = children(None)
    os.kill(worker, signal.SIGSTOP)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(server.samples, fs=FS, samples=strip)
        time.sleep(0.3)
        second = pool.submit(server.samples, fs=FS, samples=strip)
        time.sleep(0.3)
        os.kill(worker, signal.SIGKILL)
        assert "broke off" in reason(first.result(), 500)
        assert second.result().status_code == 200
    (worker,) = children(None)
    os.kill(worker, signal.SIGKILL)
    time.sleep(0.5)
    assert server.samples(fs=FS, samples=strip).status_code == 200


# -- files ----------------------------------------------------------------------------------------------------------


def test_a_record_is_judged_as_the_offline_analysis_judges_it_bit_for_bit(server, record):
    answer = server.files(contents(record, ".hea", ".dat", ".atr"))
    assert answer.status_code == 200
    AnalysisOut.model_validate(answer.json())
    wanted = ectopy.analyze(ectopy.read(record))
    assert answer.json()["intervals"] == as_json(wanted)
    assert (answer.json()["name"], answer.json()["leads"]) == ("one", ["MLII"])
    assert [*server.folder.iterdir()] == []


def test_a_record_of_mit_bih_is_judged_with_the_model_asked_for(server, mitdb):
    answer = server.files(contents(mitdb / "208", ".hea", ".dat"), model="sequence")
    wanted = ectopy.analyze(ectopy.read(mitdb / "208"), model="sequence")
    assert answer.json()["intervals"] == as_json(wanted)


def test_an_archive_of_a_record_will_do(server, record):
    files = contents(record, ".hea", ".dat", ".atr")
    packed = archive({f"some/folder/{name}": content for name, content in files.items()} | {"__MACOSX/._one.hea": b"x"})
    assert server.files({"one.zip": packed}).json()["intervals"] == server.files(files).json()["intervals"]


def test_a_record_of_several_segments_is_one_record(server, record):
    header = record.with_suffix(".hea").read_text()
    whole = f"whole/3 1 {FS} {60 * FS * 2 + 720}\none {60 * FS}\n~ 720\none {60 * FS}\n"
    answer = server.files({"whole.hea": whole.encode(), "one.hea": header.encode(), **contents(record, ".dat")})
    assert answer.json()["name"] == "whole" and answer.json()["summary"]["duration_s"] == 122


def test_a_file_that_is_cut_or_missing_or_another_is_refused_by_its_name(server, record):
    files = contents(record, ".hea", ".dat")
    cut = server.files({**files, "one.dat": files["one.dat"][:5000]})
    assert reason(cut, 400).startswith("one.dat: holds 3,333 samples, but its header promises 21,600; upload it again")
    assert reason(server.files({"one.hea": files["one.hea"]}), 422).startswith("one.dat: not there")
    assert "without its header one.hea" in reason(server.files({"one.dat": files["one.dat"]}), 400)
    pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    assert reason(server.files({"scan.hea": pdf}), 400).startswith("scan.hea: no WFDB header")
    assert reason(server.files({"scan.pdf": pdf}), 400).startswith("scan.pdf: in no format that Ectopy reads")
    assert reason(server.files({"one.hea": b"", "one.dat": b""}), 400)
    two = server.files({"a.hea": files["one.hea"], "b.hea": files["one.hea"], "one.dat": files["one.dat"]})
    assert "2 records (a, b)" in reason(two, 422)


def test_a_path_in_a_file_name_leads_nowhere(server, record):
    files = contents(record, ".hea", ".dat")
    climbing = {"../../one.hea": files["one.hea"], "..\\..\\one.dat": files["one.dat"]}
    from_the_root = {"/etc/one.hea": files["one.hea"], "C:\\ecg\\one.dat": files["one.dat"]}
    for answer in (server.files(climbing), server.files(from_the_root), server.files({"one.zip": archive(climbing)})):
        assert answer.status_code == 200 and answer.json()["name"] == "one"
    assert [*server.folder.parent.iterdir()] == [server.folder] and [*server.folder.iterdir()] == []


@pytest.mark.parametrize("name", ["..", ".", "a/..", ".bashrc", "x" * 300])
def test_a_name_that_no_file_should_have_is_refused(server, name):
    assert "no name for a file" in reason(server.files({name: b"x"}), 400)


def test_a_header_that_names_files_elsewhere_is_refused(server, record):
    for elsewhere in ("../one.dat", "/etc/passwd"):
        header = record.with_suffix(".hea").read_text().replace("one.dat", elsewhere).encode()
        assert reason(server.files({"one.hea": header, **contents(record, ".dat")}), 400).startswith("one.hea: ")


def test_an_archive_that_swells_is_stopped_as_it_does(server):
    bomb = archive({"one.hea": b"\0" * 200 * MIB})
    assert len(bomb) < MIB
    assert "more than" in reason(server.files({"one.zip": bomb}), 413)
    lying = bytearray(archive({"one.hea": b"\0" * 64 * MIB}))
    at = lying.rindex(b"PK\x01\x02")
    lying[at + 24 : at + 28] = (10).to_bytes(4, "little")  # the size that it says it has
    assert server.files({"one.zip": bytes(lying)}).status_code in (400, 413)
    crowd = archive({f"{n}.hea": b"" for n in range(1000)})
    assert "1,000 files" in reason(server.files({"one.zip": crowd}), 413)


def test_an_archive_takes_no_room_that_the_disk_is_to_keep(tmp_path):
    spare = shutil.disk_usage(tmp_path).free - 64 * MIB
    with serving(tmp_path / "uploads", spare_bytes=spare, expansion=10_000) as full:
        answer = full.files({"one.zip": archive({"one.dat": bytes(128 * MIB)})})
        assert "no room" in reason(answer, 503)
        assert [*full.folder.iterdir()] == []


def test_an_archive_that_is_damaged_or_no_record_is_refused(server, record):
    packed = archive(contents(record, ".hea", ".dat"))
    for broken in (packed[:-30], packed[:60] + bytes(60) + packed[120:], packed[:4]):
        assert "no archive that can be unpacked" in reason(server.files({"one.zip": broken}), 400)
    entry, end = packed.index(b"PK\x01\x02"), packed.rindex(b"PK\x05\x06")
    for at, others in (
        (entry + 8, b"\x00\x08"),  # its names are UTF-8 ...
        (entry + 28, b"\x00\x00\x00\x00\x07\x00"),  # a file without a name
        (end + 12, b"\xff\xff\x00\x00"),  # its list of files begins before the archive does
    ):
        damaged = bytearray(packed.replace(b"one.hea", b"on\xff.hea"))
        damaged[at : at + len(others)] = others
        assert "no archive that can be unpacked" in reason(server.files({"one.zip": bytes(damaged)}), 400)
    assert "without a file" in reason(server.files({"one.zip": archive({})}), 400)
    assert "two files" in reason(server.files({"one.zip": archive({"a/one.hea": b"", "b/one.hea": b""})}), 400)
    assert "inner.zip: in no format" in reason(server.files({"one.zip": archive({"inner.zip": packed})}), 400)


def test_a_form_that_is_none_is_refused(server):
    def send(body: bytes, boundary: str = "; boundary=b") -> httpx.Response:
        kind = {"content-type": f"multipart/form-data{boundary}"}
        return server.client.post("/v1/analyze", content=body, headers=kind)

    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.hea"\r\n\r\nx'
    assert "last boundary" in reason(send(part), 400)
    assert "multipart" in reason(send(b"hello"), 400)
    assert "boundary" in reason(send(part, ""), 400)
    assert "Boundary" in reason(send(part, f"; boundary={'b' * 3000}"), 400)
    assert "no file" in reason(send(b"--b--\r\n"), 422)
    assert "part called 'ecg'" in reason(send(part.replace(b"file", b"ecg", 1) + b"\r\n--b--\r\n"), 422)
    assert "field called 'leads'" in reason(server.files({"a.hea": b"x"}, leads="II"), 422)
    assert "no model" in reason(server.files({"a.hea": b"x"}, model="../instant"), 422)
    assert "two files are called a.hea" in reason(send(part + b"\r\n" + part + b"\r\n--b--\r\n"), 422)
    assert "more than 64 files" in reason(server.files({f"{n}.hea": b"x" for n in range(65)}), 413)
    assert [*server.folder.iterdir()] == []


def test_a_result_takes_no_room_that_the_disk_is_to_keep(tmp_path, record):
    spare = shutil.disk_usage(tmp_path).free - 256 * MIB
    with serving(tmp_path / "uploads", wait_s=0.0, spare_bytes=spare) as full:
        answer = full.files(contents(record, ".hea", ".dat"))
        with (tmp_path / "other").open("wb") as other:
            os.posix_fallocate(other.fileno(), 0, 512 * MIB)
            job = full.job(answer, lambda job: job["state"] == "failed")
        assert "no room for the result on the service's disk (less than" in job["reason"]
        (folder,) = full.folder.iterdir()
        until(lambda: not [*folder.iterdir()])


def test_a_job_that_is_done_keeps_its_result_alone(tmp_path, demo):
    with serving(tmp_path / "uploads", wait_s=0.0, strip_bytes=1000) as short:
        strip = {"fs": FS, "samples": demo.samples[:3600, 0].astype(float).tolist()}
        short.job(short.samples(**strip), lambda job: job["state"] == "done")
        (folder,) = short.folder.iterdir()
        until(lambda: [file.name for file in folder.iterdir()] == ["result.json"])


def test_an_upload_beyond_the_limit_is_refused_and_leaves_nothing(tmp_path, record):
    with serving(tmp_path / "uploads", upload_bytes=2 * MIB) as small:
        assert "2 MiB" in reason(small.files({"one.dat": bytes(3 * MIB)}), 413)
        assert [*small.folder.iterdir()] == []
        assert small.files(contents(record, ".hea", ".dat")).status_code == 200


def test_an_upload_for_which_there_is_no_room_is_told_to_come_again(tmp_path, record):
    with serving(tmp_path / "uploads", spare_bytes=2**62) as full:
        answer = full.files(contents(record, ".hea", ".dat"))
        assert "no room on the service's disk" in reason(answer, 503) and answer.headers["Retry-After"] == "60"


def test_a_record_that_needs_too_much_memory_or_time_is_refused(tmp_path, record, long_record):
    files = contents(record, ".hea", ".dat")
    huge = f"huge/3 1 {FS} {4_000_000_000 + 43_200}\none 21600\n~ 4000000000\none 21600\n".encode()
    with serving(tmp_path / "uploads", cpu_s=4) as small:
        assert "4,096 MiB of memory" in reason(small.files({"huge.hea": huge, **files}), 413)
        assert "4 s of processor time" in reason(small.files(long_record), 413)
        assert small.files(files).status_code == 200


# -- jobs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "uploads", wait_s=0.2, waiting=1, kept=1, kept_s=3) as running:
        yield running


def test_what_takes_longer_is_a_job_that_tells_its_progress_and_then_its_result(impatient, record):
    answer = impatient.files(contents(record, ".hea", ".dat"))
    assert Job.model_validate(answer.json()).state in ("waiting", "running")
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json()['id']}"
    job = impatient.job(answer, lambda job: job["state"] == "done")
    Job.model_validate(job)
    assert job["progress"] == 1 and job["result"]["intervals"] == as_json(ectopy.analyze(ectopy.read(record)))
    assert sorted(path.name for path in impatient.folder.rglob("*")) == [job["id"], "result.json"]
    again = impatient.files(contents(record, ".hea", ".dat"))
    impatient.job(again, lambda job: job["state"] == "done")
    assert impatient.client.get(answer.headers["Location"]).status_code == 404, "one is kept, the newest"
    time.sleep(3.2)
    reason(impatient.client.get(again.headers["Location"]), 404)
    assert [*impatient.folder.iterdir()] == []


def test_a_file_that_is_wrong_makes_a_job_that_fails(impatient):
    job = impatient.job(impatient.files({"scan.hea": b"%PDF"}), lambda job: job["state"] == "failed")
    assert job["reason"].startswith("scan.hea: no WFDB header") and job["result"] is None


def test_a_child_that_is_killed_fails_its_job_and_another_one_waits_its_turn(impatient, long_record, record):
    first = impatient.files(long_record)
    impatient.job(first, lambda job: job["progress"] > 0)
    second = impatient.files(contents(record, ".hea", ".dat"))
    assert second.json()["state"] == "waiting"
    third = impatient.files(contents(record, ".hea", ".dat"))
    assert "2 files are being analysed" in reason(third, 429) and third.headers["Retry-After"] == "30"
    (child,) = children(impatient.folder)
    os.kill(child, signal.SIGKILL)
    job = impatient.job(first, lambda job: job["state"] == "failed")
    assert "was killed" in job["reason"] and 0 < job["progress"] < 1
    impatient.job(second, lambda job: job["state"] == "done")


def test_a_job_that_is_cancelled_is_gone_with_its_child_and_files(impatient, long_record):
    answer = impatient.files(long_record)
    impatient.job(answer, lambda job: job["progress"] > 0)
    waiting = impatient.files(long_record)
    for location in (waiting.headers["Location"], answer.headers["Location"]):
        cancelled = impatient.client.delete(location)
        assert cancelled.status_code == 200 and Job.model_validate(cancelled.json()).state == "cancelled"
        reason(impatient.client.get(location), 404)
        reason(impatient.client.delete(location), 404)
    assert children(impatient.folder) == [] and [*impatient.folder.iterdir()] == []


def test_who_hangs_up_cancels(server, long_record):
    with pytest.raises(httpx.ReadTimeout):
        server.client.post("/v1/analyze", files=[("file", item) for item in long_record.items()], timeout=2)
    for _ in range(100):
        if not children(server.folder) and not [*server.folder.iterdir()]:
            return
        time.sleep(0.05)
    raise AssertionError("it goes on")


def test_a_service_that_stops_ends_its_children_and_leaves_nothing(tmp_path, long_record):
    with serving(tmp_path / "uploads", wait_s=0.2) as stopping:
        stopping.job(stopping.files(long_record), lambda job: job["progress"] > 0)
        assert len(children(stopping.folder)) == 1


# -- models, OpenAPI ------------------------------------------------------------------------------------------------


def test_models_are_listed_with_their_cards(server):
    listed = server.client.get("/v1/models").json()
    assert sorted(model["name"] for model in listed) == zoo.installed()
    assert [model["name"] for model in listed if model["default"]] == [DEFAULT_MODEL]
    assert all(model["card"] == zoo.load(model["name"]).card for model in listed)


def test_openapi_says_what_goes_in_and_out_with_examples_that_are_true(server):
    paths = server.client.get("/openapi.json").json()["paths"]
    post = paths["/v1/analyze"]["post"]
    for operation in (post, paths["/v1/jobs/{job_id}"]["get"], paths["/v1/jobs/{job_id}"]["delete"]):
        assert operation["summary"] and operation["description"]
    content = post["requestBody"]["content"]
    AnalysisRequest.model_validate(content["application/json"]["examples"]["strip"]["value"])
    assert content["multipart/form-data"]["schema"]["properties"]["file"]["items"]["format"] == "binary"
    answers = post["responses"]
    AnalysisOut.model_validate(answers["200"]["content"]["application/json"]["example"])
    Job.model_validate(answers["202"]["content"]["application/json"]["example"])
    assert {"400", "413", "422", "429", "500"} < answers.keys()
