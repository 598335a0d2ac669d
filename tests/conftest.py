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

import numpy as np
import pytest
from hypothesis import settings

import ectopy
from ectopy.data import find, roots
from ectopy.errors import RecordError

# No timed tests, and the same examples in every run; `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("ectopy", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("ectopy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest first, so that no process waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_training.py")


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


@pytest.fixture(scope="session")
def stand_ins(mitdb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of databases: six minutes of records 106 and 208 as `mitdb/100` and `mitdb/232`.

    So a command does all it does on a test split, and no test record is looked at.
    """
    import wfdb

    folder = tmp_path_factory.mktemp("databases") / "mitdb"
    folder.mkdir()
    for source, name in (("106", "100"), ("208", "232")):
        recording = ectopy.read(mitdb / source).section(0, 360)
        marks = recording.annotations
        assert marks is not None
        samples = recording.samples.astype(float)
        kind = {"units": ["mV", "mV"], "sig_name": list(recording.leads), "fmt": ["212", "212"]}
        gain = {"adc_gain": [200.0, 200.0], "baseline": [0, 0]}
        wfdb.wrsamp(name, fs=360, p_signal=samples, write_dir=str(folder), **kind, **gain)
        symbols = np.where(marks.symbol == "+", "N", marks.symbol)  # a rhythm mark needs its text
        wfdb.wrann(name, "atr", marks.sample, symbols, write_dir=str(folder))
    return folder.parent


@pytest.fixture
def here(stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, on a machine that has the stand-ins only."""
    monkeypatch.setenv("ECTOPY_DATA", str(stand_ins))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _database(name: str) -> Path:
    try:
        return find(name)
    except RecordError as missing:
        pytest.skip(str(missing))
