"""Getting a database, from a real server that breaks off, sends wrong bytes and answers 404 and 503."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
import wfdb

import ectopy
from ectopy.data import fetch, find, hand_held, records
from ectopy.errors import DownloadError, FormatError, OutputError, RecordError

BIG = 300_000  # bytes of the signal file: several blocks


class Server(ThreadingHTTPServer):
    """PhysioNet on a loopback port; `faults` says what goes wrong with a file, one entry an answer.

    503, 404 : that status
    n < 0 : breaks off after -n bytes
    bytes : these instead, whole
    "slow" : waits a moment after each block
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.ranges = True

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def publish(self, place, files):
        sums = "".join(f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in files.items())
        for name, content in {**files, "SHA256SUMS.txt": sums.encode()}.items():
            self.files[f"/{place}/{name}"] = content

    def count(self, name):
        return sum(path.endswith(f"/{name}") for path, _ in self.asked)


class _Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        faults = self.server.faults.get(self.path.rsplit("/", 1)[1], [])
        fault = faults.pop(0) if faults else None
        content = fault if isinstance(fault, bytes) else self.server.files.get(self.path)
        if fault in (404, 503) or content is None:
            self.send_error(fault or 404)
            return
        first = 0
        if wanted and self.server.ranges and not isinstance(fault, bytes):
            first = int(wanted.removeprefix("bytes=").rstrip("-"))
            if first >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        body = content[first : first - fault] if isinstance(fault, int) else content[first:]
        for start in range(0, len(body), 16384):
            self.wfile.write(body[start : start + 16384])
            if fault == "slow":
                time.sleep(0.05)
        if isinstance(fault, int):
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The files of a database with one record, `208`, and what else lies beside it at PhysioNet."""
    folder = tmp_path_factory.mktemp("published")
    signal_mv = np.random.default_rng(0).normal(0, 0.5, (BIG // 2, 1))
    wfdb.wrsamp("208", 360, ["mV"], ["MLII"], signal_mv, fmt=["16"], write_dir=str(folder))
    wfdb.wrann("208", "atr", np.array([300]), ["V"], write_dir=str(folder))
    files = {f"208.{suffix}": (folder / f"208.{suffix}").read_bytes() for suffix in ("hea", "dat", "atr")}
    assert len(files["208.dat"]) == BIG
    return files | {
        "RECORDS": b"208\n",
        "102-0.atr": b"old",
        "208.xws": b"view",
        "x_mitdb/x_208.dat": b"part",
    }


@pytest.fixture
def server(published, monkeypatch):
    server = Server()
    server.publish("mitdb/1.0.0", published)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("ECTOPY_MIRROR", server.address)
    # the pauses between tries
    monkeypatch.setattr("ectopy.data.download.time", SimpleNamespace(sleep=lambda _: None))
    yield server
    server.shutdown()
    server.server_close()


def _is_whole(folder, published):
    names = ("208.hea", "208.dat", "208.atr", "RECORDS")
    return all((folder / name).read_bytes() == published[name] for name in names)


def _left_over(folder):
    return [path.name for path in folder.iterdir() if path.suffix == ".part"]


def test_a_database_is_fetched_whole_without_what_is_no_record(server, published, tmp_path):
    folder = fetch("mitdb", tmp_path)
    assert _is_whole(folder, published)
    assert sorted(path.name for path in folder.glob("[!.]*")) == [
        "208.atr",
        "208.dat",
        "208.hea",
        "RECORDS",
        "SHA256SUMS.txt",
    ]
    recording = ectopy.read("mitdb/208", data_dir=tmp_path)
    assert (recording.leads, list(recording.annotations.symbol)) == (("MLII",), ["V"])


def test_progress_counts_files_and_bytes(server, published, tmp_path):
    calls = []
    fetch("mitdb", tmp_path, lambda *call: calls.append(call))
    assert calls[0] == (0, 4, 0)
    assert calls[-1] == (4, 4, 0)
    assert sum(new for *_, new in calls) == sum(
        len(published[name]) for name in ("208.hea", "208.dat", "208.atr", "RECORDS")
    )


def test_what_is_whole_is_not_fetched_again(server, tmp_path):
    fetch("mitdb", tmp_path)
    server.asked.clear()
    fetch("mitdb", tmp_path)
    assert server.asked == []


def test_a_damaged_file_is_found_out_and_mended(server, published, tmp_path):
    folder = fetch("mitdb", tmp_path)
    (folder / "208.dat").write_bytes(published["208.dat"][:1000])
    with pytest.raises(FormatError, match=r"holds 500 samples.*'ectopy data get mitdb'"):
        ectopy.read("mitdb/208", data_dir=tmp_path)
    fetch("mitdb", tmp_path)
    assert _is_whole(folder, published)


def test_a_connection_that_breaks_off_goes_on_where_it_stopped(server, published, tmp_path):
    server.faults["208.dat"] = [-131_072, -131_072]
    folder = fetch("mitdb", tmp_path)
    assert _is_whole(folder, published)
    assert [wanted for path, wanted in server.asked if path.endswith("208.dat")] == [
        None,
        "bytes=131072-",
        "bytes=262144-",
    ]


def test_a_run_that_failed_is_taken_up_by_the_next(server, published, tmp_path):
    server.faults["208.dat"] = [-131_072, *[503] * 5]
    with pytest.raises(DownloadError, match=r"208\.dat: the server answers 503 .* 5 times"):
        fetch("mitdb", tmp_path)
    assert not (tmp_path / "mitdb" / "208.dat").exists()
    server.asked.clear()
    assert _is_whole(fetch("mitdb", tmp_path), published)
    assert server.asked[0] == ("/mitdb/1.0.0/208.dat", "bytes=131072-")
    assert server.count("208.atr") == 0
    assert _left_over(tmp_path / "mitdb") == []


def test_a_server_that_knows_no_ranges_starts_again_and_the_file_is_right(server, published, tmp_path):
    server.ranges = False
    server.faults["208.dat"] = [-131_072]
    assert _is_whole(fetch("mitdb", tmp_path), published)


@pytest.mark.parametrize("left", [b"something else", b"x" * (BIG + 10)])
def test_a_part_of_something_else_is_thrown_away(server, published, tmp_path, left):
    (tmp_path / "mitdb").mkdir()
    (tmp_path / "mitdb" / "208.dat.part").write_bytes(left)
    assert _is_whole(fetch("mitdb", tmp_path), published)


def test_a_part_that_was_whole_already_gets_its_name(server, published, tmp_path):
    (tmp_path / "mitdb").mkdir()
    (tmp_path / "mitdb" / "208.dat.part").write_bytes(published["208.dat"])
    assert _is_whole(fetch("mitdb", tmp_path), published)


def test_wrong_bytes_are_deleted_and_said(server, published, tmp_path):
    wrong = bytes(BIG)
    server.faults["208.dat"] = [wrong]
    with pytest.raises(DownloadError, match=r"208\.dat: wrong bytes"):
        fetch("mitdb", tmp_path)
    assert not (tmp_path / "mitdb" / "208.dat").exists()
    assert _left_over(tmp_path / "mitdb") == []
    assert _is_whole(fetch("mitdb", tmp_path), published)


def test_a_missing_file_is_said_at_once(server, tmp_path):
    server.faults["208.dat"] = [404]
    with pytest.raises(DownloadError, match=r"208\.dat: the server answers 404"):
        fetch("mitdb", tmp_path)
    assert server.count("208.dat") == 1


def test_a_missing_database_is_said_at_once(server, tmp_path):
    with pytest.raises(DownloadError, match=r"afdb/1\.0\.0/SHA256SUMS\.txt: the server answers 404"):
        fetch("afdb", tmp_path)


def test_a_busy_server_is_asked_again(server, published, tmp_path):
    server.faults["208.dat"] = [503, 503]
    assert _is_whole(fetch("mitdb", tmp_path), published)
    assert server.count("208.dat") == 3


def test_a_page_in_place_of_the_checksums_is_not_kept(server, published, tmp_path):
    server.faults["SHA256SUMS.txt"] = [b"<html>log in to this network</html>"]
    with pytest.raises(DownloadError, match=r"SHA256SUMS\.txt: no list of checksums"):
        fetch("mitdb", tmp_path)
    assert _is_whole(fetch("mitdb", tmp_path), published)


def test_checksums_that_broke_off_are_not_kept(server, published, tmp_path):
    server.faults["SHA256SUMS.txt"] = [-100]
    assert _is_whole(fetch("mitdb", tmp_path), published)


def test_no_network_is_said_with_what_to_do(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ECTOPY_MIRROR", "http://127.0.0.1:1")
    with pytest.raises(DownloadError, match=r"connection failed.*check the network"):
        fetch("mitdb", tmp_path)


def test_an_address_that_is_none_is_said(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ECTOPY_MIRROR", "nowhere")
    with pytest.raises(DownloadError, match="check ECTOPY_MIRROR"):
        fetch("mitdb", tmp_path)


def test_a_folder_that_can_not_be_written_is_said(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"can't be written.*--data-dir"):
        fetch("mitdb", tmp_path / "file")


def test_an_unknown_database_is_refused_with_the_names_there_are(tmp_path):
    with pytest.raises(RecordError, match=r"mitbd: no database of that name; expected one of mitdb, svdb, .*"):
        fetch("mitbd", tmp_path)


def test_challenge_2017_is_its_validation_set_under_either_name(server, published, tmp_path):
    files = {f"validation/A00001.{s}": published[f"208.{s}"] for s in ("hea", "dat")}
    files |= {"validation/REFERENCE.csv": b"A00001,N\n", "training/A00/A00001.hea": published["208.hea"]}
    server.publish("challenge-2017/1.0.0", files)
    for name in ("challenge-2017", "cinc2017"):
        folder = fetch(name, tmp_path)
        assert folder == tmp_path / "cinc2017"
    assert hand_held("training", tmp_path) == [("cinc2017/A00001", "N")]
    (folder / "REFERENCE.csv").unlink()  # as after a run that was interrupted
    with pytest.raises(RecordError, match=r"REFERENCE\.csv: not there.*'ectopy data get cinc2017' goes on"):
        hand_held("training", tmp_path)
    assert records("cinc2017", tmp_path) == ("cinc2017/A00001",)


def test_databases_are_looked_for_in_the_option_then_the_variable_then_the_cache(tmp_path, monkeypatch):
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "variable"))
    with pytest.raises(RecordError, match=r"mitdb: not on this machine .*fetch it with 'ectopy data get mitdb'"):
        find("mitdb", tmp_path / "option")
    for place in ("cache/ectopy", "variable", "option"):
        header = tmp_path / place / "mitdb" / "100.hea"
        header.parent.mkdir(parents=True)
        header.touch()
        assert find("mitdb", tmp_path / "option") == header.parent


_FETCH = "import sys; from ectopy.data import fetch; fetch('mitdb', sys.argv[1])"


def _run(code, *args, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


def test_two_processes_at_once_do_not_spoil_each_other_s_files(server, published, tmp_path):
    server.faults["208.dat"] = ["slow"]
    runs = [_run(_FETCH, str(tmp_path)) for _ in range(2)]
    errors = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    assert _is_whole(tmp_path / "mitdb", published)
    assert server.count("208.dat") == 1


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_a_full_disk_is_said_and_leaves_nothing_that_looks_whole(server, tmp_path):
    code = f"""
