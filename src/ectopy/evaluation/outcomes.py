"""Beat by beat: what it is, and what a program made of it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

from ectopy.evaluation.matching import match_beats
from ectopy.evaluation.scope import Scope
from ectopy.recording import AAMI_CLASSES, Annotations


def beat_outcomes(reference: Annotations, beats: pd.DataFrame, fs: Fraction, scope: Scope) -> pd.DataFrame:
    """A row a reference beat and a row an extra detection, in the order of time.

    reference : beats only
    beats : as `Analysis.beats`

    Returns
    -------
    sample : of the reference beat, or of the extra detection
    truth : its class; `extra` for a detection that no reference beat has
    called : the class given; `missed` where none was found, `unclassed` by a model without classes
    confidence : probability of the class given; of a model without classes NaN
    anomaly : NaN where missed
    """
    sample = beats["sample"].to_numpy(dtype=np.int64)
    matches = match_beats(reference.sample, sample, fs)
    in_reference, in_beats = scope.holds(reference.sample), scope.holds(sample)
    paired = in_reference[matches.reference]
    ref, det = matches.reference[paired], matches.detected[paired]
    missed, extra = matches.missed[in_reference[matches.missed]], matches.extra[in_beats[matches.extra]]
    said = beats.reset_index(drop=True)
    probability = said[list(AAMI_CLASSES)].to_numpy(dtype=float)
    aami = np.array([name if name in AAMI_CLASSES else "unclassed" for name in said["aami"]], dtype=object)
    column = [AAMI_CLASSES.index(name) if name in AAMI_CLASSES else 0 for name in aami]
    confidence = np.where(aami == "unclassed", np.nan, probability[np.arange(len(said)), column])
    anomaly = said["anomaly"].to_numpy(dtype=float)
    nothing = np.full(len(missed), np.nan)
    table = pd.DataFrame(
        {
            "sample": np.concatenate([reference.sample[ref], reference.sample[missed], sample[extra]]),
            "truth": np.concatenate([reference.aami[ref], reference.aami[missed], np.full(len(extra), "extra")]),
            "called": np.concatenate([aami[det], np.full(len(missed), "missed", object), aami[extra]]),
            "confidence": np.concatenate([confidence[det], nothing, confidence[extra]]),
            "anomaly": np.concatenate([anomaly[det], nothing, anomaly[extra]]),
        }
    )
    return table.sort_values("sample", kind="stable", ignore_index=True)
