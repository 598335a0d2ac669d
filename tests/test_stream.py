"""`StreamAnalyzer` and `analyze`: the ends of a stream, saved states, wrong use."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ectopy
from ectopy import StreamAnalyzer, analyze
from ectopy.errors import LeadError, ModelError, SignalError, StateError
from ectopy.figures import headline
from ectopy.verdict import DEFAULT_MODEL
from ectopy.zoo import installed


@pytest.fixture(scope="module")
def samples():
    x = ectopy.read("demo").samples[:14_400].copy()
    x[5_000:6_200] = np.nan
    return x


def test_finish_gives_what_is_owed_once_and_push_after_it_is_an_error(samples):
    stream = StreamAnalyzer(360)
    given = stream.push(samples[: 9 * 360])
    assert [v.end_s for v in given] == [5.0]
    assert [(v.start_s, v.end_s) for v in stream.finish()] == [(5.0, 9.0)]
    assert stream.finish() == []
    for late in (stream.push, stream.finish):
        with pytest.raises(StateError, match="finished"):
            late(samples[:1])


@pytest.mark.parametrize(("seconds", "ends"), [(0, []), (1.9, []), (2, [2]), (5, [5]), (6.9, [5]), (7.5, [5, 7.5])])
def test_a_last_interval_of_two_seconds_or_more_is_given(samples, seconds, ends):
    stream = StreamAnalyzer(360)
    given = stream.push(samples[: int(seconds * 360)]) + stream.finish()
    assert [v.end_s for v in given] == ends


@pytest.mark.parametrize("model", installed())
@settings(max_examples=12)
@given(cut=st.integers(0, 14_400))
def test_a_stream_goes_on_from_a_saved_state_bit_for_bit(samples, model, cut):
    whole = StreamAnalyzer(360, model=model)
    wanted = whole.push(samples) + whole.finish()
    first = StreamAnalyzer(360, model=model)
    given = first.push(samples[:cut])
    second = StreamAnalyzer(360, model=model)
    second.restore(first.save())
    given += second.finish(samples[cut:])  # the same as a push before it
    assert [repr(v) for v in given] == [repr(v) for v in wanted]


def test_saving_changes_nothing_and_saves_the_same_twice(samples):
    stream = StreamAnalyzer(360)
    stream.push(samples)
    assert stream.save() == stream.save()


def test_a_state_is_small_and_does_not_grow(demo):
    sizes = []
    stream = StreamAnalyzer(360)
    for part in np.split(demo.samples, 10):
        stream.push(part)
        sizes.append(len(stream.save()))
    assert max(sizes) < 250_000
    assert sizes[-1] <= sizes[2] * 1.1


def test_a_state_of_another_rate_hop_or_lead_is_refused(samples):
    stream = StreamAnalyzer(360, ["MLII"])
    stream.push(samples)
    saved = stream.save()
    for other, what in [
        (StreamAnalyzer(250, ["MLII"]), "fs"),
        (StreamAnalyzer(360, ["V1"]), "leads"),
        (StreamAnalyzer(360, ["MLII"], hop=1), "hop"),
    ]:
        with pytest.raises(StateError, match=f"another {what}"):
            other.restore(saved)


def test_a_state_of_another_model_is_refused(samples):
    stream = StreamAnalyzer(360)
    stream.push(samples)
    other = replace(stream.model, card={**stream.model.card, "sha256": "another"})
    with pytest.raises(StateError, match="another model"):
        StreamAnalyzer(360, model=other).restore(stream.save())


def test_a_buffer_that_the_caller_fills_anew_is_no_harm(samples):
    wanted = StreamAnalyzer(360).push(samples)
    stream, buffer, given = StreamAnalyzer(360), np.zeros((90, 1), np.float32), []
    for first in range(0, len(samples), 90):
        buffer[:] = samples[first : first + 90]
        given += stream.push(buffer)
    assert [repr(v) for v in given] == [repr(v) for v in wanted]


def test_numbers_finer_than_a_recording_s_give_what_the_offline_analysis_gives(samples):
    fine = samples[:, 0].astype(np.float64) * 1.1 + 0.123456789
    stream = StreamAnalyzer(360)
    given = stream.push(fine) + stream.finish()
    assert [repr(v) for v in given] == [repr(v) for v in analyze(fine, fs=360).verdicts]


def test_a_masked_array_is_missing_where_it_is_masked(samples):
    masked = np.ma.MaskedArray(samples, mask=np.isnan(samples) | (np.arange(len(samples)) // 1_800 == 1)[:, None])
    given = StreamAnalyzer(360).push(masked)
    assert given[1].verdict == "unreadable"


def test_pushes_of_nothing_change_nothing(samples):
    stream = StreamAnalyzer(360)
    for _ in range(100):
        assert stream.push(np.zeros((0, 1))) == []
    assert stream.waiting == []


@pytest.mark.parametrize("damage", [lambda s: b"", lambda s: s[:200], lambda s: b"\x00" * 500, lambda s: s[100:]])
def test_a_damaged_state_is_refused(samples, damage):
    stream = StreamAnalyzer(360)
    stream.push(samples)
    with pytest.raises(StateError, match="saved state"):
        StreamAnalyzer(360).restore(damage(stream.save()))


def test_wrong_samples_are_refused_and_change_nothing(samples):
    stream = StreamAnalyzer(360, ["I", "II"])
    cases: list[tuple[Any, str]] = [
        ("abc", "no numbers"),
        ([["a", "b"]], "no numbers"),
        (np.zeros((3, 5)), "shape"),
        (1.0, "shape"),
    ]
    for wrong, what in cases:
        with pytest.raises(SignalError, match=what):
            stream.push(wrong)
    assert stream.n_samples == 0


def test_numbers_of_any_kind_are_taken(samples):
    counts = (samples * 200).round()
    wanted = StreamAnalyzer(360).push(counts)
    assert [repr(v) for v in StreamAnalyzer(360).push(np.nan_to_num(counts, nan=0).astype(np.int16))][:2] == [
        repr(v) for v in wanted
    ][:2]
    assert [repr(v) for v in StreamAnalyzer(360).push(counts.astype(np.float64))] == [repr(v) for v in wanted]


def test_an_operating_point_decides_what_is_abnormal_and_no_more(samples):
    given = {}
    for point in ("few-alarms", "balanced", "high-sensitivity"):
        stream = StreamAnalyzer(360, operating_point=point)
        given[point] = stream.push(samples) + stream.finish()
    n_abnormal = [sum(v.n_abnormal for v in verdicts) for verdicts in given.values()]
    assert n_abnormal == sorted(n_abnormal)
    assert n_abnormal[0] < n_abnormal[2]
    assert {v.model for v in given["few-alarms"]} == {f"{stream.model.name.split(',')[0]}, few-alarms"}
    scores = [[(b.sample, b.anomaly) for v in verdicts for b in v.beats] for verdicts in given.values()]
    assert scores[0] == scores[1] == scores[2]


def test_a_state_of_another_operating_point_is_refused(samples):
    stream = StreamAnalyzer(360)
    stream.push(samples[:3600])
    with pytest.raises(StateError, match="another abnormal"):
        StreamAnalyzer(360, operating_point="few-alarms").restore(stream.save())


def test_no_lead_a_wrong_hop_and_an_unknown_model_are_refused():
    with pytest.raises(LeadError, match="no lead"):
        StreamAnalyzer(360, [])
    assert StreamAnalyzer(360, np.array(["I", "II"])).leads == ("I", "II")  # type: ignore[arg-type]
    for leads in (1.5, None, [1, 2], np.array([1])):
        with pytest.raises(LeadError, match="expected their names, or how many"):
            StreamAnalyzer(360, leads)  # type: ignore[arg-type]
    for hop in (0, 6):
        with pytest.raises(SignalError, match="hop"):
            StreamAnalyzer(360, hop=hop)
    with pytest.raises(ModelError, match=r"no model 'oracle'.*instant"):
        StreamAnalyzer(360, model="oracle")


def test_a_hop_of_whole_seconds_may_be_any_kind_of_number(samples):
    wanted = [repr(v) for v in StreamAnalyzer(360, hop=2).push(samples)]
    for hop in (2.0, np.int64(2)):
        stream = StreamAnalyzer(360, hop=hop)  # type: ignore[arg-type]
        assert [repr(v) for v in stream.push(samples)] == wanted
        assert stream.save()


def test_analyze_takes_an_array_with_a_rate(demo):
    ours = analyze(demo.samples[:, 0], fs=360)
    assert list(ours.beats["sample"]) == list(analyze(demo).beats["sample"])
    with pytest.raises(SignalError, match="sampling rate"):
        analyze(demo.samples)
    with pytest.raises(SignalError, match="leave fs out"):
        analyze(demo, fs=250)


@pytest.mark.parametrize(
    ("x", "what"),
    [
        (np.full(3_600, np.nan), "every sample"),
        (np.zeros(100), "expected at least 2 s"),
        (np.zeros((12, 5_000)), "transpose"),
        (np.zeros((2, 3, 4)), "shape"),
        (np.zeros((3_600, 0)), "no lead"),
        (["a", "b"], "no numbers"),
        ("demo", "a name"),
    ],
)
def test_an_array_that_cannot_be_analysed_is_refused(x, what):
    with pytest.raises((SignalError, LeadError), match=what):
        analyze(x, fs=360)


def test_the_tables_have_the_fields_of_the_design(demo):
    result = analyze(demo)
    assert list(result.beats) == ["sample", "time_s", "aami", "N", "S", "V", "F", "Q", "rr_s", "anomaly", "differs"]
    assert list(result.intervals) == [
        *["start_s", "end_s", "verdict", "score", "heart_rate", "quality", "n_beats", "n_abnormal", "reason"]
    ]
    beats = result.beats
    assert np.allclose(beats[["N", "S", "V", "F", "Q"]].sum(axis=1), 1)
    assert np.allclose(beats["anomaly"], 1 - beats["N"] - beats["Q"])
    assert np.allclose(beats["rr_s"].iloc[1:5], np.diff(beats["time_s"].iloc[:5]))
    assert beats["sample"].is_monotonic_increasing


def test_a_table_of_no_beats_goes_with_the_others(demo):
    none = analyze(np.zeros(3 * 360) + np.eye(1, 3 * 360)[0], fs=360)
    some = analyze(demo.section(0, 10))
    assert len(none.beats) == 0 and none.beats.dtypes.equals(some.beats.dtypes)
    assert demo.samples[none.beats["sample"]].shape == (0, 1)
    assert headline(none.summary).startswith("1 interval: 0 normal")


def test_progress_is_told(demo):
    told: list[float] = []
    analyze(demo, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_verdict_says_why(demo):
    verdicts = analyze(demo).verdicts
    abnormal = next(v for v in verdicts if v.n_abnormal)
    assert "ventricular beat" in abnormal.reason
    assert abnormal.score == max(beat.anomaly for beat in abnormal.beats)
    assert abnormal.model.startswith(f"{DEFAULT_MODEL} ")