import resource, sys
from ectopy.data import fetch
from ectopy.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, ({BIG // 2}, {BIG // 2}))
try:
    fetch("mitdb", sys.argv[1])
except OutputError as error:
    print(error)
"""
    out, errors = _run(code, str(tmp_path)).communicate(timeout=60)
    assert "can't be written (File too large); free some space" in out, errors
    assert not (tmp_path / "mitdb" / "208.dat").exists()


@pytest.mark.skipif(os.name != "posix", reason="interrupts as POSIX does")
def test_an_interrupted_command_ends_in_one_line_and_can_be_taken_up(server, published, tmp_path):
    server.faults["208.dat"] = ["slow"]
    code = "import sys; from ectopy.cli.data import app; app(['get', 'mitdb', '--data-dir', sys.argv[1]])"
    run = _run(code, str(tmp_path))
    part = tmp_path / "mitdb" / "208.dat.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=30)
    assert (run.returncode, errors) == (130, "stopped; 'ectopy data get mitdb' goes on from here\n")
    assert not (tmp_path / "mitdb" / "208.dat").exists()
    assert part.stat().st_size
    assert _is_whole(fetch("mitdb", tmp_path), published)
    assert [bool(wanted) for path, wanted in server.asked if path.endswith("208.dat")] == [False, True]


def test_the_command_says_where_the_database_is_and_whom_to_cite(server, tmp_path):
    from typer.testing import CliRunner

    from ectopy.cli.data import app

    got = CliRunner().invoke(app, ["get", "mitdb", "--data-dir", str(tmp_path)])
    assert got.exit_code == 0, got.output
    assert str(tmp_path / "mitdb") in got.output.replace("\n", "")
    assert "Moody GB, Mark RG" in got.output
    assert "mitdb: the server lists only 1 of its 48 records; if it should have more, delete" in got.stderr
    listed = CliRunner().invoke(app, ["list", "--data-dir", str(tmp_path)], env={"COLUMNS": "400", "ECTOPY_DATA": ""})
    rows = {line.split()[0]: line for line in listed.output.splitlines() if line.strip()}
    assert str(tmp_path / "mitdb") in rows["mitdb"]
    assert "ODC-By 1.0" in rows["afdb"]
