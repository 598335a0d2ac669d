"""What each choice in a beat model is worth: the same cross-validation with that choice undone.

Beats and reference are those of training patients, each by models that have not seen him; a row differs from the first
in one thing. The models stand beside each other first, compared by a paired bootstrap over patients.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ectopy.errors import ModelError
from ectopy.evaluation import average_precision, draw_patients, interval_95, markdown
from ectopy.recording import AAMI_CLASSES
from ectopy.signal import RHYTHM
from ectopy.training.beat_model import Finders, Found, shown
from ectopy.training.doubted import doubted
from ectopy.training.recipes import RECIPES, Recipe, SeriesSettings
from ectopy.training.runs import Plan, open_run, training_records
from ectopy.training.series import ABNORMAL, Beats
from ectopy.training.trial import best_threshold, figures, opened, ranking, tried

_RR = slice(0, RHYTHM.index("rr known") + 1)
_OPINION = slice(RHYTHM.index("P(N or S)"), None)

Change = Callable[[str, list[Beats]], list[Beats]]  # a record's name and beats -> what the model is shown of them


@dataclass(frozen=True)
class Ablation:
    """One row: what is undone.

    settings : changes to the settings
    shown : what is left of the beats, in training and in the test
    taught : what is left of them in training only
    """

    name: str
    settings: Mapping[str, Any]
    shown: Change = lambda name, leads: leads
    taught: Change = lambda name, leads: leads


def _without(part: slice) -> Change:
    def hide(one: Beats) -> Beats:
        rhythm = one.rhythm.copy()
        rhythm[:, part] = 0
        return replace(one, rhythm=rhythm)

    return lambda name, leads: [hide(one) for one in leads]


def _hand_held(record: str) -> bool:
    return record.startswith("cinc2017/")


ABLATIONS = (
    Ablation("as it is", {}),
    Ablation("another seed", {"seed": 1}),
    Ablation("a third seed", {"seed": 2}),
    Ablation("no usual beat to compare with", {}, lambda name, leads: [replace(x, usual=x.shape) for x in leads]),
    Ablation("no RR intervals", {}, _without(_RR)),
    Ablation("no opinion of the beat finder", {}, _without(_OPINION)),
    Ablation("no rows sought on abnormal beats", {"abnormal": 0.0}),
    Ablation("nothing hidden in training", {"hidden": 0.0}),
    Ablation("no change of gain in training", {"gain": 0.0}),
    Ablation("no noise in training", {}, taught=lambda name, leads: leads[::2]),
    Ablation("first lead only in training", {}, taught=lambda name, leads: leads[:2]),
    Ablation("no hand-held recordings in training", {}, taught=lambda name, leads: [] if _hand_held(name) else leads),
    Ablation("patients of mitdb only", {}, taught=lambda name, leads: leads if name.startswith("mitdb/") else []),
)


def ablate(
    name: str,
    *,
    protocol: str = "shipped",
    data_dir: Path | None = None,
    models: Path | None = None,
    runs: Path = Path("runs"),
    resume: bool = True,
    records: Sequence[str] | None = None,
    settings: SeriesSettings | None = None,
    say: Callable[[str], None] = print,
) -> str:
    """The table as Markdown: of a beat model, a row an ablation; of `models`, all of them beside each other; of
    `instant`, its doubt in noise.

    Each row is kept in `runs/ablate-NAME-PROTOCOL/` (of `instant` each record), so that a table that was interrupted
    goes on.

    Parameters
    ----------
    models : folder of the trained models, where `instant` is; those of this package if not given
    resume : go on from `runs`; False starts again
    records, settings : fewer records and steps, for a trial of the command itself
    say : called with each row's name as it begins; settings and say are for beat models

    Raises
    ------
    ModelError
        If it is none of these, there is no run of `instant` to build on, or the table to go on from is another one.
    """
    if name not in (*RECIPES, "models", "instant"):
        raise ModelError(f"nothing to ablate in '{name}'; expected models, instant, {', '.join(RECIPES)}")
    plan = Plan(protocol, data_dir, models, runs, 0, resume, training_records(protocol, records))
    if name == "instant":
        return doubted(plan)
    beats, finders = opened(plan)
    rows = (
        [(one, Ablation(one, {})) for one in reversed(RECIPES)] if name == "models" else [(name, a) for a in ABLATIONS]
    )
    recipes = {one: replace(RECIPES[one], settings=settings or RECIPES[one].settings) for one, _ in rows}
    folder = runs / f"ablate-{name}-{protocol}"
    wanted = {one: [asdict(recipe.settings), asdict(recipe.config)] for one, recipe in recipes.items()}
    open_run(folder, resume, {"input": shown(beats), **wanted})
    found = {}
    for model, ablation in rows:
        kept = folder / f"{ablation.name}.csv.gz"
        try:
            found[ablation.name] = pd.read_csv(kept)
        except (OSError, EOFError, ValueError, zlib.error):  # none, or a damaged one
            say(ablation.name)
            part = folder / f"part.{kept.name}"
            _row(recipes[model], ablation, beats, finders).to_csv(part, index=False)
            part.replace(kept)
            found[ablation.name] = pd.read_csv(kept)
    return f"# `ectopy ablate {name}`, protocol {protocol}\n\n{_ABOUT}\n\n{markdown(_table(found))}"


def _row(recipe: Recipe, ablation: Ablation, beats: Found, finders: Finders) -> pd.DataFrame:
    tested = {record: ablation.shown(record, leads) for record, leads in beats.items()}
    taught = {record: ablation.taught(record, leads) for record, leads in tested.items()}
    settings = replace(recipe.settings, **ablation.settings)
    return tried(recipe, tested, finders, recipe.config, settings, taught=taught)


_ABOUT = (
    "Out of fold, first lead, beat by beat: AUROC and AUPRC of abnormal beats (S, V, F), F1 at the threshold of the "
    "best one; behind ± the standard deviation over folds; 'DS1' over the patients of mitdb alone; 'hand-held' the "
    "beats of hand-held recordings labelled normal. The difference in AUPRC to the first row has a 95 % interval by a "
    "paired bootstrap over patients."
)


def _table(found: Mapping[str, pd.DataFrame]) -> list[list[str]]:
    first = next(iter(found.values()))
    heads = list(figures(first, 0.5))
    rows = [["", *heads, "AUPRC, DS1", "hand-held, N called abnormal", "difference in AUPRC"]]
    for name, said in found.items():
        at = best_threshold(said)
        whole = figures(said, at)
        by_fold = pd.DataFrame([figures(part, at) for _, part in said.groupby("fold")])
        cells = [f"{whole[head]:.3f} ± {by_fold[head].std():.3f}" if head in whole else "" for head in heads]
        on_ds1 = ranking(said[said["record"].str.startswith("mitdb/")])["AUPRC"]
        hand_held = said[said["record"].map(_hand_held) & (said["truth"] >= 0)]
        called = f"{(hand_held['anomaly'] >= at).mean():.1%}" if len(hand_held) else ""
        rows.append([name, *cells, f"{on_ds1:.3f}", called, "" if said is first else _difference(said, first)])
    return rows


def _difference(said: pd.DataFrame, first: pd.DataFrame) -> str:
    """In AUPRC, with its interval: both over the same draws of patients."""
    own, other = (_draws(one) for one in (said, first))
    low, high = interval_95(own[1:] - other[1:])
    return f"{own[0] - other[0]:+.3f} [{low:+.3f}, {high:+.3f}]"


def _draws(said: pd.DataFrame) -> NDArray[np.float64]:
    """AUPRC over all patients, then over draws of them."""
    scored = said[said["truth"] != AAMI_CLASSES.index("Q")]
    owner, patients = pd.factorize(scored["patient"], sort=True)
    weights = np.concatenate([np.ones((1, len(patients)), int), draw_patients(len(patients))])
    abnormal = scored["truth"].isin(ABNORMAL).to_numpy()
    return average_precision(abnormal, scored["anomaly"].to_numpy(), owner, weights)
