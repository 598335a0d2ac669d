"""The command line, run as a user runs it."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import wfdb
from typer.main import get_command
from typer.testing import CliRunner

from ectopy import analyze, zoo
from ectopy.alarms import PRIORITIES, episodes
from ectopy.cli import app
from ectopy.figures import clock

ECTOPY = (sys.executable, "-m", "ectopy")


def run(*arguments, code=0):
    """In this process, which has everything imported already."""
    answer = CliRunner().invoke(app, [*map(str, arguments)])
    assert answer.exit_code == code, answer.stderr
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    return answer


def commands(command, path=()):
    below = getattr(command, "commands", {})
    return [(path, command), *(found for name in below for found in commands(below[name], (*path, name)))]


@pytest.mark.parametrize(("path", "command"), commands(get_command(app)), ids=lambda x: str(x)[:40])
def test_every_command_and_every_option_is_explained(path, command):
    answer = CliRunner().invoke(app, [*path, "--help"])
    assert answer.exit_code == 0
    assert re.search(r"^  [A-Z].+\.", answer.output, re.MULTILINE), "no sentence on what it does"
    assert [parameter.name for parameter in command.params if not parameter.help] == []


def test_help_imports_nothing_heavy():
    heavy = {"numpy", "scipy", "pandas", "matplotlib", "onnxruntime", "wfdb", "rich", "keras", "tensorflow"}
    code = f"""
import sys
from typer.testing import CliRunner
from ectopy.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print(sorted({heavy} & set(sys.modules)))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_version_is_that_of_the_package():
    assert run("--version").stdout == f"ectopy {version('ectopy')}\n"


def test_watch_prints_a_line_a_verdict_and_a_summary_where_there_is_no_terminal():
    answer = run("watch", "demo", "--speed", "max")
    *told, summary = answer.stdout.splitlines()
    lines = [line for line in told if "/min  " in line]
    starts = [line.split("-")[0] for line in lines]
    assert starts == [f"{s // 60}:{s % 60:02}" for s in range(0, 300, 5)]
    assert all(re.search(r" (normal|abnormal|unreadable) ", line) for line in lines)
    counts = [sum(f" {word} " in line for line in lines) for word in ("normal", "abnormal", "unreadable")]
    assert summary.startswith("60 intervals: {} normal, {} abnormal, {} unreadable; beats: ".format(*counts))


def test_watch_tells_the_alarms_of_the_analysis_when_they_are_raised_and_when_they_are_over(demo):
    found = episodes(analyze(demo).findings, 300)
    *told, summary = run("watch", "demo", "--speed", "max").stdout.splitlines()
    alarms = [line.split(maxsplit=2) for line in told if "/min  " not in line]
    assert [why for _, what, why in alarms if what == "over"] == [
        e.code for e in sorted(found, key=lambda e: (e.end_s, e.told_s))
    ]
    raised = [(when, what, why.partition(":")[0]) for when, what, why in alarms if what != "over"]
    assert raised == [(clock(int(e.start_s)), e.priority.upper(), e.code) for e in found]
    urgent = [f"{n} {word}" for word in PRIORITIES if (n := sum(e.priority == word for e in found))]
    assert summary.endswith(f"alarms: {', '.join(urgent)}") and urgent


def test_the_demo_is_said_to_be_a_training_patient_and_the_software_no_medical_device():
    remarks = run("watch", "--speed", "max", "--json").stderr
    assert remarks.count("not a medical device") == 1
    assert "record 208, a training patient" in remarks


def test_json_is_one_object_a_verdict_and_the_same_as_the_analysis(demo):
    lines = run("watch", "demo", "--speed", "max", "--json").stdout.splitlines()
    told, analysis = [json.loads(line) for line in lines], analyze(demo)
    assert [t for t in told if t.get("type") != "alarm"] == [v.to_dict() for v in analysis.verdicts]
    assert not any("NaN" in line for line in lines)
    last = {t["id"]: t for t in told if t.get("type") == "alarm"}
    expected = [asdict(episode) for episode in episodes(analysis.findings, 300)]
    assert [{name: alarm[name] for name in expected[0]} for alarm in last.values()] == expected
    assert {alarm["presence"] for alarm in last.values()} == {"off"}


