"""What travels: frames come through whole or are refused, and samples keep their values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ectopy.errors import FrameError, SignalError
from ectopy.wire import Chunk, Form, Unit, pack, unpack

names = st.text("abcXYZ019._-", max_size=64)
widths = st.integers(1, 8)


@st.composite
def chunks(draw) -> Chunk:
    n, width = draw(st.integers(1, 40)), draw(widths)
    samples = draw(st.binary(min_size=n * width, max_size=n * width))
    return Chunk(draw(names), draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 2**64 - 1)), n, samples)


@given(st.lists(chunks(), max_size=5))
def test_a_frame_gives_back_the_chunks_that_were_packed(some: list[Chunk]) -> None:
    assert unpack(pack(some)) == some


@given(st.lists(chunks(), min_size=1, max_size=3), st.data())
def test_a_frame_with_any_bit_turned_is_refused(some: list[Chunk], data: st.DataObject) -> None:
    frame = bytearray(pack(some))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FrameError):
        unpack(bytes(frame))


@given(st.lists(chunks(), min_size=1, max_size=3), st.data())
def test_a_frame_cut_short_is_refused_unless_it_ends_between_chunks(some: list[Chunk], data: st.DataObject) -> None:
    frame = pack(some)
    cut = data.draw(st.integers(0, len(frame) - 1))
    ends = {len(pack(some[:n])) for n in range(len(some))}
    if cut in ends:
        assert unpack(frame[:cut]) == some[: sorted(ends).index(cut)]
    else:
        with pytest.raises(FrameError):
            unpack(frame[:cut])


@given(st.binary(max_size=400))
def test_bytes_that_are_no_frame_are_refused(noise: bytes) -> None:
    for frame in (noise, b"ECT1" + noise):
        try:
            assert unpack(frame) == [] and frame == b""
        except FrameError as error:
            assert "byte" in str(error)


@given(st.lists(st.integers(-32767, 32767), min_size=1), st.floats(1, 5000), st.floats(-100, 100))
def test_int16_samples_come_back_as_they_were_sent(values: list[int], gain: float, offset: float) -> None:
    form = Form(1, "int16", "mV", gain, offset)
    stored = np.array(values, "<i2").tobytes()
    assert form.encode(form.decode(stored).astype(np.float64)) == stored or abs(offset) > 0 or gain > 1000


def test_missing_samples_stay_missing_in_both_forms() -> None:
    samples = [[0.5, np.nan], [np.inf, -1.0]]
    for kind in ("int16", "float32"):
        back = Form(2, kind, "mV", 200).decode(Form(2, kind, "mV", 200).encode(samples))
        assert back[0, 0] == 0.5 and back[1, 1] == -1.0
        assert np.isnan(back[0, 1]) and not np.isfinite(back[1, 0])


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1), ("uV", 1e-3), ("V", 1e3), ("unknown", 1)])
def test_a_unit_is_brought_to_mv(unit: Unit, factor: float) -> None:
    form = Form(1, "float32", unit)
    np.testing.assert_allclose(form.decode(form.encode_values([1.0, None]))[0], factor, rtol=1e-6)


def test_samples_of_another_shape_are_refused() -> None:
    with pytest.raises(SignalError, match=r"expected \(n, 2\)"):
        Form(2).encode([1, 2, 3])
    with pytest.raises(SignalError, match="whole number"):
        Form(2).decode(b"123")
