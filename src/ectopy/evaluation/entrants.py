"""Who is compared: the trained models, the baselines, and other people's programs where they are installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from ectopy.analysis import analyze
from ectopy.evaluation.benchmark import Leads
from ectopy.evaluation.peers import has_openecg, openecg
from ectopy.evaluation.rules import always_normal, premature, templates
from ectopy.evaluation.said import Judge, Said
from ectopy.recording import Recording
from ectopy.zoo import TrainedModel, load


@dataclass(frozen=True, eq=False)
class Entrant:
    """One of those who are compared.

    name : what it is called, no two alike
    kind : a trained model of ours, a baseline, or a peer: another package
    about : what it is, in a line
    judge : may be sent to another process
    leads : the first lead, or all
    threshold : anomaly from which it calls a beat abnormal, where it names no classes
    model : where it is one
    """

    name: str
    kind: Literal["model", "baseline", "peer"]
    about: str
    judge: Judge
    leads: Leads = "first"
    threshold: float | None = None
    model: TrainedModel | None = None

    @property
    def card(self) -> dict[str, Any]:
        """The model's card; empty for the others."""
        return self.model.card if self.model else {}

    @property
    def headline(self) -> bool:
        """Whether it is drawn: both leads stand beside the first in tables only."""
        return self.leads == "first"


def model_entrants(names: Sequence[str]) -> list[Entrant]:
    """Trained models by name or folder, each with the first lead and then with all leads.

    Raises
    ------
    ModelError, HashError
        If one isn't there, or is damaged.
    """
    loaded = [load(name) for name in names]
    short = [str(model.card["name"]) for model in loaded]
    first = []
    for name, model, label in zip(names, loaded, short, strict=True):
        if short.count(label) > 1:  # the same model trained twice: told apart by its version
            label = model.name
        about = str(model.card.get("does", "a trained model"))
        threshold = model.thresholds.get("abnormal")
        first.append(Entrant(label, "model", about, partial(by_model, name=name), threshold=threshold, model=model))
    both = [replace(e, name=f"{e.name}, all leads", about=f"{e.about}; all leads", leads="all") for e in first]
    return first + both


def other_entrants() -> list[Entrant]:
    """The baselines that need no training, and the peer where it is installed."""
    found = [
        Entrant("always normal", "baseline", "sleepecg's beats, all normal", always_normal),
        Entrant("RR rule", "baseline", "sleepecg's beats, abnormal if 15 % early", premature),
        Entrant("templates", "baseline", "gqrs' beats, compared with the patient's usual one", templates),
    ]
    if has_openecg():
        found.append(Entrant("openecg", "peer", "openecg's layered codec, which has no class S", openecg))
    return found


def by_model(recording: Recording, name: str) -> Said:
    """What a trained model says, through the whole path."""
    analysis = analyze(recording, model=name)
    return Said(analysis.beats, analysis.intervals)