def test_verdicts_come_as_they_fall_due_and_ctrl_c_ends_with_one_line():
    process = subprocess.Popen(
        [*ECTOPY, "watch", "demo", "--speed", "30"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().startswith("0:00-0:05 ")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, remarks = process.communicate(timeout=60)
    assert process.returncode == 130
    assert remarks.splitlines()[-1] == "ectopy: stopped"
    assert "Traceback" not in remarks


def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen(
        [*ECTOPY, "watch", "demo", "--speed", "max", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert json.loads(process.stdout.readline())["start_s"] == 0
    process.stdout.close()
    remarks = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert "rror" not in remarks and "Traceback" not in remarks


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk without room")


@full
def test_an_analysis_is_saved_though_nobody_can_read_its_text(tmp_path):
    with Path("/dev/full").open("w") as disk:
        answer = subprocess.run(
            [*ECTOPY, "analyze", "demo", "--out", tmp_path], stdout=disk, stderr=subprocess.PIPE, text=True
        )
    assert answer.returncode == 2
    assert len(list(tmp_path.iterdir())) == 7
    assert [line for line in answer.stderr.splitlines() if line.startswith("ectopy: ")] == [
        "ectopy: [Errno 28] No space left on device"
    ]
    assert "Traceback" not in answer.stderr


def test_an_analysis_is_saved_and_no_error_though_its_reader_has_gone(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        answer = subprocess.run(
            [*ECTOPY, "analyze", "demo", "--out", tmp_path], stdout=pipe, stderr=subprocess.PIPE, text=True
        )
    assert answer.returncode == 0
    assert len(list(tmp_path.iterdir())) == 7
    assert "rror" not in answer.stderr and "Traceback" not in answer.stderr


@full
@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], ["config"], ["data", "list"], ["watch", "--speed", "max"]],
    ids=" ".join,
)
def test_a_full_disk_behind_stdout_gives_one_line_and_code_2(arguments):
    with Path("/dev/full").open("w") as disk:
        answer = subprocess.run([*ECTOPY, *arguments], stdout=disk, stderr=subprocess.PIPE, text=True)
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1] == "ectopy: [Errno 28] No space left on device"
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("watch demo >&-", "standard output is closed"),
        ("stream - --fs 360 --to http://127.0.0.1:9 <&-", "standard input is closed"),
    ],
)
def test_a_closed_stream_gives_one_line_and_code_2(arguments, words):
    answer = subprocess.run(f'"{sys.executable}" -m ectopy {arguments}', shell=True, capture_output=True, text=True)
    assert answer.returncode == 2
    refused(answer, [words])


def test_closed_stderr_hides_nothing_but_remarks():
    command = f'"{sys.executable}" -m ectopy analyze demo 2>&-'
    answer = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert answer.returncode == 0
    assert "60 intervals" in answer.stdout


def in_a_terminal(*arguments, **environment):
    terminal, inside = pty.openpty()
    screen = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", "NO_COLOR": ""}
    command, env = [*ECTOPY, *arguments], os.environ | screen | environment
    process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, env=env)
    os.close(inside)
    seen, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        ready, _, _ = select.select([terminal], [], [], 1)
        try:
            seen += os.read(terminal, 65536) if ready else b""
        except OSError:  # what Linux says at the end
            break
    assert process.wait(timeout=60) == 0
    os.close(terminal)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())


def test_a_terminal_without_unicode_shows_lines():
    text = in_a_terminal("watch", "demo", "--speed", "max", PYTHONIOENCODING="ascii")
    assert text.isascii()
    assert text.count("/min  ") == 60


def test_letters_that_stdout_cannot_show_do_not_stop_it(record, tmp_path):
    for file in [*record().parent.glob("mine.*")]:
        file.rename(tmp_path / f"Müller{file.suffix}")
    (tmp_path / "Müller.hea").write_text((tmp_path / "Müller.hea").read_text().replace("mine.dat", "Müller.dat"))
    command, env = [*ECTOPY, "analyze", tmp_path / "Müller"], os.environ | {"PYTHONIOENCODING": "ascii"}
    answer = subprocess.run(command, capture_output=True, text=True, env=env)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("M?ller\n")


def test_a_terminal_shows_the_trace_the_heart_rate_and_a_line_a_verdict():
    text = in_a_terminal("watch", "demo", "--speed", "max")
    assert re.search(r"[\u2801-\u28ff]", text), "no trace"
    assert re.search(r"♥ \d+/min", text)
    assert re.search(r"│ .*\bN .*\bV ", text), "no letters above the beats"
    assert len(re.findall(r" \d:\d\d  (?:normal|abnormal|unreadable) ", text)) == 60
    assert re.search(r" 0:10  MEDIUM +tachycardia: heart rate 120 a minute or more", text)
    assert re.search(r" 0:10  over +tachycardia", text)
    assert "60 intervals" in text


