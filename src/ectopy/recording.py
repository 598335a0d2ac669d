"""What goes in: a `Recording` of one or more leads, with its `Annotations` where someone made them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from ectopy.errors import LeadError, SignalError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AamiClass = Literal["N", "S", "V", "F", "Q"]
AAMI_CLASSES: tuple[AamiClass, ...] = ("N", "S", "V", "F", "Q")
ABNORMAL_CLASSES: tuple[AamiClass, ...] = ("S", "V", "F")

# PhysioNet's beat symbols to the five classes of ANSI/AAMI EC57, as in de Chazal et al. 2004
# (10.1109/TBME.2004.827359). MIT-BIH has no B, r, ? and n: the first three are as in PhysioNet's `bxb`, and n
# stands with the other escape beats. There `bxb` differs: it counts all of e, j and n as S.
AAMI_OF_SYMBOL: dict[str, AamiClass] = {
    "N": "N",  # normal
    "L": "N",  # left bundle branch block
    "R": "N",  # right bundle branch block
    "B": "N",  # bundle branch block, side not given
    "e": "N",  # atrial escape
    "j": "N",  # nodal (junctional) escape
    "n": "N",  # supraventricular escape
    "A": "S",  # atrial premature
    "a": "S",  # aberrated atrial premature
    "J": "S",  # nodal (junctional) premature
    "S": "S",  # supraventricular premature or ectopic
    "V": "V",  # premature ventricular contraction
    "r": "V",  # R-on-T premature ventricular contraction
    "E": "V",  # ventricular escape
    "F": "F",  # fusion of ventricular and normal
    "/": "Q",  # paced
    "f": "Q",  # fusion of paced and normal
    "Q": "Q",  # unclassifiable
    "?": "Q",  # not classified during learning
}

# PhysioNet's symbols that mark something other than a beat.
NON_BEAT_SYMBOLS = frozenset("[!]x()ptu`'^|~+sT*D=\"@")

NOT_CALIBRATED = "not calibrated: the unit of the samples is unknown or implausible"
MIN_FS, MAX_FS = 100, 1000  # Hz that are analysed


def exact_rate(fs: Fraction | float | int | str) -> Fraction:
    """`fs` as an exact fraction: 359.97 becomes 35997/100, not the float nearest to it.

    Raises
    ------
    SignalError
        If it is no positive finite number.
    """
    try:
        # a Fraction of '1e999999999' would have a billion digits
        rate = fs if isinstance(fs, Fraction) else Fraction(str(fs)) if _is_small(fs) else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise SignalError(f"sampling rate {fs!r}: expected a positive number of samples a second")
    return rate


def _is_small(fs: float | int | str) -> bool:
    """Whether it is written in so few digits that it can be a rate."""
    text = str(fs)
    return len(text) <= 40 and not (isinstance(fs, str) and "e" in text.lower())


def looks_like_mv(samples: np.ndarray, fs: Fraction | float) -> bool:
    """Whether an ECG's size is one that millivolts can have; a unit mistaken for another is 1000 times off.

    samples : (n_samples, n_leads), NaN = missing

    The median peak-to-peak of a second is 0.14 to 5.2 mV in every record of mitdb, svdb, cinc2017 and the
    Challenge 2021 samples; 0.03 to 30 mV is believed. A signal that never moves, or is shorter than a second,
    says nothing against it.
    """
    second = max(round(fs), 1)
    if len(samples) < second:
        return True
    whole = samples[: len(samples) // second * second].reshape(-1, second, samples.shape[1])
    with np.errstate(invalid="ignore"):  # infinity - infinity
        swing = np.ptp(whole, axis=1)
    swing = swing[swing > 0]  # NaN is not
    return swing.size == 0 or 0.03 <= float(np.median(swing)) <= 30.0


def _later(start: datetime, seconds: float) -> datetime:
    """The time so much later; in a time zone through UTC, for Python adds to the clock on the wall, which may jump."""
    passed = timedelta(seconds=seconds)
    return start + passed if start.tzinfo is None else (start.astimezone(UTC) + passed).astimezone(start.tzinfo)


@dataclass(frozen=True, eq=False)
class Annotations:
    """Marks on a recording, in the order of time.

    sample : (n,) int64, index at the recording's rate
    symbol : (n,) str, PhysioNet's annotation symbols
    aux : (n,) str, the text beside a mark (rhythm changes, comments); empty where there is none
    subtype : (n,) int, where known: of `~` the leads that are noisy (bit 0 the first lead's, and so on; bit 4 on where
        one is unreadable), -1 where all are
    """

    sample: np.ndarray
    symbol: np.ndarray
    aux: np.ndarray
    subtype: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def aami(self) -> np.ndarray:
        """(n,) str: the AAMI class of each mark; empty where it is no beat."""
        return np.array([AAMI_OF_SYMBOL.get(s, "") for s in self.symbol], dtype="<U1")

    @property
    def beats(self) -> Annotations:
        """The marks that are beats."""
        return self[self.aami != ""]

    @property
    def unknown(self) -> Annotations:
        """The marks whose symbol PhysioNet does not define: neither beat nor anything else."""
        known = AAMI_OF_SYMBOL.keys() | NON_BEAT_SYMBOLS
        return self[np.array([s not in known for s in self.symbol], dtype=bool)]

    def __getitem__(self, which: slice | np.ndarray) -> Annotations:
        subtype = None if self.subtype is None else self.subtype[which]
        return Annotations(self.sample[which], self.symbol[which], self.aux[which], subtype)


@dataclass(frozen=True, eq=False)
class Recording:
    """A stretch of ECG.

    samples : (n_samples, n_leads) float32, in mV where `calibrated`; NaN = missing
    fs : sampling rate in Hz, exact
    leads : a name for each column, no two alike
    start : wall-clock time of the first sample, where known
    calibrated : False where the unit is unknown or implausible; then samples are raw numbers
    annotations : reference marks, where someone made them
    name : what to call it in messages and on pictures
    """

    samples: np.ndarray
    fs: Fraction
    leads: tuple[str, ...]
    start: datetime | None = None
    calibrated: bool = True
    annotations: Annotations | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[1] != len(self.leads):
            raise SignalError(
                f"samples of shape {self.samples.shape} do not fit {len(self.leads)} leads; "
                f"expected (n_samples, {len(self.leads)})"
            )
        if not self.leads:
            raise LeadError(f"{self.name or 'recording'}: no lead in it; expected at least one")
        if len(set(self.leads)) < len(self.leads):
            raise LeadError(f"{self.name or 'recording'}: two leads of one name in {', '.join(self.leads)}")

    @property
    def duration_s(self) -> float:
        return float(len(self.samples) / self.fs)

    def select(self, leads: Sequence[str]) -> Recording:
        """The same recording with these leads only, in this order; a name alone is one lead.

        Raises
        ------
        LeadError
            If it has no lead of that name.
        """
        leads = (leads,) if isinstance(leads, str) else leads  # a str is a sequence of its letters
        missing = [lead for lead in leads if lead not in self.leads]
        if missing:
            have = ", ".join(self.leads)
            raise LeadError(f"{self.name or 'recording'}: no lead {', '.join(missing)} (it has {have})")
        columns = [self.leads.index(lead) for lead in leads]
        return replace(self, samples=self.samples[:, columns], leads=tuple(leads))

    def section(self, start_s: float, end_s: float) -> Recording:
        """The part from `start_s` to `end_s`, with its annotations; bounds are `ceil(t * fs)`."""
        # rounded to a millionth of a sample first: 0.1 s at 360 Hz is 36.000000000000002 samples in floats
        first, last = (
            math.ceil(round(min(max(float(t * self.fs), 0), len(self.samples)), 6)) for t in (start_s, end_s)
        )
        marks = self.annotations
        if marks is not None:
            marks = marks[(marks.sample >= first) & (marks.sample < last)]
            marks = replace(marks, sample=marks.sample - first)
        start = self.start and _later(self.start, float(first / self.fs))
        return replace(self, samples=self.samples[first:last], annotations=marks, start=start)

    def plot(self, start_s: float = 0.0, seconds: float = 10.0) -> Axes:
        """Draw a stretch on ECG paper and return the axes."""
        from ectopy.figures import recording_strip

        return recording_strip(self, start_s, seconds)

    def _repr_html_(self) -> str:
        from ectopy.figures import recording_html

        return recording_html(self)
