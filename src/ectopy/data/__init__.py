"""Recordings by name: the installed one, PhysioNet's databases (catalogue, download, look-up), the splits."""

from ectopy.data.catalogue import CATALOGUE, Database, database
from ectopy.data.demo import demo
from ectopy.data.download import fetch
from ectopy.data.hand_held import hand_held
from ectopy.data.lookup import find, present, read, records, roots
from ectopy.data.noise import NoisePart, at_snr, electrode_motion
from ectopy.data.splits import PACED, patient, refuse_test_patients, split, training

__all__ = [
    "CATALOGUE",
    "PACED",
    "Database",
    "NoisePart",
    "at_snr",
    "database",
    "demo",
    "electrode_motion",
    "fetch",
    "find",
    "hand_held",
    "patient",
    "present",
    "read",
    "records",
    "refuse_test_patients",
    "roots",
    "split",
    "training",
]
