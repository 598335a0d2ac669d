"""Which detected beat is which reference beat (EC57: within 150 ms, one to one)."""

import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sleepecg
from hypothesis import given
from hypothesis import strategies as st

from ectopy import EctopyError, read
from ectopy.evaluation import Matches, match_beats

times = st.lists(st.integers(0, 60), max_size=6).map(sorted)


def pairs(matches: Matches) -> list[tuple[int, int]]:
    return list(zip(matches.reference.tolist(), matches.detected.tolist(), strict=True))


def test_a_detection_150_ms_away_is_the_beat_and_one_a_sample_further_is_not() -> None:
    assert pairs(match_beats(np.array([1000, 2000]), np.array([946, 2055]), fs=360)) == [(0, 0)]  # 54, 55 samples


def test_a_fractional_rate_is_measured_exactly() -> None:
    # 0.150 s * 128.5 Hz = 19.275 samples
    assert len(match_beats(np.array([100]), np.array([119]), Fraction(257, 2)).reference) == 1
    assert len(match_beats(np.array([100]), np.array([120]), Fraction(257, 2)).reference) == 0


def test_two_detections_of_one_beat_are_one_pair_and_one_extra() -> None:
    matches = match_beats(np.array([500]), np.array([480, 505]), fs=1000)
    assert pairs(matches) == [(0, 1)]
    assert matches.extra.tolist() == [0]


def test_a_nearer_pair_is_given_up_where_that_saves_a_beat() -> None:
    # At 1000 Hz beat 100 has 0 and 110 in reach, beat 200 only 110: nearest first would pair 100 with 110.
    matches = match_beats(np.array([100, 200]), np.array([0, 110]), fs=1000)
    assert pairs(matches) == [(0, 0), (1, 1)]
    assert len(matches.missed) == len(matches.extra) == 0


def test_nothing_detected_misses_every_beat() -> None:
    matches = match_beats(np.array([10, 400]), np.array([], dtype=int), fs=360)
    assert (matches.missed.tolist(), matches.extra.tolist(), pairs(matches)) == ([0, 1], [], [])


def test_beats_that_run_backwards_are_refused_with_the_place() -> None:
    with pytest.raises(EctopyError, match="detected beats run backwards: sample 900 is followed by 300"):
        match_beats(np.array([300, 900]), np.array([900, 300]), fs=360)


@given(reference=times, detected=times)
def test_no_other_pairing_has_more_pairs_or_a_smaller_distance(reference: list[int], detected: list[int]) -> None:
    matches = match_beats(np.array(reference, dtype=int), np.array(detected, dtype=int), fs=100)
    found = pairs(matches)
    distances = [abs(reference[i] - detected[j]) for i, j in found]
    assert (len(found), sum(distances)) == best_by_trying_all(reference, detected, reach=15)
    assert max(distances, default=0) <= 15
    assert sorted([i for i, _ in found] + matches.missed.tolist()) == list(range(len(reference)))
    assert sorted([j for _, j in found] + matches.extra.tolist()) == list(range(len(detected)))


def best_by_trying_all(reference: Sequence[int], detected: Sequence[int], reach: int) -> tuple[int, int]:
    """Most pairs, then least total distance, over every one-to-one pairing, crossing ones too."""
    if not reference:
        return 0, 0
    options = [best_by_trying_all(reference[1:], detected, reach)]
    for j, sample in enumerate(detected):
        distance = abs(reference[0] - sample)
        if distance <= reach:
            n, total = best_by_trying_all(reference[1:], [*detected[:j], *detected[j + 1 :]], reach)
            options.append((n + 1, total + distance))
    return min(options, key=lambda option: (-option[0], option[1]))


@pytest.fixture
def compare_annotations() -> Callable[[np.ndarray, np.ndarray, int], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what `wfdb` asks of pandas
        from wfdb.processing import compare_annotations
    return compare_annotations


def test_on_every_record_of_mitdb_beats_are_paired_as_wfdb_pairs_them(
    mitdb: Path, compare_annotations: Callable[[np.ndarray, np.ndarray, int], Any]
) -> None:
    rng = np.random.default_rng(0)
    for header in sorted(mitdb.glob("*.hea")):
        recording = read(header)
        assert recording.annotations is not None
        reference = recording.annotations.beats.sample
        jittered = reference + rng.integers(-60, 61, len(reference))  # up to 167 ms off
        false = rng.integers(0, reference[-1], len(reference))
        for detected in (
            sleepecg.detect_heartbeats(recording.samples[:, 0].astype(float), 360),
            np.sort(np.concatenate([jittered, false])),
        ):
            theirs = compare_annotations(reference, detected, 55)  # wfdb pairs below the width, EC57 up to it
            ours = match_beats(reference, detected, 360)
            assert ours.reference.tolist() == theirs.matched_ref_inds.tolist(), recording.name
            assert ours.detected.tolist() == theirs.matched_test_inds.tolist(), recording.name


def test_where_two_beats_share_a_detection_in_reach_wfdb_loses_a_pair_that_is_kept_here(
    compare_annotations: Callable[[np.ndarray, np.ndarray, int], Any],
) -> None:
    # wfdb gives 110 to beat 100, its nearest, and has none left for beat 200; here it is 0-100, 110-200
    theirs = compare_annotations(np.array([100, 200]), np.array([0, 110]), 151)
    assert theirs.tp == 1
    assert len(match_beats(np.array([100, 200]), np.array([0, 110]), fs=1000).reference) == 2
