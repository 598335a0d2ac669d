"""The project's own promises: locks, `make`, and imports that run downward."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ("base", "train", "dev")


def lock(name: str) -> dict[str, set[str]]:
    """Package -> the versions it is locked to (more than one where Pythons differ)."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            versions.setdefault(requirement.name, set()).add(str(requirement.specifier))
    return versions


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_exact_versions_and_names_no_index(name: str) -> None:
    assert all(re.fullmatch(r"==[^*,]+", version) for versions in lock(name).values() for version in versions)
    assert not re.search(r"://|^-", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", ["train", "dev"])
def test_the_locks_agree_with_each_other(name: str) -> None:
    assert lock("base").items() <= lock(name).items()
    shared = lock("train").keys() & lock("dev").keys()
    assert {p: lock("train")[p] for p in shared} == {p: lock("dev")[p] for p in shared}


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        "base": pyproject["project"]["dependencies"],
        "train": pyproject["project"]["optional-dependencies"]["train"],
        "dev": pyproject["dependency-groups"]["dev"],
    }
    for name, requirements in wanted.items():
        locked = lock(name)
        for requirement in map(Requirement, requirements):
            versions = locked.get(requirement.name, set())
            assert versions and all(v.removeprefix("==") in requirement.specifier for v in versions), (
                f"requirements/{name}.txt does not hold {requirement}; run 'make lock'"
            )


def test_every_make_command_in_the_documents_exists() -> None:
    named = {
        command
        for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
        for command in re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE)
    }
    offered = re.findall(r"^make ([a-z]+)", _make(ROOT, "help").stdout, re.MULTILINE)
    assert {"test", "lint"} <= named <= set(offered)


def test_make_refuses_an_old_python_in_one_line(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    old = tmp_path / "old-python"
    old.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo Python 3.10.4 && exit\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 4); exec(sys.argv[1])" "$2"\n'
    )
    old.chmod(0o755)
    (tmp_path / "requirements").mkdir()
    for needed in ("pyproject.toml", "requirements/base.txt"):
        (tmp_path / needed).touch()
    done = _make(tmp_path, "demo", f"PYTHON={old}")
    assert done.returncode != 0
    line = done.stderr.splitlines()[0]
    assert line.startswith("Ectopy needs Python 3.11, 3.12 or 3.13") and "Python 3.10.4" in line
    assert done.stdout == ""
    assert not (tmp_path / ".venv").exists()


def test_make_starts_at_once_unless_a_lock_has_changed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    order = ["pyproject.toml", "requirements/base.txt", ".venv/bin/python", ".venv/ready/base"]
    for file in map(tmp_path.joinpath, order):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (command,) = _make(tmp_path, "--dry-run", "demo").stdout.splitlines()
    assert command.startswith(".venv/bin/ectopy demo")
    (tmp_path / "requirements" / "base.txt").touch()
    assert "install -r requirements/base.txt" in _make(tmp_path, "--dry-run", "demo").stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("signal/upward.py", "import ectopy.analysis"),
        ("zoo/sideways.py", "import ectopy.signal"),
        ("analysis/heavy.py", "import keras"),
        ("cli/heavy.py", "def train():\n    import tensorflow"),
        ("utils/__init__.py", ""),
    ],
)
def test_the_import_contract_refuses(module: str, line: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src" / "ectopy", tmp_path / "ectopy", ignore=shutil.ignore_patterns("*.onnx"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file = tmp_path / "ectopy" / module
    file.parent.mkdir(exist_ok=True)
    file.write_text(line + "\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 1
    name = "ectopy." + module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert "1 broken" in done.stdout and name in done.stdout, done.stdout


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    outer = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(command, cwd=folder, env=outer, text=True, capture_output=True, check=False)
