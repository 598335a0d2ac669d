"""The search for a model's settings: out of fold, each trial a cross-validation by patient on the training side.

Akiba T, Sano S, Yanase T, Ohta T, Koyama M. Optuna: a next-generation hyperparameter optimization framework. KDD (2019)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import optuna
from optuna import Study, Trial
from optuna.trial import FrozenTrial, TrialState

from ectopy.errors import ModelError
from ectopy.evaluation import Binary, average_precision, markdown
from ectopy.models.hybrid import HybridConfig
from ectopy.models.instant import InstantConfig
from ectopy.training import instant
from ectopy.training.beat_model import Fold, shown
from ectopy.training.data import folds
from ectopy.training.operating import MIDDLE, analyses, scored
from ectopy.training.recipes import RECIPES, Recipe, SeriesSettings
from ectopy.training.runs import Plan, progress, silent, training_records
from ectopy.training.trial import calibrated_on, opened, ranking, tried

_UNHINDERED = 4  # trials before the sampler learns from them and the pruner gives any up
_SOUGHT = "AUPRC"  # of abnormal beats
_START = "settings as they were"
_FOLDS = 4  # of `instant`; those of a beat model are the ones its beats come from


@dataclass(frozen=True)
class _Search:
    """What a study needs to know of a model.

    input : a digest of what the model is shown
    start : the settings as they are
    value : a trial's; it tells the trial after each fold what came so far, and ends it where that is too little
    """

    input: str
    start: Mapping[str, Any]
    value: Callable[[Trial], float]


def tune(
    name: str,
    *,
    trials: int = 20,
    protocol: str = "shipped",
    data_dir: Path | None = None,
    models: Path | None = None,
    runs: Path = Path("runs"),
    records: Sequence[str] | None = None,
    settings: SeriesSettings | instant.Settings | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Search on for so many trials, and write after each what was found; gives the path, `runs/tune-NAME-PROTOCOL.md`.

    The study lies beside it (SQLite): a search that was stopped goes on, and two at once share it. The settings as they
    are come first; one that falls behind the median of those before it is given up.

    Parameters
    ----------
    name : the model, `instant` or one of `RECIPES`
    models : folder of the trained models, where the `instant` is that a beat model builds on; those of this package if
        not given
    records, settings : fewer records and steps, for a trial of the search itself
    say : called with a line a trial

    Raises
    ------
    ModelError
        If there is no such model, no run of `instant` for a beat model to build on, or the search to go on with is
        another one.
    """
    if name != "instant" and name not in RECIPES:
        raise ModelError(f"no settings of '{name}' to tune; expected instant, {', '.join(RECIPES)}")
    plan = Plan(protocol, data_dir, models, runs, 0, True, training_records(protocol, records))
    if name == "instant":
        assert settings is None or isinstance(settings, instant.Settings)
        search = _of_instant(plan, settings or instant.Settings())
    else:
        assert settings is None or isinstance(settings, SeriesSettings)
        search = _of_beat_model(plan, replace(RECIPES[name], settings=settings or RECIPES[name].settings))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = runs / f"tune-{name}-{protocol}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{path.with_suffix('.db')}",
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(n_startup_trials=_UNHINDERED, constant_liar=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_UNHINDERED),
    )
    if study.user_attrs.get("input", search.input) != search.input:
        raise ModelError(f"{path.with_suffix('.db')}: that search was on other beats; move it away to begin another")
    study.set_user_attr("input", search.input)
    if not _with_start(study, TrialState.COMPLETE, TrialState.PRUNED, TrialState.WAITING):
        study.enqueue_trial(dict(search.start), user_attrs={_START: True})

    def told(study: Study, trial: FrozenTrial) -> None:
        path.write_text(_summary(study, name, protocol), encoding="utf-8")
        say(_line(trial))

    study.optimize(search.value, n_trials=trials, callbacks=[told])
    return path


def _of_instant(plan: Plan, settings: instant.Settings) -> _Search:
    """Its beats count as it finds them, at the threshold that it has before any is chosen."""
    with progress() as bar:
        seen = instant.begin(plan, bar)
    dealt = folds(seen.examples, min(_FOLDS, len({e.patient for e in seen.examples})))

    def value(trial: Trial) -> float:
        config = replace(InstantConfig(), dropout=trial.suggest_float("dropout", 0.0, 0.3))
        chosen = replace(
            settings,
            epochs=trial.suggest_int("epochs", 2, 16),
            learning_rate=trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
            weight_decay=trial.suggest_float("weight_decay", 1e-3, 1e-1, log=True),
            abnormal=trial.suggest_float("abnormal", 0.2, 0.8),
        )
        said: list[Binary] = []
        reached = 0.0
        with TemporaryDirectory() as folder:
            cross_validated = instant.cross_validate(seen, dealt, config, chosen, Path(folder), silent)
            for n_folds, fold in enumerate(cross_validated, 1):
                model = instant.written(fold, config, plan.protocol, Path(folder))
                unseen = {e.name: seen.recordings[e.name] for e in fold.unseen if e.name in seen.recordings}
                found = analyses(dict.fromkeys(unseen, model), unseen, model.thresholds)
                said += [one.beats.abnormal for one in scored(found, unseen, MIDDLE, intervals=False)]
                truth, score = (np.concatenate([getattr(one, part) for one in said]) for part in ("truth", "score"))
                reached = float(average_precision(truth, score)[0])
                _told(trial, n_folds, reached)
        return reached

    start = {name: getattr(settings, name) for name in ("epochs", "learning_rate", "weight_decay", "abnormal")}
    return _Search(seen.digest, {"dropout": InstantConfig().dropout, **start}, value)


