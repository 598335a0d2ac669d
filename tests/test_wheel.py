"""The wheel alone, with the locked base packages in an empty environment: no checkout, no TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("ectopy-*.whl")
    return wheel


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of an environment lie that holds the wheel and what it needs to run."""
    home = tmp_path_factory.mktemp("environment")
    _run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    lock = ROOT / "requirements" / "base.txt"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--quiet", "--python", programs / "python"]
    _run(*pip, "install", "--no-compile", "--no-deps", "-r", lock, wheel, cwd=home)
    _run(*pip, "check", cwd=home)
    return programs


def test_the_wheel_carries_its_types_licence_and_every_model_with_its_card(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    zoo = ROOT / "src" / "ectopy" / "zoo"
    models = [file for file in zoo.glob("*/*") if file.suffix in (".onnx", ".json", ".md")]
    assert any(file.suffix == ".onnx" for file in models)
    assert {file.relative_to(ROOT / "src").as_posix() for file in models} <= names
    assert "ectopy/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith("tests") for name in names)


def test_it_imports_where_there_is_no_tensorflow(programs: Path, tmp_path: Path) -> None:
    code = (
        "import ectopy, importlib.util\n"
        "print(ectopy.__file__)\n"
        "print([name for name in ('tensorflow', 'keras', 'pytest') if importlib.util.find_spec(name)])"
    )
    where, unwanted = _run(programs / "python", "-c", code, cwd=tmp_path).splitlines()
    assert Path(where).is_relative_to(programs.parent)
    assert unwanted == "[]"


def test_its_command_answers_help(programs: Path, tmp_path: Path) -> None:
    answer = _run(programs / "ectopy", "--help", cwd=tmp_path)
    assert "watch" in answer and "analyze" in answer


def test_it_judges_the_installed_recording_every_five_seconds(programs: Path, tmp_path: Path) -> None:
    lines = _run(programs / "ectopy", "watch", "demo", "--speed", "max", "--json", cwd=tmp_path).splitlines()
    told = [json.loads(line) for line in lines]
    verdicts = [one for one in told if "verdict" in one]
    assert len(verdicts) >= 58
    assert {one["type"] for one in told if one not in verdicts} == {"alarm"}
    assert [verdict["start_s"] for verdict in verdicts] == [5 * k for k in range(len(verdicts))]
    words = [verdict["verdict"] for verdict in verdicts]
    assert words.count("abnormal") > 5, "record 208 is full of ventricular beats"
    assert words.count("unreadable") < 10
    assert list(tmp_path.iterdir()) == []


def _run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ECTOPY"))}
    done = subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