def test_analyze_shows_a_summary_and_writes_what_it_names(tmp_path):
    answer = run("analyze", "demo", "--out", tmp_path / "result")
    assert "60 intervals" in answer.stdout
    written = re.findall(r"^wrote (.+)$", answer.stdout, re.MULTILINE)
    assert sorted(written) == sorted(map(str, (tmp_path / "result").iterdir()))
    assert len(written) == 7
    assert re.search(r"0:10 +0:20 +0:20 +medium +tachycardia +heart rate 120", answer.stdout)
    assert "training patient" in answer.stderr


def test_a_record_of_a_database_is_analysed_by_name_and_by_one_lead(mitdb):
    answer = run("analyze", "mitdb/208", "--lead", "V1", "--data-dir", mitdb.parent)
    assert answer.stdout.startswith("208\n")
    assert "361 intervals" in answer.stdout
    assert "training patient" not in answer.stderr


@pytest.fixture
def record(tmp_path, demo):
    """Writes a WFDB record of the demo's first minute and gives its path without ending."""

    def write(fs=360, samples=None):
        samples = demo.samples[: 60 * 360].astype(float) if samples is None else samples
        signal = {"units": ["mV"], "sig_name": ["MLII"], "fmt": ["16"], "adc_gain": [200], "baseline": [0]}
        wfdb.wrsamp("mine", fs=fs, p_signal=samples, write_dir=str(tmp_path), **signal)
        return tmp_path / "mine"

    return write


def test_a_users_own_record_is_watched_and_analysed(record, tmp_path):
    path = record()
    assert "12 intervals" in run("watch", path, "--speed", "max").stdout
    assert "12 intervals" in run("analyze", f"{path}.hea", "--out", tmp_path / "out").stdout
    assert (tmp_path / "out" / "mine.ectopy").exists()


@pytest.mark.parametrize("command", ["watch", "analyze"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], ["nowhere"]),
        (["mitdb/999", "--data-dir", "."], ["mitdb/999|mitdb: "]),
        (["demo", "--lead", "V9"], ["no lead V9", "MLII"]),
        (["demo", "--model", "clever"], ["clever", "instant"]),
    ],
    ids=["record", "database", "lead", "model"],
)
def test_a_name_that_is_not_known_gives_one_line_and_code_2(command, arguments, words):
    speed = ["--speed", "max"] if command == "watch" else []
    refused(run(command, *arguments, *speed, code=2), words)


def test_an_error_is_one_line_without_a_traceback():
    answer = subprocess.run([*ECTOPY, "analyze", "nowhere"], capture_output=True, text=True)
    assert answer.returncode == 2
    refused(answer, ["nowhere: no such recording"])


def refused(answer, words):
    """Nothing on stdout; on stderr one line, naming what was wrong."""
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("ectopy: ")
    for word in words:
        assert re.search(word, line), line


def test_a_truncated_record_gives_one_line_and_code_2(record):
    path = record()
    signal_file = path.with_suffix(".dat")
    signal_file.write_bytes(signal_file.read_bytes()[:20_000])
    refused(run("analyze", path, code=2), ["mine.dat", "10,?000|20,?000"])


def test_a_header_without_its_signal_gives_one_line_and_code_2(record):
    path = record()
    path.with_suffix(".dat").unlink()
    refused(run("watch", path, code=2), [r"mine\.dat"])


@pytest.mark.parametrize("fs", [50, 2000])
def test_a_rate_out_of_range_gives_one_line_and_code_2(record, fs):
    refused(run("analyze", record(fs=fs), code=2), [str(fs), "100", "1000"])


def test_a_recording_with_nothing_in_it_gives_one_line_and_code_2_and_writes_nothing(record, tmp_path):
    path = record(samples=np.full((3600, 1), np.nan))
    refused(run("analyze", path, "--out", tmp_path / "out", code=2), ["mine", "missing"])
    refused(run("watch", path, "--speed", "max", code=2), ["mine", "missing"])
    assert not (tmp_path / "out").exists()


