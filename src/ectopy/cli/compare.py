"""`ectopy compare`: the models beside each other, and beside baselines, on records with reference beats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ectopy.cli._common import record_progress, save_and_print
from ectopy.cli.data import DataDir

if TYPE_CHECKING:
    from ectopy.evaluation import Comparison, Entrant


def compare(
    models: Annotated[
        list[str] | None, typer.Argument(help="Trained models, by name or folder; all installed ones if none.")
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(help="Split (DS1, DS2, svdb-even, svdb-odd) or database; repeat it for more. DS2 if none."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report: HTML, JSON, Markdown.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Compare models and baselines. Each look at test patients is recorded in benchmarks/test_runs.csv."""
    from datetime import UTC, datetime

    from ectopy.data import demo, split
    from ectopy.evaluation import (
        TEST_SPLITS,
        checkout,
        commit,
        compete,
        model_entrants,
        other_entrants,
        parameters,
        records_of,
        stream_cost,
    )
    from ectopy.reports import check_folder
    from ectopy.reports.compare import Contest, as_markdown, save
    from ectopy.zoo import installed

    sets = {name: records_of(name, data_dir) for name in dict.fromkeys(on or ["DS2"])}
    ours = model_entrants(list(dict.fromkeys(models or installed())))
    if out is not None:
        check_folder(out)
    boosting, notes = _boosting(ours, data_dir)
    entrants = [*ours, *other_entrants(), *boosting]
    tested = {name for one in TEST_SPLITS for name in split(one)}
    here = checkout(Path.cwd())
    for name, records in sets.items():
        notes += _notes(name, records, ours, recorded=here is not None or tested.isdisjoint(records))
    for note in notes:
        typer.echo(note, err=True)

    comparisons = []
    for name, records in sets.items():
        with record_progress(len(records)) as done:
            comparisons.append(compete(name, records, entrants, data_dir=data_dir, done=done))
        if here is not None and not tested.isdisjoint(records):
            _record(here, comparisons[-1])
    first = [entrant for entrant in ours if entrant.headline and entrant.model]
    contest = Contest(
        tuple(comparisons),
        costs={e.name: stream_cost(e.model, demo()) for e in first if e.model},
        parameters={e.name: parameters(e.model) for e in first if e.model},
        commit=commit(here) if here else "",
        date=datetime.now(UTC).date().isoformat(),
        notes=tuple(notes),
    )
    save_and_print(as_markdown(contest), lambda: save(contest, out, data_dir) if out is not None else [])


def _boosting(models: list[Entrant], data_dir: Path | None) -> tuple[list[Entrant], list[str]]:
    """Gradient boosting fitted on the models' training patients, for each of their protocols; or why there is none."""
    from ectopy.data import present, training
    from ectopy.evaluation import Entrant

    found, notes = [], []
    protocols = dict.fromkeys(str(e.card["protocol"]) for e in models if "protocol" in e.card)
    for protocol in protocols:
        wanted = training(protocol)
        missing = len(wanted) - len(present(wanted, data_dir))
        if missing:
            notes.append(f"boosting left out: {missing} of the {len(wanted)} records that train it are not here")
            continue
        try:
            from ectopy.training.baselines import fit_boosting
        except ModuleNotFoundError as error:
            if str(error.name).startswith("ectopy"):
                raise
            notes.append(f"boosting left out: it needs the package {error.name}; pip install 'ectopy[train]'")
            break
        name = "boosting" if len(protocols) == 1 else f"boosting, {protocol}"
        about = f"sleepecg's beats, gradient boosting on RR and shape, trained on '{protocol}'"
        found.append(Entrant(name, "baseline", about, fit_boosting(wanted, data_dir)))
    return found, notes


def _notes(on: str, records: tuple[str, ...], models: list[Entrant], *, recorded: bool) -> list[str]:
    """What must be known beside the figures of a set."""
    from ectopy.data import CATALOGUE, PACED, patient, split

    notes = []
    whole = CATALOGUE[on].records - sum(name.startswith(f"{on}/") for name in PACED) if on in CATALOGUE else None
    wanted = len(split(on)) if whole is None else whole
    if len(records) < wanted:
        notes.append(f"{on}: only {len(records)} of its {wanted} records are on this machine")
    trained = {patient(name) for entrant in models for name in entrant.card.get("records", ())}
    seen = sum(patient(name) in trained for name in records)
    if seen:
        notes.append(f"{on}: {seen} of {len(records)} records are of patients who trained a model: they show its fit")
    if not recorded:
        notes.append(f"{on}: not in a checkout of Ectopy, so this look at test patients is not recorded")
    return notes


def _record(root: Path, comparison: Comparison) -> None:
    from ectopy.evaluation import record_look

    for entrant in comparison.entrants:
        if entrant.model is not None:
            words = {"model": entrant.model.name, "sha256": entrant.model.hash, "leads": entrant.leads}
            path = record_look(root, **words, split=comparison.on, scores=comparison.columns(entrant.name))
            typer.echo(f"look of {entrant.name} at {comparison.on} recorded in {path}", err=True)
