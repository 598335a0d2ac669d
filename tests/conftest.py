"""What tests share: the installed recording, and the databases where there are any."""

import os

for threads in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
):
    os.environ.setdefault(threads, "1")  # before NumPy and TensorFlow come in: two test processes share the cores
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["MPLBACKEND"] = "agg"

from pathlib import Path

import pytest
from hypothesis import settings

import ectopy
from ectopy.data import find, roots
from ectopy.errors import RecordError

# No timed tests, and the same examples in every run; `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("ectopy", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("ectopy")


@pytest.fixture(scope="session")
def demo() -> ectopy.Recording:
    """The installed five minutes of MIT-BIH record 208."""
    return ectopy.read("demo")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of databases: ECTOPY_DATA, else the user's cache."""
    for folder in roots():
        if folder.is_dir():
            return folder
    pytest.skip("no databases on this machine; 'ectopy data get' fetches one, ECTOPY_DATA names a folder")


@pytest.fixture(scope="session")
def user_files(data_dir: Path) -> Path:
    """Files as users bring them, in unusual formats; no PhysioNet database."""
    if not (data_dir / "files").is_dir():
        pytest.skip(f"no folder 'files' in {data_dir}")
    return data_dir / "files"


@pytest.fixture(scope="session")
def mitdb() -> Path:
    return _database("mitdb")


@pytest.fixture(scope="session")
def svdb() -> Path:
    return _database("svdb")


@pytest.fixture(scope="session")
def nstdb() -> Path:
    return _database("nstdb")


@pytest.fixture(scope="session")
def cinc2017() -> Path:
    return _database("cinc2017")


def _database(name: str) -> Path:
    try:
        return find(name)
    except RecordError as missing:
        pytest.skip(str(missing))
