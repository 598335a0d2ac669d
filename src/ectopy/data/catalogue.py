"""The PhysioNet databases that Ectopy knows: where they are, what is in them, whom to cite."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ectopy.errors import RecordError

PHYSIONET = "https://physionet.org/files"
CHECKSUMS = "SHA256SUMS.txt"
LICENCE = "ODC-By 1.0"  # Open Data Commons Attribution License; all of those below


@dataclass(frozen=True)
class Database:
    """A database.

    name : the folder it is kept in, and the first part of its records' names
    slug, version, folder : its place at PhysioNet; records lie in `folder`, if it is not empty
    records, fs, leads : how many records, their rate in Hz, leads in each
    use : what Ectopy does with it
    """

    name: str
    title: str
    slug: str
    records: int
    fs: Fraction
    leads: int
    use: str
    citation: str
    version: str = "1.0.0"
    folder: str = ""
    licence: str = LICENCE

    @property
    def address(self) -> str:
        """Where it is described."""
        return f"https://physionet.org/content/{self.slug}/{self.version}/"


_ALL = (
    Database(
        name="mitdb",
        title="MIT-BIH Arrhythmia Database",
        slug="mitdb",
        records=48,
        fs=Fraction(360),
        leads=2,
        use="training (DS1) and test (DS2)",
        citation="Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. "
        "IEEE Eng in Med and Biol 20(3):45-50 (2001)",
    ),
    Database(
        name="svdb",
        title="MIT-BIH Supraventricular Arrhythmia Database",
        slug="svdb",
        records=78,
        fs=Fraction(128),
        leads=2,
        use="training (even numbers) and external test (odd numbers)",
        citation="Greenwald SD. Improved detection and classification of arrhythmias in noise-corrupted "
        "electrocardiograms using contextual information. PhD thesis, Harvard-MIT (1990)",
    ),
    Database(
        name="incartdb",
        title="St Petersburg INCART 12-lead Arrhythmia Database",
        slug="incartdb",
        records=75,
        fs=Fraction(257),
        leads=12,
        use="external test",
        citation="Tihonenko V, Khaustov A, Ivanov S, Rivin A, Yakushenko E. St Petersburg INCART 12-lead "
        "Arrhythmia Database. PhysioNet (2008), doi 10.13026/C2V88N",
    ),
    Database(
        name="nstdb",
        title="MIT-BIH Noise Stress Test Database",
        slug="nstdb",
        records=15,
        fs=Fraction(360),
        leads=2,
        use="noise for training and tests",
        citation="Moody GB, Muldrow WE, Mark RG. A noise stress test for arrhythmia detectors. "
        "Computers in Cardiology 11:381-384 (1984)",
    ),
    Database(
        name="cudb",
        title="CU Ventricular Tachyarrhythmia Database",
        slug="cudb",
        records=35,
        fs=Fraction(250),
        leads=1,
        use="external test",
        citation="Nolle FM, Badura FK, Catlett JM, Bowser RW, Sketch MH. CREI-GARD, a new concept in "
        "computerized arrhythmia monitoring systems. Computers in Cardiology 13:515-518 (1986)",
    ),
    Database(
        name="vfdb",
        title="MIT-BIH Malignant Ventricular Ectopy Database",
        slug="vfdb",
        records=22,
        fs=Fraction(250),
        leads=2,
        use="external test",
        citation="Greenwald SD. Development and analysis of a ventricular fibrillation detector. MS thesis, MIT (1986)",
    ),
    Database(
        name="afdb",
        title="MIT-BIH Atrial Fibrillation Database",
        slug="afdb",
        records=25,  # two of them, 00735 and 03665, without signals
        fs=Fraction(250),
        leads=2,
        use="external test",
        citation="Moody GB, Mark RG. A new method for detecting atrial fibrillation using R-R intervals. "
        "Computers in Cardiology 10:227-230 (1983)",
    ),
    Database(
        name="ltafdb",
        title="Long Term AF Database",
        slug="ltafdb",
        records=84,
        fs=Fraction(128),
        leads=2,
        use="external test",
        citation="Petrutiu S, Sahakian AV, Swiryn S. Abrupt changes in fibrillatory wave characteristics at "
        "the termination of paroxysmal atrial fibrillation in humans. Europace 9:466-470 (2007)",
    ),
    Database(
        name="edb",
        title="European ST-T Database",
        slug="edb",
        records=90,
        fs=Fraction(250),
        leads=2,
        use="external test",
        citation="Taddei A, Distante G, Emdin M, Pisani P, Moody GB, Zeelenberg C, Marchesi C. The European "
        "ST-T Database. European Heart Journal 13:1164-1172 (1992)",
    ),
    Database(
        name="cinc2017",
        title="PhysioNet/CinC Challenge 2017, validation set",
        slug="challenge-2017",
        folder="validation",  # 300 of the 8,528 training records: enough for a test, quick to fetch
        records=300,
        fs=Fraction(300),
        leads=1,
        use="external test",
        citation="Clifford GD, Liu C, Moody B, Lehman LH, Silva I, Li Q, Johnson AE, Mark RG. AF "
        "classification from a short single lead ECG recording. Computing in Cardiology 44 (2017)",
    ),
)

CATALOGUE = {database.name: database for database in _ALL}


def database(name: str) -> Database:
    """The database of that name, or of that name at PhysioNet (`challenge-2017`).

    Raises
    ------
    RecordError
        If there is none.
    """
    for entry in _ALL:
        if name in (entry.name, entry.slug):
            return entry
    raise RecordError(f"{name}: no database of that name; expected one of {', '.join(CATALOGUE)}")
