"""When a sample was taken: within a few hundredths of a second, whatever network, device and server's clock do."""

from fractions import Fraction

import numpy as np
import pytest

from ectopy.service.clock import Clock
from ectopy.service.rows import AnchorRow

FS = Fraction(360)


def test_a_late_chunk_does_not_move_the_time() -> None:
    clock, rng = Clock(1, FS, 0), np.random.default_rng(0)
    for second in range(1, 601):
        delay = rng.exponential(0.05) + (3.0 if second % 50 == 0 else 0.0)
        clock.observe(360 * second, 1000.0 + second + delay, 5000.0 + second + delay)
    for second in range(120, 600, 7):
        assert abs(clock.at(360 * second) / 1e6 - (5000 + second)) < 0.05


def test_a_device_that_is_a_little_off_is_caught_up_with() -> None:
    kept, rate = list[AnchorRow](), 1.0005  # it takes 360.18 samples a second and says 360
    clock = Clock(1, FS, 0, earlier=lambda sample: [anchor for anchor in kept if anchor.sample <= sample][-1])
    for second in range(1, 3601):
        anchor = clock.observe(round(360 * rate * second), float(second), 5000.0 + second)
        kept += [anchor] if anchor else []
    for second in range(60, 3600, 13):
        assert abs(clock.at(round(360 * rate * second)) / 1e6 - (5000 + second)) < 0.04


def test_a_step_of_the_servers_clock_changes_the_time_from_there_on_only() -> None:
    clock = Clock(1, FS, 0)
    for second in range(1, 200):
        clock.observe(360 * second, float(second), 5000.0 + second + (3600 if second > 100 else 0))
    assert abs(clock.at(360 * 90) / 1e6 - 5090) < 0.01
    assert abs(clock.at(360 * 150) / 1e6 - 8750) < 0.01


def test_an_anchor_comes_once_a_minute_and_the_first_has_the_devices_own_clock() -> None:
    clock = Clock(1, FS, 0, device_us=7)
    kept = [clock.observe(360 * second, float(second), 5000.0 + second) for second in range(1, 602)]
    anchors = [anchor for anchor in kept if anchor]
    assert [anchor.sample // 360 for anchor in anchors] == [0, *range(60, 601, 60)]
    assert anchors[0].device_us == 7 and all(anchor.device_us is None for anchor in anchors[1:])


def test_a_clock_that_goes_on_from_its_anchors_says_the_same() -> None:
    clock, kept = Clock(1, FS, 0), []
    for second in range(1, 300):
        anchor = clock.observe(360 * second, float(second), 5000.0 + second)
        kept += [anchor] if anchor else []
    again = Clock(1, FS, 0, anchors=kept)
    assert [again.at(n) for n in range(0, 100_000, 999)] == [clock.at(n) for n in range(0, 100_000, 999)]


def test_a_backlog_that_comes_at_once_moves_no_time() -> None:
    """Five minutes of outage, caught up with in two seconds."""
    clock = Clock(1, FS, 0)
    for second in range(1, 900):
        came = float(second) if not 200 < second <= 500 else 500 + (second - 200) / 150
        clock.observe(360 * second, max(came, float(second)), 5000.0 + max(came, float(second)))
    times = [clock.at(360 * second) / 1e6 - 5000 - second for second in range(1, 900, 3)]
    assert max(map(abs, times)) < 0.01


def test_a_silence_that_the_device_does_not_count_makes_nothing_behind_it_late() -> None:
    """A device that sends chunks without their place is away for a minute, and goes on where it was."""
    for chunk_s, most in ((0.25, 11), (1, 12), (5, 16)):
        clock = Clock(1, FS, 0)
        for n in range(1, round(200 / chunk_s)):
            signal_s = n * chunk_s
            came = signal_s + (60 if signal_s > 70 else 0)
            clock.observe(round(360 * signal_s), came, 5000.0 + came)
            late_s = 5000 + came - clock.at(round(360 * signal_s)) / 1e6
            assert late_s < 0.01 or 70 < signal_s <= 70 + most
        assert abs(clock.at(360 * 71) / 1e6 - (5000 + 131)) < 0.01  # what the silence ended with is not old either
        assert abs(clock.at(360 * 69) / 1e6 - (5000 + 69)) < 0.01


@pytest.mark.parametrize("times", [1.25, 2, 30])
def test_what_is_caught_up_with_is_as_old_as_it_is(times: float) -> None:
    """A minute of outage, then the samples come so many times as fast as they were taken."""
    clock = Clock(1, FS, 0)
    for second in range(1, 900):
        came = max(float(second), 260 + (second - 200) / times if second > 200 else 0)
        clock.observe(360 * second, came, 5000.0 + came)
    assert all(abs(clock.at(360 * second) / 1e6 - 5000 - second) < 0.01 for second in range(1, 230))


def test_before_any_sample_the_time_is_that_of_the_epochs_beginning() -> None:
    assert Clock(1, FS, 7_000_000).at(720) == 9_000_000
