"""What the doubt of `instant` is worth: how much is unreadable, and how much wrong, as noise grows.

Training patients of mitdb, each judged by the fold's model that has not seen him, with the electrode motion that is
kept for choices; and the hand-held recordings that train, by a fold that has not seen them. The quality index has seen
them all, and that noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import nan
from pathlib import Path

import pandas as pd

from ectopy import analyze, data
from ectopy.errors import ModelError
from ectopy.evaluation import against_clean, each_record, in_noise, markdown, score_in_noise, wrong_counts
from ectopy.signal import condition
from ectopy.training.beat_model import Finders, find_finders
from ectopy.training.data import hand_held
from ectopy.training.operating import DOUBTS
from ectopy.training.runs import Plan, digest, open_run, progress
from ectopy.zoo import TrainedModel

_LEVELS_DB = (None, 12, 6, 0, -6)
_COLUMNS = {"unreadable": (None, 0), "wrong": _LEVELS_DB}
_HAND_HELD = "cinc2017/"


def doubted(plan: Plan) -> str:
    """A row for each threshold of doubt, as Markdown. Each record's counts are kept in `runs/ablate-instant-PROTOCOL/`.

    Raises
    ------
    ModelError
        If there is no run of `instant`, no record of mitdb, or the table to go on from is another one.
    RecordError
        If a record, nstdb, mitdb's 118 or, with protocol `shipped`, cinc2017 is not on this machine.
    """
    finders = find_finders(plan.place("instant").parent, plan.folder("instant"), plan.protocol)
    names = [name for name in plan.records if name.startswith("mitdb/")]
    if not names:
        raise ModelError("none of mitdb's records among those to be judged; name one")
    first = data.read(names[0], data_dir=plan.data_dir)
    seen = condition(first.samples, first.fs)
    names += hand_held(plan.protocol, plan.data_dir)
    in_force = finders.shipped.thresholds["doubt"]
    doubts = sorted({*DOUBTS, in_force})
    folder = plan.runs / f"ablate-instant-{plan.protocol}"
    wanted = {
        "models": [finder.hash for finder in (finders.shipped, *finders.folds)],
        "thresholds": finders.shipped.thresholds,
        "doubts": doubts,
        "levels_db": _LEVELS_DB,
        "input": digest([seen.signal, seen.quality, data.electrode_motion("choice", plan.data_dir)]),
    }
    open_run(folder, plan.resume, wanted)
    places = {name: folder / f"{name.replace('/', '-')}.csv" for name in names}
    done = {name: kept for name, path in places.items() if (kept := _kept(path, name, doubts)) is not None}
    missing = [name for name in names if name not in done]
    with progress() as bar:
        task = bar.add_task("analysing", total=len(names), completed=len(done))
        judge = partial(_counts, finders=finders, doubts=doubts, data_dir=plan.data_dir)
        for name, counts in zip(missing, each_record(judge, missing), strict=True):
            part = places[name].with_suffix(".part")
            counts.to_csv(part, index=False)
            part.replace(places[name])
            done[name] = counts
            bar.advance(task)
    every = pd.concat([done[name] for name in names], ignore_index=True)
    table = markdown(_table(every, in_force))
    return f"# `ectopy ablate instant`, protocol {plan.protocol}\n\n{_ABOUT}\n\n{table}"


def _kept(path: Path, name: str, doubts: Sequence[float]) -> pd.DataFrame | None:
    """The record's counts, where a file is there and has all of them."""
    try:
        kept = pd.read_csv(path)
        figures = kept[["doubt", "intervals", "unreadable", "wrong"]].astype(float)
    except (OSError, ValueError, KeyError):
        return None
    levels = 1 if name.startswith(_HAND_HELD) else len(_LEVELS_DB)
    whole = len(kept) == len(doubts) * levels and bool(figures.notna().all(axis=None))
    whole = whole and {"record", "patient", "level_db"} <= {*kept} and bool((kept["record"] == name).all())
    return kept if whole else None


def _counts(name: str, finders: Finders, doubts: Sequence[float], data_dir: Path | None) -> pd.DataFrame:
    """`wrong_counts` of a record at each threshold, in column `doubt`."""
    fold = finders.folds[finders.fold(name)]
    of_normal = name.startswith(_HAND_HELD)
    noisy = [] if of_normal else [*in_noise(name, _LEVELS_DB, data_dir, "choice")]
    parts = []
    for doubt in doubts:
        model = replace(fold, card={**fold.card, "thresholds": {**fold.thresholds, "doubt": doubt}})
        if of_normal:
            counts = _of_normal(name, model, data_dir)
        else:
            counts = wrong_counts([score_in_noise(name, recording, level, model) for level, recording in noisy])
        parts.append(counts.assign(doubt=doubt))
    return pd.concat(parts, ignore_index=True)


def _of_normal(name: str, model: TrainedModel, data_dir: Path | None) -> pd.DataFrame:
    """The same of a recording that is labelled normal as a whole."""
    verdicts = analyze(data.read(name, data_dir=data_dir), model=model).intervals["verdict"]
    counts = {"unreadable": (verdicts == "unreadable").sum(), "wrong": (verdicts == "abnormal").sum()}
    return pd.DataFrame([{"record": name, "patient": name, **counts, "level_db": nan, "intervals": len(verdicts)}])


_ABOUT = (
    "The odds of a second's quality fall with the model's doubt beyond the threshold and rise below it; the one in "
    "force is marked, and at the last next to nothing is unreadable. Out of fold, first lead, from 5:00: of all "
    "intervals of mitdb's training patients those that are unreadable, and those that are wrong, without noise and "
    "with electrode motion added; by how many percentage points more are wrong at 0 dB than without, with a 95 % "
    "interval by a paired bootstrap over patients. 'Hand-held': of the intervals of the recordings labelled normal "
    "in cinc2017's training half those called abnormal. The quality index was fitted on all of these recordings, and "
    "on this noise."
)


def _table(every: pd.DataFrame, in_force: float) -> list[list[str]]:
    of_hand = every["record"].str.startswith(_HAND_HELD)
    n = every.loc[of_hand & (every["doubt"] == in_force), "intervals"].sum()
    heads = [f"{what}, {_level(level)}" for what, levels in _COLUMNS.items() for level in levels]
    rows = [["doubt", *heads, "wrong, 0 dB against clean", *([f"hand-held ({n})"] if n else [])]]
    for doubt, counts in every.groupby("doubt"):
        own, hand = counts[~of_hand[counts.index]], counts[of_hand[counts.index]]
        by_level = {
            level: own[own["level_db"].isna() if level is None else own["level_db"] == level] for level in _LEVELS_DB
        }
        cells = [_share(by_level[level], what) for what, levels in _COLUMNS.items() for level in levels]
        cells += [against_clean(own, 0), *([_share(hand, "wrong")] if n else [])]
        rows.append([f"{doubt:g}{' (in force)' if doubt == in_force else ''}", *cells])
    return rows


def _level(level_db: int | None) -> str:
    return "clean" if level_db is None else f"{level_db} dB"


def _share(counts: pd.DataFrame, what: str) -> str:
    return f"{100 * counts[what].sum() / counts['intervals'].sum():.1f} %"
