"""`train_model`: one door to all that is trained or fitted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ectopy.errors import ModelError
from ectopy.training.beat_model import train_beat_model
from ectopy.training.instant import Settings, train_instant
from ectopy.training.quality import fit_quality
from ectopy.training.recipes import RECIPES, SeriesSettings
from ectopy.training.rhythm import fit_rhythm
from ectopy.training.runs import Plan, training_records


def train_model(
    name: str,
    *,
    protocol: str = "shipped",
    data_dir: Path | None = None,
    out: Path | None = None,
    runs: Path = Path("runs"),
    seed: int = 0,
    n_folds: int = 4,
    resume: bool = True,
    settings: Settings | SeriesSettings | None = None,
    records: Sequence[str] | None = None,
) -> Path:
    """Train a model and write it with its card; gives the folder that it lies in.

    A cross-validation by patient on the training records gives the number of epochs and the thresholds; the model
    that ships is refitted on all of them for that many epochs. Each epoch is kept in `runs`, so that a run that was
    interrupted goes on.

    Parameters
    ----------
    name : the model: `instant`; one of `RECIPES`, on top of a finished run of `instant`; or `quality` for the index
        of signal quality, `rhythm` for that of irregular rhythm
    protocol : which records train it, see `ectopy.data.training`; `shipped` adds the training half of cinc2017, as
        far as it is labelled normal
    data_dir : where the databases lie, see `ectopy.data.find`
    out : folder of the models; those of this package if not given
    seed : of weights, windows and augmentation
    n_folds : of the cross-validation of `instant`, whose folds the others take over
    resume : go on from `runs`; False starts again
    settings, records : fewer epochs and records, for a trial

    Raises
    ------
    ModelError
        If there is no such model, or the run to go on from had other settings.
    RecordError
        If a record is not on this machine, or a test record.
    """
    if name == "quality":
        return fit_quality(data_dir, out)
    if name == "rhythm":
        return fit_rhythm(data_dir, out)
    if name != "instant" and name not in RECIPES:
        raise ModelError(f"no model '{name}' to train; expected instant, {', '.join(RECIPES)}, quality or rhythm")
    plan = Plan(protocol, data_dir, out, runs, seed, resume, training_records(protocol, records))
    if name in RECIPES:
        assert settings is None or isinstance(settings, SeriesSettings)
        return train_beat_model(name, plan, settings)
    assert settings is None or isinstance(settings, Settings)
    return train_instant(plan, n_folds, settings)
