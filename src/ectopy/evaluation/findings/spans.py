"""Stretches of time that somebody marked, and those that a program told: how well they agree.

Episodes are compared as WFDB's `epicmp` describes it (WFDB Applications Guide): by tallies of overlapping episodes, in
both directions, each episode weighing the same; duration statistics weigh each by its length. An episode of the
reference is found if any that was told overlaps it; one that was told is true if it overlaps any of the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

Span = tuple[float, float]  # seconds, from and to


@dataclass(frozen=True)
class Match:
    """Counts of one kind of episode.

    episodes, found : of the reference, and those of them that were found
    told, true : episodes told, and those of them that the reference has
    reference_s, told_s, both_s : seconds marked, told, and both
    """

    episodes: int = 0
    found: int = 0
    told: int = 0
    true: int = 0
    reference_s: float = 0.0
    told_s: float = 0.0
    both_s: float = 0.0

    def __add__(self, other: Match) -> Match:
        return Match(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def match(
    reference: Iterable[Span], told: Iterable[Span], *, within_s: float = 0.0, left_out: Iterable[Span] = ()
) -> Match:
    """Compare what a program told with the reference.

    within_s : episodes that miss each other by no more than this overlap
    left_out : seconds that count for neither; what was told and touches them is charged only where it is true
    """
    out = merged(left_out)
    marked, said = without(merged(reference), out), merged(told)
    is_true = [touches(span, marked, within_s) for span in said]
    counted = [true for span, true in zip(said, is_true, strict=True) if true or not touches(span, out, within_s)]
    said_s = without(said, out)
    return Match(
        episodes=len(marked),
        found=sum(touches(span, said, within_s) for span in marked),
        told=len(counted),
        true=sum(counted),
        reference_s=length_s(marked),
        told_s=length_s(said_s),
        both_s=length_s(marked) - length_s(without(marked, said_s)),
    )


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order, those that overlap or meet as one."""
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_s)
        else:
            joined.append((start_s, end_s))
    return joined


def without(spans: Iterable[Span], out: Sequence[Span]) -> list[Span]:
    """What is left of `spans` outside of `out`, whose own are in order and apart."""
    left = []
    for span in spans:
        start_s, end_s = span
        for out_s, back_s in out:
            if back_s <= start_s or out_s >= end_s:
                continue
            if out_s > start_s:
                left.append((start_s, out_s))
            start_s = back_s
        if start_s < end_s or (start_s, end_s) == span:  # of no length, but untouched
            left.append((start_s, end_s))
    return left


def touches(span: Span, others: Iterable[Span], within_s: float = 0.0) -> bool:
    """Whether one of `others` overlaps it, or misses it by no more than `within_s`."""
    return any(start_s <= span[1] + within_s and end_s >= span[0] - within_s for start_s, end_s in others)


def length_s(spans: Iterable[Span]) -> float:
    return sum(end_s - start_s for start_s, end_s in spans)
