"""The splits, held against the databases themselves and the counts in the literature."""

from collections import Counter

import pytest

import ectopy
from ectopy.data import CATALOGUE, PACED, patient, present, records, split, training
from ectopy.errors import RecordError


@pytest.fixture(scope="module")
def marks(mitdb):
    """Record to annotations, of all of mitdb."""
    return {name: ectopy.read(name, data_dir=mitdb.parent).annotations for name in records("mitdb", mitdb.parent)}


def _classes(marks, names):
    return Counter(aami for name in names for aami in marks[name].beats.aami)


def test_mitdb_holds_the_annotations_that_physionet_counts(marks):
    symbols = Counter(symbol for one in marks.values() for symbol in one.symbol)
    known = {"N": 75052, "L": 8075, "R": 7259, "V": 7130, "/": 7028, "A": 2546, "f": 982, "F": 803, "j": 229}
    known |= {"a": 150, "E": 106, "J": 83, "Q": 33, "e": 16, "S": 2}
    assert {symbol: symbols[symbol] for symbol in known} == known


def test_ds1_and_ds2_hold_the_classes_that_the_literature_counts(marks):
    assert _classes(marks, split("DS1")) == {"N": 45866, "S": 944, "V": 3788, "F": 415, "Q": 8}
    assert _classes(marks, split("DS2")) == {"N": 44259, "S": 1837, "V": 3221, "F": 388, "Q": 7}


def test_mitdb_is_ds1_ds2_and_the_paced_records(mitdb):
    whole = (mitdb / "RECORDS").read_text().split()
    parts = [*split("DS1"), *split("DS2"), *PACED]
    assert sorted(parts) == [f"mitdb/{name}" for name in whole]
    assert len(split("DS1")) == len(split("DS2")) == 22


def test_svdb_is_its_even_and_odd_records_and_878(svdb):
    whole = (svdb / "RECORDS").read_text().split()
    parts = [*split("svdb-even"), *split("svdb-odd"), "svdb/878"]
    assert sorted(parts) == [f"svdb/{name}" for name in whole]
    assert all(int(name[-1]) % 2 == 0 for name in split("svdb-even"))


def test_the_paced_records_are_those_with_paced_beats(marks):
    assert sorted(PACED) == [name for name, one in marks.items() if "/" in one.symbol]


@pytest.mark.parametrize("protocol", ["ds1", "shipped"])
def test_no_test_record_trains(protocol):
    assert not set(training(protocol)) & {*split("DS2"), *split("svdb-odd"), *PACED, "svdb/878"}


def test_the_shipped_protocol_shares_no_person_with_the_test():
    tested = {patient(name) for name in split("DS2")}
    assert not {patient(name) for name in training("shipped")} & tested
    # the known flaw of DS1 and DS2
    assert {patient(name) for name in training("ds1")} & tested == {"mitdb/201"}
    assert len(training("shipped")) == 21 + 39


def test_an_unknown_split_or_protocol_is_refused_with_the_names_there_are():
    with pytest.raises(RecordError, match="DS1, DS2, svdb-even, svdb-odd"):
        split("DS3")
    with pytest.raises(RecordError, match="ds1, shipped"):
        training("mine")


def test_only_records_on_this_machine_are_present(tmp_path, monkeypatch):
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path / "env"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for folder, record in (("option", "101"), ("env", "106"), ("env", "101")):
        header = tmp_path / folder / "mitdb" / f"{record}.hea"
        header.parent.mkdir(parents=True, exist_ok=True)
        header.touch()
    assert present(split("DS1"), tmp_path / "option") == ("mitdb/101", "mitdb/106")
    assert present(split("DS2")) == ()


@pytest.mark.parametrize("name", ["mitdb", "svdb", "nstdb", "cinc2017"])
def test_the_catalogue_agrees_with_the_database(name, data_dir):
    if not (data_dir / name).is_dir():
        pytest.skip(f"no {name} in {data_dir}")
    known = CATALOGUE[name]
    one = ectopy.read(records(name, data_dir)[0], data_dir=data_dir)
    assert (one.fs, len(one.leads)) == (known.fs, known.leads)
    if name in ("mitdb", "svdb"):
        assert len((data_dir / name / "RECORDS").read_text().split()) == known.records