def _of_beat_model(plan: Plan, recipe: Recipe) -> _Search:
    beats, finders = opened(plan)

    def value(trial: Trial) -> float:
        config, chosen = _suggested(trial, recipe)

        def done(folds: Sequence[Fold]) -> None:
            _told(trial, len(folds), ranking(calibrated_on(folds, folds, recipe, beats))[_SOUGHT])

        return ranking(tried(recipe, beats, finders, config, chosen, done))[_SOUGHT]

    return _Search(shown(beats), _as_they_are(recipe), value)


def _told(trial: Trial, n_folds: int, value: float) -> None:
    trial.report(value, n_folds)
    if trial.should_prune():
        raise optuna.TrialPruned


def _suggested(trial: Trial, recipe: Recipe) -> tuple[Any, SeriesSettings]:
    """A configuration and settings near those of the recipe."""
    settings = replace(
        recipe.settings,
        epochs=trial.suggest_int("epochs", 1, 8),
        learning_rate=trial.suggest_float("learning_rate", 5e-4, 5e-3, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-3, 1e-1, log=True),
        abnormal=trial.suggest_float("abnormal", 0.2, 0.8),
        hidden=trial.suggest_float("hidden", 0.0, 0.6),
    )
    own = _tuned_part(recipe.config)
    changes = {name: trial.suggest_categorical(name, choices) for name, choices in _CHOICES[type(own).__name__].items()}
    return _with_tuned_part(recipe.config, replace(own, **changes)), settings


_CHOICES: dict[str, dict[str, Sequence[Any]]] = {
    "SequenceConfig": {"width": (32, 48, 64, 96), "kernel": (5, 7, 9), "dropout": (0.1, 0.2, 0.3, 0.4, 0.5)},
    "AutoencoderConfig": {"code": (4, 6, 8, 16), "kernel": (5, 7, 9), "width": (64, 128, 256)},
}


def _as_they_are(recipe: Recipe) -> dict[str, Any]:
    names = ("epochs", "learning_rate", "weight_decay", "abnormal", "hidden")
    own = _tuned_part(recipe.config)
    return {name: getattr(recipe.settings, name) for name in names} | {
        name: getattr(own, name) for name in _CHOICES[type(own).__name__]
    }


def _tuned_part(config: Any) -> Any:
    """Of `hybrid` the classifier is tuned, its autoencoder on its own."""
    return config.sequence if isinstance(config, HybridConfig) else config


def _with_tuned_part(config: Any, part: Any) -> Any:
    return replace(config, sequence=part) if isinstance(config, HybridConfig) else part


def _line(trial: FrozenTrial) -> str:
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    params = " ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
    end = f"{_SOUGHT} {trial.value:.4f}" if trial.state == TrialState.COMPLETE else "given up"
    return f"trial {trial.number}: {end} after {seconds:.0f} s; {params}"


def _with_start(study: Study, *states: TrialState) -> list[FrozenTrial]:
    """The trials of the settings as they were: more than one where it was stopped."""
    return [trial for trial in study.get_trials(states=states) if _START in trial.user_attrs]


def _summary(study: Study, name: str, protocol: str) -> str:
    """The trials, the best first, as Markdown."""
    complete = sorted(study.get_trials(states=[TrialState.COMPLETE]), key=lambda trial: -(trial.value or 0))
    pruned = len(study.get_trials(states=[TrialState.PRUNED]))
    heads = list(complete[0].params) if complete else []
    start = "".join(f" Trial {t.number} has the {_START} before." for t in _with_start(study, TrialState.COMPLETE))
    rows = [["trial", _SOUGHT, *heads]]
    rows += [[str(t.number), f"{t.value:.4f}", *(_short(t.params[head]) for head in heads)] for t in complete]
    return (
        f"# `ectopy tune {name}`, protocol {protocol}\n\n"
        f"{_SOUGHT} of abnormal beats (S, V, F), out of fold over all training patients, first lead. Trials run to the "
        f"end: {len(complete)}, given up: {pruned}.{start}\n\n{markdown(rows)}"
    )


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
