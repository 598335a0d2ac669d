"""Which records train and which test. No patient is on both sides, except 201 and 202, which are one person.

DS1, DS2 : de Chazal P, O'Dwyer M, Reilly RB. Automatic classification of heartbeats using ECG morphology and
    heartbeat interval features. IEEE Trans Biomed Eng 51(7):1196-1206 (2004), doi 10.1109/TBME.2004.827359
paced records : left out by ANSI/AAMI EC57 and by de Chazal et al.
201 and 202 : the one pair among the 48 records of 47 people, https://physionet.org/content/mitdb/1.0.0/
svdb : no patient ids and no published split; even numbers train, odd ones test. 878 is left out of training
    because it looks like 879
"""

from __future__ import annotations

from collections.abc import Iterable

from ectopy.errors import RecordError


def _names(folder: str, numbers: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{number}" for number in numbers.split())


PACED = _names("mitdb", "102 104 107 217")

_SVDB = [*range(800, 813), *range(820, 830), *range(840, 895)]  # its RECORDS
_DS1 = _names("mitdb", "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230")
_SVDB_EVEN = tuple(f"svdb/{number}" for number in _SVDB if number % 2 == 0 and number != 878)

_SPLITS = {
    "DS1": _DS1,
    "DS2": _names("mitdb", "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"),
    "svdb-even": _SVDB_EVEN,
    "svdb-odd": tuple(f"svdb/{number}" for number in _SVDB if number % 2),
}

_TRAINING = {
    "ds1": _DS1,  # as in the literature
    "shipped": (*(name for name in _DS1 if name != "mitdb/201"), *_SVDB_EVEN),
}


def split(name: str) -> tuple[str, ...]:
    """The records of DS1, DS2, svdb-even (without 878) or svdb-odd, as `mitdb/101`."""
    return _one_of(_SPLITS, name, "split")


def training(protocol: str) -> tuple[str, ...]:
    """The training records of a protocol.

    ds1 : DS1, as in the literature; tested on DS2, and on svdb-odd as a database never seen
    shipped : DS1 without 201, and svdb-even; tested on DS2, and on svdb-odd. Models are shown hand-held recordings
        labelled normal beside them, whose beats nobody annotated
    """
    return _one_of(_TRAINING, protocol, "protocol")


def refuse_test_patients(names: Iterable[str]) -> None:
    """What every door to training, tuning and calibration asks first.

    Raises
    ------
    RecordError
        If a record is in DS2 or svdb-odd.
    """
    tested = sorted({*_SPLITS["DS2"], *_SPLITS["svdb-odd"]}.intersection(names))
    if tested:
        raise RecordError(f"{', '.join(tested)}: a test record, and nothing may be fitted or chosen on it")


def patient(name: str) -> str:
    """The first record of the person whose record this is; as far as is known, a record is a person."""
    return "mitdb/201" if name == "mitdb/202" else name


def _one_of(table: dict[str, tuple[str, ...]], name: str, what: str) -> tuple[str, ...]:
    if name not in table:
        raise RecordError(f"{name}: no {what} of that name; expected one of {', '.join(table)}")
    return table[name]
