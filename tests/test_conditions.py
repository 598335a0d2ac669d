"""What is seen of the equipment: silent streams, gateways that are gone, the clock, the disk."""

from ectopy.service.conditions import Conditions

RUNNING = {"a", "b"}


def seen(conditions, at_s, running=RUNNING, trouble=None, utc_s=None):
    """Name, stream and whether it begins, of what is new."""
    found = conditions.look(running, trouble, at_s, 1e9 + at_s if utc_s is None else utc_s)
    return [(one.name, one.stream or one.streams, one.on) for one in found]


def test_a_stream_is_silent_ten_seconds_after_its_last_samples_and_not_from_its_beginning():
    conditions = Conditions(0.0)
    conditions.came("a", 1000.0)  # it begins, long after the service
    conditions.came("b", 1000.0)
    assert seen(conditions, 1000.2) == []
    conditions.came("a", 1005.0)
    assert seen(conditions, 1009.9) == []
    assert seen(conditions, 1010.0) == [("stream silent", "b", True)]
    assert seen(conditions, 1015.0) == [("stream silent", "a", True)]
    conditions.came("b", 1016.0)
    assert seen(conditions, 1016.1) == [("stream silent", "b", False)]
    assert seen(conditions, 1016.2, running={"b"}) == [("stream silent", "a", False)]


def test_a_stream_that_ended_and_begins_anew_is_not_silent_by_what_was():
    conditions = Conditions(0.0)
    conditions.came("a", 5.0)
    assert seen(conditions, 6.0, running={"a"}) == []
    assert seen(conditions, 7.0, running=set()) == []
    conditions.came("a", 500.0)
    assert seen(conditions, 500.1, running={"a"}) == []


def test_what_lasted_before_a_restart_ends_once_it_is_over():
    conditions = Conditions(0.0, silent=["a"], behind=["b"], lasting=["disk full", "clock jump"])
    conditions.came("a", 1.0)
    conditions.came("b", 1.0)
    assert seen(conditions, 1.1) == [
        ("gateway down", ("b",), False),
        ("stream silent", "a", False),
        ("clock jump", (), False),
        ("disk full", (), False),
    ]


def test_the_clock_and_the_store_are_told_when_they_change():
    conditions = Conditions(0.0)
    for stream in RUNNING:
        conditions.came(stream, 5.0)
    assert seen(conditions, 5.0) == []
    assert seen(conditions, 6.0, utc_s=1e9 - 3600) == [("clock jump", (), True)]
    assert seen(conditions, 6.2, utc_s=1e9 - 3600 + 0.2) == [("clock jump", (), False)]
    full, other = "disk full: 1 MB are left", "the store can't write: no such device"
    back = 1e9 - 3600
    assert seen(conditions, 7.0, trouble=full, utc_s=back + 1) == [("disk full", (), True)]
    assert seen(conditions, 7.1, trouble="disk full: 2 MB are left", utc_s=back + 1.1) == []
    assert seen(conditions, 8.0, trouble=other, utc_s=back + 2) == [
        ("disk full", (), False),
        ("store failing", (), True),
    ]
    assert seen(conditions, 9.0, utc_s=back + 3) == [("store failing", (), False)]
