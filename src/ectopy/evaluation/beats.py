"""Beat level: what became of each reference beat, and of each detection without one.

Conventions
-----------
* A pair counts where its reference beat lies; a detection without a pair where it lies itself.
* `confusion` has a row for each reference class and one for detections that no reference beat has (`extra`);
  a column for each class given, one for beats without a class, one for reference beats not found (`missed`).
  A missed beat is a false negative of its class, an extra one a false positive of the class it was given.
* `EC57`, for S and V only (ANSI/AAMI EC57 as PhysioNet's `bxb` counts): a reference F or Q called V, or a
  reference Q called S, is not charged as a false positive. Sensitivity is the same in both.
* Abnormal (S, V, F) against N: every reference beat of these four classes is an item. A missed one is not
  called abnormal and scores 0, the least there is; an extra detection is one more item that is not abnormal.
  Reference Q, found or not, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ectopy.evaluation.matching import match_beats
from ectopy.evaluation.scope import Scope
from ectopy.recording import AAMI_CLASSES, ABNORMAL_CLASSES, Annotations

REFERENCE_ROWS = (*AAMI_CLASSES, "extra")
CALLED_COLUMNS = (*AAMI_CLASSES, "unclassed", "missed")

_UNCHARGED = {"S": ("Q",), "V": ("F", "Q")}  # EC57: reference classes not charged to S, to V
_EXTRA = REFERENCE_ROWS.index("extra")
_UNCLASSED = CALLED_COLUMNS.index("unclassed")
_MISSED = CALLED_COLUMNS.index("missed")


@dataclass(frozen=True, eq=False)
class Binary:
    """Items that are abnormal or not: (n,) each."""

    truth: np.ndarray  # bool, by the reference
    score: np.ndarray  # float in [0, 1]
    called: np.ndarray  # bool, by the program at its operating point

    def counts(self, prefix: str) -> dict[str, float]:
        """`tp`, `fp`, `fn` and `tn` under names that begin with `prefix`."""
        return {
            f"{prefix}_tp": int(np.sum(self.truth & self.called)),
            f"{prefix}_fp": int(np.sum(~self.truth & self.called)),
            f"{prefix}_fn": int(np.sum(self.truth & ~self.called)),
            f"{prefix}_tn": int(np.sum(~self.truth & ~self.called)),
        }


@dataclass(frozen=True, eq=False)
class BeatScores:
    """What became of a record's beats.

    confusion : (6, 7) int64, `REFERENCE_ROWS` by `CALLED_COLUMNS`
    abnormal : the items of the binary score
    """

    confusion: np.ndarray
    abnormal: Binary

    def counts(self) -> dict[str, float]:
        """Counts of one record: detections, each class, EC57's S and V, abnormal beats."""
        found = self.confusion[:_EXTRA, :_MISSED].sum()
        counts: dict[str, float] = {
            "matched": int(found),
            "missed": int(self.confusion[:, _MISSED].sum()),
            "extra": int(self.confusion[_EXTRA].sum()),
        }
        for k, name in enumerate(AAMI_CLASSES):
            right = self.confusion[k, k]
            charged = self.confusion[:, k].sum() - right
            counts[f"{name}_tp"] = int(right)
            counts[f"{name}_fn"] = int(self.confusion[k].sum() - right)
            counts[f"{name}_fp"] = int(charged)
            if name in _UNCHARGED:
                spared = sum(self.confusion[AAMI_CLASSES.index(other), k] for other in _UNCHARGED[name])
                counts[f"{name}_fp_EC57"] = int(charged - spared)
        return counts | self.abnormal.counts("abnormal")


def score_beats(
    reference: Annotations,
    sample: np.ndarray,
    aami: np.ndarray,
    anomaly: np.ndarray,
    called: np.ndarray,
    fs: Fraction,
    scope: Scope,
) -> BeatScores:
    """Score detections against reference beats.

    Parameters
    ----------
    reference : beats only, in the order of time
    sample : (n,) int64, ascending
    aami : (n,) int64, place in `CALLED_COLUMNS` of the class given
    anomaly : (n,) float in [0, 1]
    called : (n,) bool, abnormal at the operating point
    """
    matches = match_beats(reference.sample, sample, fs)
    counted = scope.holds(reference.sample)
    of_pair = counted[matches.reference]
    ref, det = matches.reference[of_pair], matches.detected[of_pair]
    missed = matches.missed[counted[matches.missed]]
    extra = matches.extra[scope.holds(sample[matches.extra])]

    truth = np.array([AAMI_CLASSES.index(c) for c in reference.aami], dtype=np.int64)
    confusion = np.zeros((len(REFERENCE_ROWS), len(CALLED_COLUMNS)), dtype=np.int64)
    np.add.at(confusion, (truth[ref], aami[det]), 1)
    np.add.at(confusion, (truth[missed], _MISSED), 1)
    np.add.at(confusion, (_EXTRA, aami[extra]), 1)

    is_abnormal = np.isin(truth, class_places(np.array(ABNORMAL_CLASSES)))
    in_score = truth != AAMI_CLASSES.index("Q")
    pair, lost = in_score[ref], missed[in_score[missed]]
    return BeatScores(
        confusion,
        Binary(
            truth=np.concatenate([is_abnormal[ref[pair]], is_abnormal[lost], np.zeros(len(extra), bool)]),
            score=np.concatenate([anomaly[det[pair]], np.zeros(len(lost)), anomaly[extra]]),
            called=np.concatenate([called[det[pair]], np.zeros(len(lost), bool), called[extra]]),
        ),
    )


def class_places(aami: np.ndarray) -> np.ndarray:
    """(n,) int64: place in `CALLED_COLUMNS` of each class; that of `unclassed` for None or NaN."""
    place = {name: k for k, name in enumerate(AAMI_CLASSES)}
    return np.array([place.get(name, _UNCLASSED) for name in aami], dtype=np.int64)
