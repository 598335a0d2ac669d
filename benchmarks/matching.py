"""Our pairing of beats beside `wfdb.processing.compare_annotations`, record by record; every difference explained.

    python benchmarks/matching.py [DS1|...]      all records of mitdb if none is named

Detections are those of sleepecg; the reference beats themselves, shaken (moved by 70 ms standard deviation, one in
twenty left out, one in ten doubled); and the same raced, all beats three times as fast: only there do beats come so
close together that they compete for detections. No model is run. wfdb goes through the beats once and gives each the
nearest detection; ours finds the pairing with most pairs, and of these the nearest. wfdb pairs what is closer than its
window, ours what is within it: so it is given one sample more.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
from wfdb.processing import compare_annotations

from _common import heading, row, run
from ectopy.data import patient, read, records
from ectopy.evaluation import match_beats, records_of, sleepecg_beats

WINDOW_S = 0.150
RACE = 3
SHOWN = 2  # examples of each kind of difference, a way of detecting


def compare() -> None:
    names = records_of(sys.argv[1]) if len(sys.argv) > 1 else records("mitdb")
    heading(
        f"pairs of beats within 150 ms, {len(names)} records: ours, wfdb's, and where they differ", "ectopy", "wfdb"
    )
    row("", "beats", "detections", "ours", "wfdb", "lost by wfdb", "other beat")
    kinds: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    fewer = 0
    for name in names:
        recording = read(name)
        assert recording.annotations is not None
        beats, fs = recording.annotations.beats.sample, float(recording.fs)
        raced = beats // RACE
        for how, reference, detected in (
            ("sleepecg", beats, sleepecg_beats(recording)),
            ("shaken", beats, shaken(beats, fs, name)),
            ("raced", raced, shaken(raced, fs, name)),
        ):
            ours, theirs = partners(reference, detected, fs)
            lost = np.flatnonzero((ours >= 0) & (theirs < 0))
            swapped = np.flatnonzero((ours < 0) & (theirs >= 0))
            n_ours, n_theirs = int((ours >= 0).sum()), int((theirs >= 0).sum())
            fewer += n_ours < n_theirs
            row(f"{name} {how}", *(f"{n:,}" for n in (len(reference), len(detected), n_ours, n_theirs)),
                f"{n_ours - n_theirs}", f"{len(swapped)}")  # fmt: skip
            for beat in lost:
                kind = why(int(beat), ours, theirs)
                kinds[kind] += 1
                if len(examples.setdefault(kind, [])) < SHOWN:
                    examples[kind].append(f"{name} {how}: {story(int(beat), reference, detected, ours, theirs)}")
    print(f"\nbeats that ours pairs and wfdb leaves out: {sum(kinds.values())}; records where ours has fewer: {fewer}")
    for kind, n in kinds.most_common():
        print(f"\n{n:>5}  {kind}")
        print("".join(f"       {line}\n" for line in examples[kind]), end="")


def partners(reference: np.ndarray, detected: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """(n_reference,) each: the detection that ours and wfdb's pairing give to each beat; -1 for none."""
    found = match_beats(reference, detected, fs)
    ours = np.full(len(reference), -1)
    ours[found.reference] = found.detected
    theirs = compare_annotations(reference, detected, int(WINDOW_S * fs) + 1).matching_sample_nums
    return ours, theirs


def shaken(reference: np.ndarray, fs: float, name: str) -> np.ndarray:
    """Detections that are hard to pair, the same in every run."""
    rng = np.random.default_rng(sum(map(ord, patient(name))))
    kept = reference[rng.random(len(reference)) > 0.05]
    doubled = kept[rng.random(len(kept)) < 0.10]
    both = np.concatenate([kept, doubled])
    return np.unique(np.maximum(both + rng.normal(0, 0.070 * fs, len(both)).astype(int), 0))


def why(beat: int, ours: np.ndarray, theirs: np.ndarray) -> str:
    """How wfdb came to leave out a beat that can be paired."""
    holder = np.flatnonzero(theirs == ours[beat])
    if len(holder) and holder[0] < beat:
        return "its detection went to the beat before, as that one's nearest, though another was left for that beat"
    if len(holder):
        return "its detection went to the beat after, to which it is nearer, though another was left for that beat"
    return "its detection was passed over: the beat before had taken a later one, and wfdb does not go back"


def story(beat: int, reference: np.ndarray, detected: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> str:
    """Both pairings around a beat, as sample numbers."""
    near = range(max(beat - 1, 0), min(beat + 2, len(reference)))

    def pairs(of: np.ndarray) -> str:
        return ", ".join(f"{reference[k]}-{detected[of[k]] if of[k] >= 0 else 'none'}" for k in near)

    return f"ours {pairs(ours)}; wfdb {pairs(theirs)}"


if __name__ == "__main__":
    run(compare)