def test_a_file_of_no_known_format_gives_one_line_and_code_2(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear doctor,\nI feel fine.\n")
    refused(run("analyze", tmp_path / "letter.txt", code=2), [r"letter\.txt"])


def test_an_output_folder_that_cannot_be_written_gives_one_line_and_code_2(tmp_path):
    (tmp_path / "file").write_text("mine")
    answer = run("analyze", "demo", "--out", tmp_path / "file", code=2)
    refused(answer, ["file: can't be written", "another folder"])
    assert (tmp_path / "file").read_text() == "mine"


# What makes root obey permissions; others do.
OBEYING = [
    word
    for word in ("setpriv", *(f"--{which}=-dac_override,-dac_read_search" for which in ("inh-caps", "bounding-set")))
    if not os.geteuid()
]
obeying = pytest.mark.skipif(bool(OBEYING) and not shutil.which("setpriv"), reason="root, and no setpriv")


@obeying
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("analyze demo --out none/x", r"^ectopy: none/x: can't be written as a folder \(Permission denied\)"),
        ("config", r"^ectopy: ectopy\.toml: can't be read \(Permission denied\)"),
        (f"analyze mitdb/{'9' * 300}", "mitdb"),
    ],
    ids=["out", "settings", "long"],
)
def test_what_the_system_refuses_is_told_in_one_line(tmp_path, arguments, words):
    (tmp_path / "none").mkdir(0)
    (tmp_path / "ectopy.toml").touch(0)
    command = [*OBEYING, *ECTOPY, *arguments.split()]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    (tmp_path / "none").chmod(0o700)
    assert answer.returncode == 2
    refused(answer, [words])


@obeying
@pytest.mark.parametrize(
    ("locked", "arguments", "words"),
    [
        ("mine.hea", "analyze mine", r"^ectopy: mine\.hea: can't be read \(Permission denied\)"),
        ("mine.dat", "analyze mine", r"mine\.dat: can't be read \(Permission denied\); check the file and its perm"),
        ("mine.atr", "analyze mine", r"mine\.atr: can't be read \(Permission denied\)"),
        ("mitdb", "analyze mitdb/mine", r"mitdb/mine\.hea: can't be read \(Permission denied\)"),
        ("mitdb", "analyze ./mitdb/mine", r"mitdb/mine: can't be read \(Permission denied\)"),
        ("mitdb", "data list --data-dir .", r"mitdb: can't be read \(Permission denied\)"),
    ],
)
def test_what_may_not_be_read_is_called_neither_damaged_nor_missing(record, tmp_path, locked, arguments, words):
    path = record()
    wfdb.wrann("mine", "atr", np.array([300]), ["V"], write_dir=str(tmp_path))
    (tmp_path / "mitdb").mkdir()
    for file in tmp_path.glob("mine.*"):
        shutil.copy(file, tmp_path / "mitdb")
    (path.parent / locked).chmod(0)
    environment = os.environ | {"ECTOPY_DATA": "."}
    command = [*OBEYING, *ECTOPY, *arguments.split()]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    (path.parent / locked).chmod(0o700)
    assert answer.returncode == 2
    refused(answer, [words])


def test_a_damaged_model_gives_one_line_and_code_2(tmp_path):
    folder = shutil.copytree(Path(zoo.__file__).parent / "instant", tmp_path / "instant")
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    zoo.load("instant")  # which is whole
    refused(run("analyze", "demo", "--model", folder, code=2), [r"model\.onnx", "ectopy train"])


@pytest.mark.parametrize("speed", ["0", "-1", "1e-15", "fast", "nan"])
def test_a_speed_that_is_none_is_refused(speed):
    answer = run("watch", f"--speed={speed}", code=2)
    assert answer.stdout == ""
    assert f"{speed}: expected a factor of 0.001 or more" in answer.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [["analyze"], ["watch", "--quickly"], ["dance"], ["train"]])
def test_a_wrong_call_is_explained_with_code_2(arguments):
    assert run(*arguments, code=2).stderr.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("command", ["train", "tune", "ablate"])
def test_a_folder_that_can_keep_no_run_is_refused_before_one_begins(tmp_path, monkeypatch, command):
    training = pytest.importorskip("ectopy.training", reason="the train extra is not installed")

    def full(*given, **options):
        raise OSError(28, "No space left on device", str(options["runs"] / "x"))

    for name in ("train_model", "tune", "ablate"):
        monkeypatch.setattr(training, name, full)
    (tmp_path / "file").touch()
    assert "it is a file" in run(command, "sequence", "--runs", tmp_path / "file", code=2).stderr
    told = run(command, "sequence", "--runs", tmp_path, code=2).stderr
    assert f"ectopy: {tmp_path / 'x'}: can't be written (No space left on device)" in told


def test_training_without_its_extra_names_the_remedy():
    code = """
import sys
sys.modules["keras"] = sys.modules["tensorflow"] = None
from ectopy.cli import main
sys.argv = ["ectopy", "train", "instant"]
main()
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 2
    refused(answer, [r"pip install 'ectopy\[train\]'"])


def test_watching_needs_no_tensorflow(demo):
    code = """
import sys
for name in ("keras", "tensorflow", "sklearn", "tf2onnx", "onnx"):
    sys.modules[name] = None
from ectopy.cli import main
sys.argv = ["ectopy", "watch", "demo", "--speed", "max"]
main()
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "60 intervals" in answer.stdout
