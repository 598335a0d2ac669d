"""What becomes of samples that come in, by their index: none is lost and none doubled, in whatever order they come."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.service.ingest import Added, Hole, Late, Log


def offered(log: Log, first: int, n: int, now: float = 0.0) -> list:
    return log.offer(first, n, bytes(range(first % 256, first % 256 + n)), now)


def test_samples_that_continue_the_log_are_added() -> None:
    log = Log(1)
    assert offered(log, 0, 3) == [Added(0, 3, b"\0\1\2")]
    assert offered(log, 3, 2) == [Added(3, 2, b"\3\4")]
    assert log.next == 5


def test_of_an_overlap_the_tail_is_taken() -> None:
    log = Log(1)
    offered(log, 0, 4)
    assert offered(log, 2, 4) == [Added(4, 2, b"\4\5")]


def test_samples_ahead_wait_for_the_missing_ones() -> None:
    log = Log(1)
    assert offered(log, 4, 2) == [] and log.waiting == 2
    assert offered(log, 2, 2) == []
    assert [type(x) for x in offered(log, 0, 2)] == [Added, Added, Added]
    assert log.next == 6 and log.waiting == 0


def test_however_many_wait_they_all_follow_the_missing_one() -> None:
    log = Log(1)
    for first in range(3000, 0, -1):
        assert offered(log, first, 1) == []
    assert [entry.first for entry in offered(log, 0, 1)] == [*range(3001)]


def test_what_does_not_come_in_time_is_a_gap_and_stays_one() -> None:
    log = Log(1)
    offered(log, 0, 2)
    offered(log, 5, 2, now=10.0)
    assert log.expire(14.9, 5.0) == []
    assert log.expire(15.0, 5.0) == [Hole(2, 3, "never came"), Added(5, 2, b"\5\6")]
    assert offered(log, 1, 5) == []


def test_a_declared_gap_takes_what_is_not_there_yet() -> None:
    log = Log(1)
    offered(log, 0, 4)
    assert log.declare(0, 3) == []
    assert log.declare(2, 4) == [Hole(4, 2, "declared")]
    assert log.declare(8, 2) == [Hole(6, 2, "never came"), Hole(8, 2, "declared")]


def test_what_waits_where_a_gap_is_declared_is_late() -> None:
    log = Log(1)
    offered(log, 2, 2)
    offered(log, 4, 3)
    assert log.declare(2, 3) == [
        *(Hole(0, 2, "never came"), Hole(2, 3, "declared"), Late(2, 2, b"\2\3")),
        *(Late(4, 1, b"\4"), Added(5, 2, b"\5\6")),
    ]


def test_a_declared_gap_ahead_leaves_what_has_come_before_it() -> None:
    log = Log(1)
    offered(log, 2, 3)
    offered(log, 6, 3)
    outcomes = log.declare(8, 2)
    assert outcomes[:2] == [Hole(0, 2, "never came"), Added(2, 3, b"\2\3\4")]
    assert outcomes[2:] == [Hole(5, 1, "never came"), Added(6, 3, b"\6\7\x08"), Hole(9, 1, "declared")]


def test_the_end_of_an_epoch_makes_a_gap_of_what_is_missing() -> None:
    log = Log(1)
    offered(log, 3, 2)
    assert log.close(7) == [Hole(0, 3, "never came"), Added(3, 2, b"\3\4"), Hole(5, 2, "never came")]


@settings(derandomize=True)
@given(
    pieces=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=30),
    gaps=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=3),
)
def test_the_log_is_whole_and_each_sample_has_one_place(pieces, gaps) -> None:
    """Whatever comes in whatever order: the log has no hole but those it tells of, and no sample in a wrong place."""
    log, entries = Log(1), []
    for number, (first, n) in enumerate(pieces):
        entries += offered(log, first, n, float(number))
        if number < len(gaps):
            entries += log.declare(*gaps[number])
        entries += log.expire(float(number), 5.0)
    entries += log.close(100)
    at = 0
    for entry in entries:
        assert isinstance(entry, Hole) or entry.samples == bytes(range(entry.first, entry.first + entry.n))
        if isinstance(entry, Added | Hole):
            assert entry.first == at and entry.n > 0
            at += entry.n
    assert at == log.next == 100
    in_gaps = {i for hole in entries if isinstance(hole, Hole) for i in range(hole.first, hole.first + hole.n)}
    for entry in entries:
        if isinstance(entry, Late):
            assert set(range(entry.first, entry.first + entry.n)) <= in_gaps
        elif isinstance(entry, Added):
            assert not set(range(entry.first, entry.first + entry.n)) & in_gaps
