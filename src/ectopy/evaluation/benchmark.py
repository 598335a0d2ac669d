"""A model on a split's records, end to end: read, analyse, score."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import pandas as pd

from ectopy.analysis import analyze
from ectopy.data import patient, read
from ectopy.errors import RecordError
from ectopy.evaluation.record import RecordScores, evaluate_record
from ectopy.evaluation.summary import Scores, summarize
from ectopy.recording import Recording
from ectopy.zoo import load

# Where scoring begins, the headline first: from 5:00 as `bxb` does, the whole record beside it.
_STARTS = {"mitdb": (300.0, 0.0)}
# 202 is the person of 201, who trains; 232 holds three quarters of DS2's S beats.
_REPORTED_WITHOUT = ("mitdb/202", "mitdb/232")
_PROCESSES = 2

Leads = Literal["first", "all"]
ByStart = dict[float, RecordScores]
J = TypeVar("J")
T = TypeVar("T")


def benchmark(
    names: Sequence[str],
    model: str,
    *,
    leads: Sequence[Leads] = ("first",),
    data_dir: Path | None = None,
    done: Callable[[str], None] = lambda name: None,
) -> list[dict[Leads, ByStart]]:
    """Analyse and score each record, two at a time.

    Parameters
    ----------
    names : records, as `mitdb/101`
    model : name or path of a trained model
    leads : with the first lead alone, with all of them, or both one after the other
    done : called with each record's name after it was scored

    Returns
    -------
    For each record its scores, by leads and by the second from which it was scored, the headline first.

    Raises
    ------
    RecordError
        If a record has no reference annotations.
    """
    judge = partial(_judge, model=model, leads=leads, data_dir=data_dir)
    return list(each_record(judge, names, done))


def each_record(
    judge: Callable[[J], T], jobs: Sequence[J], done: Callable[[J], None] = lambda job: None, *, few: int = 1
) -> Iterator[T]:
    """`judge` of each job, a record's name as a rule, in order, two processes at a time; `done` is called with each
    behind it.

    few : so many are not worth a process of their own
    """
    if len(jobs) <= few:
        for job in jobs:
            yield judge(job)
            done(job)
        return
    n_processes = min(_PROCESSES, os.cpu_count() or 1)
    # Spawned, not forked: threads of ONNX Runtime do not survive a fork.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, spawn, initializer=_begin_process) as pool:
        try:
            with ThreadPoolExecutor(1, initializer=_hold_interrupts) as starter:
                futures = starter.submit(lambda: [pool.submit(judge, job) for job in jobs]).result()
            for job, future in zip(jobs, futures, strict=True):
                yield future.result()
                done(job)
        finally:
            pool.shutdown(cancel_futures=True)


def _hold_interrupts() -> None:
    """A terminal's Ctrl-C goes to the processes too: those that this thread starts hear of it once they can end in
    silence."""
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])


def _begin_process() -> None:
    """Ends at once with Ctrl-C, and with its parent: one that was killed ends none of its own."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as a shell has it for what runs in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def columns(scores: Sequence[ByStart]) -> dict[str, Scores]:
    """The sets of records that are reported beside each other, the headline first."""
    headline, *others = scores[0]
    records = [by_start[headline] for by_start in scores]
    table = {_since(headline): summarize(records)}
    for left_out in _REPORTED_WITHOUT:
        rest = [s for s in records if s.record != left_out]
        if rest and len(rest) < len(records):
            table[f"without {left_out.partition('/')[2]}"] = summarize(rest)
    for start_s in others:
        table[_since(start_s)] = summarize([by_start[start_s] for by_start in scores])
    return table


def _judge(name: str, model: str, leads: Sequence[Leads], data_dir: Path | None) -> dict[Leads, ByStart]:
    recording = read(name, data_dir=data_dir)
    first_lead = recording.select(recording.leads[:1])
    return {choice: _scored(first_lead if choice == "first" else recording, name, model) for choice in leads}


def _scored(recording: Recording, name: str, model: str) -> ByStart:
    if recording.annotations is None:
        raise RecordError(f"{name}: no reference annotations (.atr) beside it; nothing to compare with")
    analysis = analyze(recording, model=model)
    return scored(recording, name, analysis.beats, analysis.intervals, load(model).thresholds["abnormal"])


def scored(
    recording: Recording, name: str, beats: pd.DataFrame, intervals: pd.DataFrame, threshold: float | None = None
) -> ByStart:
    """What a program said of an annotated record, scored from each start.

    threshold : anomaly from which a beat is abnormal, for a program that names no classes
    """
    annotations = recording.annotations
    assert annotations is not None
    return {
        start_s: evaluate_record(
            annotations,
            recording.fs,
            recording.duration_s,
            beats,
            intervals,
            start_s,
            record=name,
            patient=patient(name),
            threshold=None if beats["aami"].notna().any() else threshold,
        )
        for start_s in starts(name)
    }


def starts(name: str) -> tuple[float, ...]:
    """The seconds from which a record is scored, the headline first; other databases than mitdb as a whole."""
    return _STARTS.get(name.partition("/")[0], (0.0,))


def _since(start_s: float) -> str:
    return f"from {start_s / 60:.0f}:00" if start_s else "whole record"
