"""What only shows after hours; `make soak`."""

import resource
import sys

import numpy as np
import pytest

from ectopy import Recording, StreamAnalyzer


@pytest.mark.soak
def test_a_day_of_streaming_takes_no_more_memory_than_its_first_hour(demo: Recording) -> None:
    stream = StreamAnalyzer(demo.fs, demo.leads)
    seconds = np.split(demo.samples, 300)
    count = 0
    for repeat in range(24 * 12):
        if repeat == 12:
            after_an_hour = _peak_mb()
        for second in seconds:
            count += len(stream.push(second))
    count += len(stream.finish())
    assert count == 24 * 3600 / 5
    assert _peak_mb() - after_an_hour < 5


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
