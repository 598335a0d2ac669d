"""The report's files: `compare.html` with every figure inside, `compare.json`, `compare.md`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ectopy.evaluation import Comparison
from ectopy.reports.compare import cost, curves, mistakes, quality, records
from ectopy.reports.compare.tables import Contest, as_dict, as_markdown
from ectopy.reports.page import Part, drawn, page, write_files
from ectopy.reports.save import check_folder
from ectopy.reports.section import Section, listed, plural


def save(
    contest: Contest,
    folder: Path | str,
    data_dir: Path | None = None,
    done: Callable[[str], None] = lambda title: None,
) -> list[Path]:
    """Write the report into a folder, which is made where it is missing, and say what was written.

    data_dir : where to look for databases first, for the galleries
    done : called with each section's title

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    folder = Path(folder)
    check_folder(folder)
    parts = []
    for section in _sections(contest, data_dir):
        parts.append(drawn(section))
        done(section.title)
    numbers = json.dumps(as_dict(contest), indent=1, allow_nan=False) + "\n"
    files = {"compare.json": numbers, "compare.md": as_markdown(contest), "compare.html": _page(contest, parts)}
    return write_files(folder, {name: text.encode() for name, text in files.items()})


def _sections(contest: Contest, data_dir: Path | None) -> Iterator[Section]:
    for comparison in contest.comparisons:
        for section in _of_one(contest, comparison, data_dir):
            title = section.title if len(contest.comparisons) == 1 else f"{comparison.on}: {section.title}"
            yield replace(section, key=f"{comparison.on}-{section.key}", title=title)
    yield cost.cost(contest)


def _of_one(contest: Contest, comparison: Comparison, data_dir: Path | None) -> Iterator[Section]:
    yield quality.figures(contest, comparison)
    yield quality.other_sets(comparison)
    yield quality.paired(comparison)
    yield quality.matrices(comparison)
    yield curves.rates(comparison)
    yield curves.alarms(comparison)
    yield curves.reliability(comparison)
    yield records.by_record(comparison)
    yield records.worst(comparison)
    yield from mistakes.galleries(comparison, data_dir)


def _page(contest: Contest, parts: list[Part]) -> str:
    sets = [f"{one.on} ({plural(len(one.records), 'record')})" for one in contest.comparisons]
    title = f"{listed([one.on for one in contest.comparisons])}: models, baselines and peers compared"
    who = tuple(f"{e.name}: {e.about}" for e in contest.entrants if e.headline)
    facts = f"On {listed(sets)}, end to end. Commit {contest.commit[:12] or 'unknown'}, {contest.date}."
    databases = {name.partition("/")[0] for one in contest.comparisons for name in one.records}
    return page(title, facts, who + contest.notes, parts, databases)
