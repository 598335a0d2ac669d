"""How often a model was shown the test records: `benchmarks/test_runs.csv`, a line a look."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ectopy.errors import OutputError
from ectopy.evaluation.summary import Scores

TEST_SPLITS = ("DS2", "svdb-odd")

_FIGURES = (
    *("beat.detection.se", "beat.detection.ppv", "beat.V.f1", "beat.S.f1", "beat.F.f1"),
    *("beat.abnormal.f1", "beat.abnormal.auroc", "interval.abnormal.f1", "interval.abnormal.auprc"),
    *("interval.unreadable.share", "interval.false_alarms.per_hour"),
)
_WITHOUT_232 = "without 232 beat.abnormal.f1"


def checkout(folder: Path) -> Path | None:
    """The checkout of this project that `folder` lies in, if it lies in one."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top and (Path(top) / "src" / "ectopy").is_dir() else None


def commit(root: Path) -> str:
    """The commit checked out, with `+changes` where the sources differ from it."""
    changed = _git(root, "status", "--porcelain", "--", "src")
    return _git(root, "rev-parse", "HEAD") + ("+changes" if changed else "")


def record_look(root: Path, *, model: str, sha256: str, split: str, leads: str, scores: Mapping[str, Scores]) -> Path:
    """Append a line to the checkout's `benchmarks/test_runs.csv`.

    leads : `first` or `all`
    scores : as `benchmark.columns`, the headline first

    Raises
    ------
    OutputError
        If the file can't be written.
    """
    headline = next(iter(scores.values()))
    row = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(root),
        "model": model,
        "sha256": sha256,
        "split": split,
        "records": len(headline.records),
        "leads": leads,
        "start_s": f"{headline.start_s:g}",
        **{name: _value(headline, name) for name in _FIGURES},
        _WITHOUT_232: _value(scores["without 232"], "beat.abnormal.f1") if "without 232" in scores else "",
    }
    path = root / "benchmarks" / "test_runs.csv"
    try:
        path.parent.mkdir(exist_ok=True)
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row, lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(row)
    except OSError as error:
        raise OutputError(f"{path}: the look at {split} can't be recorded ({error.strerror})") from None
    return path


def _value(scores: Scores, name: str) -> str:
    return f"{scores.figures.loc[name, 'value']:.4f}" if name in scores.figures.index else ""


def _git(folder: Path, *words: str) -> str:
    """What git answers; nothing where there is no git or no repository."""
    try:
        return subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""
