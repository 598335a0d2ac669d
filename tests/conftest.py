"""What tests share: the installed recording, and the databases where there are any."""

import os

for threads in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
):
    os.environ.setdefault(
        threads, "1"
    )  # before NumPy and TensorFlow come in: two test processes share the cores
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["MPLBACKEND"] = "agg"

from pathlib import Path

import pooch
import pytest
from hypothesis import settings

import ectopy

settings.register_profile("ectopy", deadline=None)  # no timed tests
settings.load_profile("ectopy")


@pytest.fixture(scope="session")
def demo() -> ectopy.Recording:
    """The installed five minutes of MIT-BIH record 208."""
    return ectopy.read("demo")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of databases: ECTOPY_DATA, else the user's cache."""
    folder = Path(os.environ.get("ECTOPY_DATA") or pooch.os_cache("ectopy"))
    if not folder.is_dir():
        pytest.skip(f"no databases in {folder}; 'ectopy data get' fetches one")
    return folder


@pytest.fixture(scope="session")
def mitdb(data_dir: Path) -> Path:
    return _database(data_dir, "mitdb")


@pytest.fixture(scope="session")
def svdb(data_dir: Path) -> Path:
    return _database(data_dir, "svdb")


@pytest.fixture(scope="session")
def nstdb(data_dir: Path) -> Path:
    return _database(data_dir, "nstdb")


@pytest.fixture(scope="session")
def cinc2017(data_dir: Path) -> Path:
    return _database(data_dir, "cinc2017")


@pytest.fixture(scope="session")
def user_files(data_dir: Path) -> Path:
    """Files as users bring them, in unusual formats; no PhysioNet database."""
    return _database(data_dir, "files")


def _database(data_dir: Path, name: str) -> Path:
    if not (data_dir / name).is_dir():
        pytest.skip(f"no {name} in {data_dir}; 'ectopy data get {name}' fetches it")
    return data_dir / name
